"""Write a caption."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from characters import commands
from influencer.clients.platform import Platform
from influencer.errors import Invalid
from prompts import caption_api, captions
from prompts.captions import Wish


class Command(commands.Command):
    help = "Write a caption for a prompt of the library, or for words: `caption Luna --prompt 'by the sea'`."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "subject", help="a prompt's id; or a character's id or name, with --prompt or --image"
        )
        parser.add_argument("--prompt", default="", help="what the image shows")
        parser.add_argument("--image", default="", metavar="ID", help="an image of the gallery")
        parser.add_argument(
            "--narrative", default="", help="a chapter's id or title; otherwise that of today"
        )
        parser.add_argument("--platform", default="instagram", choices=[str(name) for name in Platform])
        parser.add_argument("--tone", default="", help="like: wistful")
        parser.add_argument("--language", default="", help="otherwise the character's")

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("prompt", "narrative", "tone", "language")
        commands.check_texts({name: options[name] for name in names})
        wish = Wish(
            Platform(options["platform"]),
            options["narrative"] or None,
            options["image"],
            options["tone"],
            options["language"],
        )
        with commands.stand_ins("Gemini"):
            written = self._written(options, wish)
        lines = [written.caption, *([f"({written.note})"] if written.note else [])]
        self.answer(options, caption_api.answer_of(written, wish.platform), lines)

    def _written(self, options: dict[str, Any], wish: Wish) -> Any:
        subject, scene = options["subject"], options["prompt"]
        if not scene and not wish.image_id:
            if not subject.startswith("prompt_"):
                raise Invalid("Say what the image shows: --prompt or --image, or give a prompt's id.")
            return captions.write_for(subject, wish)[1]
        return captions.write(commands.named(subject), scene, wish)
