"""`manage.py error_table`: write `docs/errors.md` from the rules in the code."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from characters.publishing import error_table
from influencer.config import PROJECT


class Command(BaseCommand):
    help = "Write docs/errors.md: every known error of Instagram, X and Gemini, and what happens then."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        path = PROJECT / "docs" / "errors.md"
        path.write_text(error_table.text())
        count = sum(map(len, error_table.sections().values()))
        self.stdout.write(f"{path.relative_to(PROJECT)}: {count} rows.")
