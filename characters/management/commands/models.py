"""The models the ComfyUI servers have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandParser

from characters import catalog, commands
from characters.catalog import Catalog
from influencer.errors import Unavailable


class Command(commands.Command):
    help = "List the models and LoRAs the ComfyUI servers have; --refresh asks every server now."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--refresh", action="store_true", help="ask every server now")

    def handle(self, *args: Any, **options: Any) -> None:
        with commands.stand_ins("ComfyUI"):
            found, source = catalog.ask(fresh=options["refresh"])
        sentence, kind = catalog.summary(found)
        if kind == "bad":
            raise Unavailable(sentence, code="unreachable", retryable=True)
        self.tell(sentence if source != "sandbox" else f"{sentence} They are the sandbox's.")
        self.answer(options, {**found.as_json(), "source": source}, _lines(found))


def _lines(found: Catalog) -> Iterator[str]:
    models = [(one.name, one.family or "unknown family", one.kind) for one in found.models if not one.lost]
    loras = [(one.name, one.family or "unknown family", "lora") for one in found.loras if not one.lost]
    yield from commands.columns([*models, *loras])
