"""List, show, add, edit and delete characters."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.management.base import CommandParser

from characters import commands, payload, services, typed
from characters.models import SECRETS, Character
from influencer.errors import Conflict, Invalid

OPTIONS = tuple(name for name in payload.KEYS if name not in SECRETS)


class Command(commands.Command):
    help = (
        "List, show, add, edit and delete characters: `character list`, `character edit ID --set key=value`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="list|show|add|edit|delete")
        listing = verbs.add_parser("list", help="every character, by name")
        listing.add_argument("--q", default="", metavar="TEXT", help="only those with this in name or handle")
        listing.add_argument("--show", default="", choices=["active", "paused"], help="only these")
        showing = verbs.add_parser("show", help="one character with everything in it but the secrets")
        adding = verbs.add_parser("add", help="add a character")
        editing = verbs.add_parser("edit", help="change a character")
        deleting = verbs.add_parser("delete", help="delete a character; images and posts are kept")
        deleting.add_argument("--yes", action="store_true", help="don't ask")
        for verb in (showing, editing, deleting):
            verb.add_argument("character", help="an id, or a name only one character has")
        for verb in (adding, editing):
            _add_fields(verb)
        for verb in (listing, showing, adding, editing, deleting):
            super().add_arguments(verb)

    def handle(self, *args: Any, **options: Any) -> None:
        verbs = {
            "list": self._list,
            "show": self._show,
            "add": self._add,
            "edit": self._edit,
            "delete": self._delete,
        }
        verbs[options["verb"]](options)

    def _list(self, options: Mapping[str, Any]) -> None:
        found = list(services.search(q=options["q"], show=options["show"]))
        content = [one.as_json() for one in found]
        rows = [(one.pk, one.name, "" if one.is_active else "paused", one.preferred_model) for one in found]
        lines = commands.columns(rows) if rows else ["No characters. Add one, or try seed_sample_data."]
        self.answer(options, content, lines)

    def _show(self, options: Mapping[str, Any]) -> None:
        self._answer_with(options, commands.named(options["character"]))

    def _add(self, options: Mapping[str, Any]) -> None:
        given = self._given(options)
        form = given.form()
        if not form.is_valid():
            raise payload.form_problem(form)
        self._answer_with(options, services.create(form, given.beside), "Added")

    def _edit(self, options: Mapping[str, Any]) -> None:
        character = commands.named(options["character"])
        given = self._given(options)
        if not given.data and not given.extra and given.chapters is None:
            raise Invalid("Say what to change: --set key=value, an option of a field, or --from FILE.")
        form = given.form(character)
        if not form.is_valid():
            raise payload.form_problem(form)
        changed = services.update(character.pk, form, beside=given.beside)
        self._answer_with(options, changed, "Saved")

    def _delete(self, options: Mapping[str, Any]) -> None:
        character = commands.named(options["character"])
        if not options["yes"]:
            _ask(character)
        services.delete(character.pk)
        self.answer(options, {}, [f"Deleted {character.name}. Images and posts are kept."])

    def _given(self, options: Mapping[str, Any]) -> payload.Payload:
        whole = typed.read_object(options["from"], sys.stdin) if options["from"] else {}
        own = typed.body_of({name: options[f"field_{name}"] for name in OPTIONS}, options["set"])
        settings = {**_object(whole, "promptSettings"), **own.get("promptSettings", {})}
        body = {**whole, **own, **({"promptSettings": settings} if settings else {})}
        commands.check_texts(body)
        return payload.read(body)

    def _answer_with(self, options: Mapping[str, Any], character: Character, verb: str = "") -> None:
        done = [f"{verb} {character.name}, {character.pk}."] if verb else list(_lines(character.as_json()))
        self.answer(options, character.as_json(), done)


def _add_fields(parser: CommandParser) -> None:
    pairs = "any field by its key, also a secret; null clears it"
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help=pairs)
    parser.add_argument("--from", default="", metavar="FILE", help="a JSON object of fields; - is stdin")
    for name in OPTIONS:
        field = Character._meta.get_field(name)
        words = str(getattr(field, "help_text", "") or getattr(field, "verbose_name", name))
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, dest=f"field_{name}", metavar="VALUE", help=words.replace("%", "%%"))


def _object(body: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = body.get(key)
    return value if isinstance(value, dict) else {}


def _lines(record: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """`key: value`, with dots for what lies deeper; what is empty is left out."""
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _lines(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            for place, item in enumerate(value):
                inner = item if isinstance(item, dict) else {"": item}
                yield from _lines(inner, f"{prefix}{key}.{place}.")
        elif value not in (None, ""):
            yield f"{prefix}{key}: {str(value).lower() if isinstance(value, bool) else value}"


def _ask(character: Character) -> None:
    """Raises `Conflict` unless someone at the terminal says yes."""
    if not sys.stdin.isatty():
        raise Conflict(
            f"Nobody is there to ask. To delete {character.name}, add --yes.", code="not_confirmed"
        )
    question = (
        f"Delete {character.name}? Its credentials go, its tasks are paused; images and posts stay. [y/N] "
    )
    if input(question).strip().lower() not in {"y", "yes"}:
        raise Conflict(f"{character.name} was not deleted.", code="not_confirmed")
