"""What the commands have in common: whom they mean, how they answer, what runs meanwhile."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from characters import services
from characters.models import Character
from influencer import endpoints, paths, sandbox
from influencer.errors import Conflict, NotFound, Unavailable
from influencer.web import body


class Command(BaseCommand):
    """A command that answers on standard output, in lines or JSON, and tells what happens beside it.

    What can't be done is raised as a `Problem`: `manage.py` prints its sentence and ends with 1.
    """

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="answer in JSON, in the keys of the API")

    def execute(self, *args: Any, **options: Any) -> str | None:
        with _quiet(options.get("verbosity", 1)):
            return super().execute(*args, **options)

    def answer(self, options: Mapping[str, Any], content: Any, lines: Iterable[str]) -> None:
        """`content` with --json, else the lines."""
        if options["json"]:
            self.stdout.write(json.dumps(content, indent=2, ensure_ascii=False, default=str))
        else:
            self.stdout.writelines(f"{line}\n" for line in lines)

    def tell(self, line: str) -> None:
        """A line for whoever watches; it goes to standard error."""
        self.stderr.write(line, str)
        self.stderr.flush()


def named(text: str) -> Character:
    """The character of that id, or the only one of that name. Raises `NotFound`, `Conflict`."""
    by_id: Character | None = Character.objects.filter(pk=text).first()
    if by_id is not None:
        return by_id
    found = list(Character.objects.filter(name__iexact=text))
    found = [one for one in found if one.name == text] or found
    if not found:
        raise NotFound(f"There is no character with the id or name {text}.")
    if len(found) > 1:
        ids = ", ".join(one.pk for one in found)
        raise Conflict(f"{len(found)} characters are called {text}: {ids}. Say which by its id.")
    return services.get(found[0].pk)


def check_texts(given: Mapping[str, Any]) -> None:
    """The rules for texts that hold for requests, at every depth. Raises `Invalid`."""
    body.check_texts(body.texts(dict(given)), ())


@contextlib.contextmanager
def stand_ins(*names: str) -> Iterator[None]:
    """The sandbox runs for the length of the block, if it stands in for one of these services."""
    if not set(names) & set(endpoints.sandboxed_services()):
        yield
        return
    with contextlib.ExitStack() as stack:
        try:
            config = settings.INFLUENCER
            stack.enter_context(sandbox.started(paths.data_dir(), config.own_url, speed=config.sandbox_speed))
        except sandbox.SandboxFailed as error:
            raise Unavailable(str(error), code="sandbox_down") from error
        yield


def columns(rows: Iterable[Iterable[object]]) -> list[str]:
    """Lines in which the cells of a column stand below each other."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]


@contextlib.contextmanager
def _quiet(verbosity: int) -> Iterator[None]:
    """Only warnings are logged while a command talks; all of it with `-v 2`."""
    root = logging.getLogger()
    before = root.level
    if verbosity < 2:
        root.setLevel(max(before, logging.WARNING))
    try:
        yield
    finally:
        root.setLevel(before)
