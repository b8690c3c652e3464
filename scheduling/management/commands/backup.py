"""Back up the data folder."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from characters import commands
from scheduling import backup


class Command(commands.Command):
    help = "Write a checked zip of the data folder to its backups/; the last 7 stay."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--media", action="store_true", help="with all images")

    def handle(self, *args: Any, **options: Any) -> None:
        kept = backup.make(media=options["media"])
        size = kept.stat().st_size
        content = {"file": str(kept), "bytes": size, "media": options["media"]}
        self.answer(options, content, [f"{kept}  {size / 1e6:.1f} MB"])
