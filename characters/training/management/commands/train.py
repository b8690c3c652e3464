"""Train a LoRA of a character."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from characters import commands
from characters.images import services as images
from characters.models import Character
from characters.training import api, dataset, services
from characters.training.forms import TrainingForm, Wish
from characters.training.models import Training
from influencer.jobs import services as jobs
from influencer.jobs import watching

FLAGS = {"attach", "rights_confirmed"}
A_DAY = 24 * 3600.0


class Command(commands.Command):
    help = (
        "Train a LoRA of a character from 5 to 40 images: `train Luna pictures/ --steps 1500`. "
        "A text file of the same name is an image's caption."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("character", help="an id, or a name only one character has")
        parser.add_argument("pictures", nargs="*", type=Path, help="files or folders")
        parser.add_argument(
            "--gallery", nargs="+", action="extend", default=[], metavar="ID", help="images of its gallery"
        )
        for name, field in TrainingForm.base_fields.items():
            if name not in FLAGS:
                words = _words(name, field)
                parser.add_argument(f"--{name.replace('_', '-')}", dest=name, help=words)
        parser.add_argument("--no-attach", action="store_true", help="don't use the LoRA when it is proven")
        parser.add_argument(
            "--confirm-rights", action="store_true", help="note that you have the right to use the images"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        character = commands.named(options["character"])
        wish = _wish(options)
        sources = [
            *dataset.from_paths(options["pictures"]),
            *(dataset.from_gallery(images.get(pk, character_id=character.pk)) for pk in options["gallery"]),
        ]
        with commands.stand_ins("ComfyUI"), watching.hands_for("default"):
            training = self._train(character, sources, wish)
        self.answer(options, api.shown(training), _lines(training))

    def _train(self, character: Character, sources: list[dataset.Source], wish: Wish) -> Training:
        training = services.start(character, sources, wish)
        for warning in services.warnings(training):
            self.tell(f"Warning: {warning['message']}")
        job = watching.see_through(training.job_id, self.tell, seconds=A_DAY)
        jobs.result_of(job)
        return services.get(training.pk)


def _wish(options: Mapping[str, Any]) -> Wish:
    """What was asked for. Raises `Invalid`."""
    data = {name: value for name in TrainingForm.base_fields if (value := options.get(name)) is not None}
    commands.check_texts(data)
    data |= {"attach": not options["no_attach"], "rights_confirmed": options["confirm_rights"]}
    form = TrainingForm(data)
    if not form.is_valid():
        raise api.form_problem(form)
    return form.wish()


def _words(name: str, field: Any) -> str:
    limits = [getattr(field, "min_value", None), getattr(field, "max_value", None)]
    label = str(field.label or name.replace("_", " "))
    return f"{label}, {limits[0]:g} to {limits[1]:g}" if None not in limits else label


def _lines(training: Training) -> Iterator[str]:
    losses = [value for _, value in training.loss]
    fallen = f"loss {losses[0]:.3f} to {losses[-1]:.3f}" if len(losses) > 1 else ""
    facts = [f"{training.steps} steps", f"{training.images_count} images", fallen]
    yield f"{training.lora}  v{training.version}  {', '.join(filter(None, facts))}"
    words = [
        f"trigger word {training.trigger_word}",
        f"base model {training.base_model}",
        f"test images {training.image_with} with, {training.image_without} without",
    ]
    yield "  ".join(words)
