"""Three characters to try everything with."""

from __future__ import annotations

from typing import Any

from characters import commands, services


class Command(commands.Command):
    help = "Add three sample characters with stories, images, prompts and paused tasks; those there are kept."

    def handle(self, *args: Any, **options: Any) -> None:
        made = services.add_samples()
        content = [character.as_json() for character in made]
        lines = [f"Added {character.name}, {character.pk}." for character in made]
        self.answer(options, content, lines or ["The sample characters are there already."])
