"""Write prompts for a character."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from characters import commands
from influencer.jobs import services as jobs
from influencer.jobs import watching
from prompts import writing
from prompts.models import Prompt


class Command(commands.Command):
    help = "Write 1 to 50 prompts from a character's story: `write_prompts Luna --count 12`."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("character", help="an id, or a name only one character has")
        parser.add_argument("--count", type=int, default=10, help="1 to 50")
        parser.add_argument(
            "--narrative", default="", help="a chapter's id or title; otherwise all of the story"
        )
        parser.add_argument("--wish", default="", help="what all of them should share")

    def handle(self, *args: Any, **options: Any) -> None:
        character = commands.named(options["character"])
        commands.check_texts({"wish": options["wish"]})
        with commands.stand_ins("Gemini"), watching.hands_for("default"):
            job = writing.start(
                character, count=options["count"], narrative=options["narrative"], wish=options["wish"]
            )
            job = watching.see_through(job.pk, self.tell)
        found = Prompt.objects.in_bulk(jobs.result_of(job)["promptIds"])
        content = {"jobId": job.pk, "prompts": [prompt.as_json() for prompt in found.values()]}
        self.answer(options, content, [prompt.prompt for prompt in found.values()])
