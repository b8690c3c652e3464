"""Post an image of a character to Instagram or X."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from characters import commands
from characters.images import api as images_api
from characters.images import generation
from characters.images import services as images
from characters.images.planning import Wish
from characters.models import Character
from characters.publishing import accounts, api, posting, services
from characters.publishing.accounts import Account
from characters.publishing.forms import NO_REASON
from characters.publishing.media import hosting
from characters.publishing.posting import Intention
from influencer.clients import picture
from influencer.clients.platform import Platform
from influencer.errors import Invalid, NotFound
from influencer.jobs import services as jobs
from influencer.jobs import watching

# As the composer makes a new image.
SHAPE = "4:5"


class Command(commands.Command):
    help = "Post an image: `post Luna --to x --image img_… --caption 'Good morning'`; --new makes one first."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("character", help="an id, or a name only one character has")
        parser.add_argument("--to", required=True, choices=[str(platform) for platform in Platform])
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--image", metavar="ID|FILE", help="an image of the gallery, or a file")
        which.add_argument("--new", action="store_true", help="make a new image first")
        parser.add_argument("--prompt", default="", help="what a new image shows")
        parser.add_argument("--caption", default="")
        parser.add_argument("--alt-text", default="", help="what can be seen, for those who can't see it")
        parser.add_argument(
            "--no-ai-label", metavar="WHY", help="don't label it as AI-generated, and why not"
        )
        parser.add_argument("--force", action="store_true", help="also what went out within 30 days")

    def handle(self, *args: Any, **options: Any) -> None:
        character = commands.named(options["character"])
        commands.check_texts(
            {name: options[name] or "" for name in ("caption", "alt_text", "prompt", "no_ai_label")}
        )
        intention = _intention(character, options)
        target = accounts.require(character, intention.platform)
        posting.check_caption(intention)
        image_id = _chosen(character, options["image"]) if options["image"] else ""
        with self._surroundings(target, new=options["new"]):
            image_id = image_id or self._new_image(character, options["prompt"])
            self._post(character, Intention(**{**vars(intention), "image_id": image_id}), options)

    @contextlib.contextmanager
    def _surroundings(self, target: Account, *, new: bool) -> Any:
        """Whatever the post needs and does not run: stand-ins, hands, someone who serves the picture."""
        needed = [target.name] if target.sandbox else []
        with contextlib.ExitStack() as stack:
            stack.enter_context(commands.stand_ins(*needed, *(["ComfyUI"] if new else [])))
            if target.platform is Platform.INSTAGRAM:
                stack.enter_context(hosting.media_links())
            yield

    def _new_image(self, character: Character, prompt: str) -> str:
        wish = Wish(prompt=prompt, shape="" if character.width or character.height else SHAPE)
        with watching.hands_for("gpu"):
            job = watching.see_through(generation.start(character, wish).pk, self._tell("Image"))
        return images_api.images_of(job)[0].pk

    def _post(self, character: Character, intention: Intention, options: Mapping[str, Any]) -> None:
        with watching.hands_for("default"):
            made = posting.start(character, intention)
            job = watching.see_through(made.job_id, self._tell("Post"))
        jobs.result_of(job)
        done = services.get(made.pk)
        where = "Posted in the sandbox" if done.sandbox else "Published"
        self.answer(options, api.answer_of(done.pk), [f"{where}: {done.permalink or done.remote_id}"])

    def _tell(self, what: str) -> Callable[[str], None]:
        return lambda line: self.tell(f"{what}: {line}")


def _intention(character: Character, options: Mapping[str, Any]) -> Intention:
    if options["prompt"] and not options["new"]:
        raise Invalid("--prompt is for a new image; leave it out with --image.")
    why_not = options["no_ai_label"]
    if why_not is not None and not why_not.strip():
        raise Invalid(NO_REASON)
    return Intention(
        platform=Platform(options["to"]),
        caption=options["caption"],
        alt_text=options["alt_text"],
        ai_label=character.ai_label and why_not is None,
        ai_label_reason=why_not or character.ai_label_reason,
        force=options["force"],
    )


def _chosen(character: Character, image: str) -> str:
    """Raises `NotFound`, `Invalid`."""
    path = Path(image)
    if not path.is_file():
        if path.suffix or len(path.parts) > 1:
            raise NotFound(f"There is no file {image}.")
        return images.get(image, character_id=character.pk).pk
    content = path.read_bytes()
    picture.verify_upload(content)
    return images.take_in(character.pk, content).pk
