"""Make or revoke a token for the JSON API."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from influencer.errors import Problem
from influencer.web import tokens


class Command(BaseCommand):
    help = "Prints a new API token: the last word on standard output. It can't be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what the token is for; the name to revoke it by")
        parser.add_argument("--user", default="", help="whom it stands for (default: the owner)")
        parser.add_argument("--expires", type=int, metavar="DAYS", help="days until it ends (default: never)")
        parser.add_argument("--revoke", action="store_true", help="stop the token of this name instead")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"].strip()
        if not name or len(name) > 100:
            raise CommandError("A token's name has 1 to 100 characters.")
        if options["expires"] is not None and options["expires"] < 1:
            raise CommandError("A token lasts at least 1 day.")
        try:
            if options["revoke"]:
                tokens.revoke(name)
                self.stdout.write(f"Revoked {name}.")
                return
            token = tokens.make(name, username=options["user"], days=options["expires"])
        except Problem as problem:
            raise CommandError(problem.message) from problem
        self.stdout.write(f"Token {name}: {token}")
