"""Show what a published JPEG says of itself, without publishing it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from characters import commands
from characters.images import services as images
from characters.publishing.media import provenance
from influencer.clients.platform import Platform


class Command(commands.Command):
    help = "Print the metadata an image would go out with: `published_jpeg img_… --to instagram`."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("image", help="an image of the gallery")
        parser.add_argument("--to", default="instagram", choices=[str(platform) for platform in Platform])
        parser.add_argument("--no-ai-label", action="store_true", help="as if it went out without the label")

    def handle(self, *args: Any, **options: Any) -> None:
        image = images.get(options["image"])
        content = image.path.read_bytes()
        made = provenance.picture_for(content, options["to"], ai=not options["no_ai_label"])
        found = provenance.metadata(made.jpeg)
        rows = [{"segment": name, "bytes": size, "text": text} for name, size, text in found]
        facts = {"width": made.width, "height": made.height, "bytes": len(made.jpeg), "metadata": rows}
        lines = [f"{made.width} × {made.height}, {len(made.jpeg)} bytes"]
        self.answer(
            options, facts, [*lines, *(f"{name} ({size} bytes): {text}" for name, size, text in found)]
        )
