"""List, add, change, use and delete prompts of the library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.management.base import CommandParser

from characters import commands
from influencer.errors import Invalid
from prompts import claiming, payload, services
from prompts.forms import TEXTS
from prompts.models import Prompt

VERBS = "list|show|add|edit|use|delete"


class Command(commands.Command):
    help = "The prompt library: `prompts list --character Luna --unused`, `prompts add Luna 'by the sea'`."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar=VERBS)
        listing = verbs.add_parser("list", help="the newest first")
        listing.add_argument(
            "--q", default="", metavar="TEXT", help="only those with this in prompt or caption"
        )
        listing.add_argument("--character", default="", help="an id or a name")
        use = listing.add_mutually_exclusive_group()
        use.add_argument("--used", dest="used", action="store_const", const="yes", default="")
        use.add_argument("--unused", dest="used", action="store_const", const="no")
        adding = verbs.add_parser("add", help="add a prompt")
        adding.add_argument("character", help="an id, or a name only one character has")
        adding.add_argument("text", help="what the image shows")
        others = {name: verbs.add_parser(name) for name in ("show", "edit", "use")}
        for other in others.values():
            other.add_argument("prompt", help="a prompt's id")
        deleting = verbs.add_parser("delete", help="delete prompts; images made from them stay")
        deleting.add_argument("prompt", nargs="+", help="ids")
        for verb in (adding, others["edit"]):
            _add_fields(verb, [name for name in TEXTS if name != "prompt" or verb is not adding])
        for verb in (listing, adding, deleting, *others.values()):
            super().add_arguments(verb)

    def handle(self, *args: Any, **options: Any) -> None:
        verbs: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "list": self._list,
            "show": lambda options: self._tell(options, services.get(options["prompt"])),
            "add": self._add,
            "edit": self._edit,
            "use": lambda options: self._tell(options, claiming.mark_used(options["prompt"]), "Used"),
            "delete": self._delete,
        }
        verbs[options["verb"]](options)

    def _list(self, options: Mapping[str, Any]) -> None:
        owner = commands.named(options["character"]).pk if options["character"] else ""
        found = list(services.search(q=options["q"], character=owner, used=options["used"]))
        rows = [
            (one.pk, one.character_name, "used" if one.used else "", one.prompt.replace("\n", " ")[:80])
            for one in found
        ]
        lines = commands.columns(rows) if rows else ["No prompts. Add one, or try write_prompts."]
        self.answer(options, [one.as_json() for one in found], lines)

    def _add(self, options: Mapping[str, Any]) -> None:
        owner = commands.named(options["character"])
        given = _given(options, {"character_id": owner.pk, "prompt": options["text"]})
        form = given.form()
        if not form.is_valid():
            raise payload.form_problem(form)
        self._tell(options, services.create(form), "Added")

    def _edit(self, options: Mapping[str, Any]) -> None:
        prompt = services.get(options["prompt"])
        given = _given(options, {})
        if not given.data:
            raise Invalid("Say what to change, like --caption TEXT.")
        form = given.form(prompt)
        if not form.is_valid():
            raise payload.form_problem(form)
        self._tell(options, services.update(prompt.pk, form), "Saved")

    def _delete(self, options: Mapping[str, Any]) -> None:
        for pk in options["prompt"]:
            services.get(pk)
        count = services.delete_many(options["prompt"])
        self.answer(options, {"deleted": count}, [f"Deleted {count}."])

    def _tell(self, options: Mapping[str, Any], prompt: Prompt, verb: str = "") -> None:
        record = prompt.as_json()
        shown = [f"{key}: {value}" for key, value in record.items() if value not in (None, "", [], {})]
        self.answer(options, record, [f"{verb} {prompt.pk}."] if verb else shown)


def _add_fields(parser: CommandParser, names: list[str]) -> None:
    for name in names:
        label = str(getattr(Prompt._meta.get_field(name), "verbose_name", name))
        parser.add_argument(f"--{name.replace('_', '-')}", dest=f"field_{name}", metavar="TEXT", help=label)
    parser.add_argument("--used", dest="field_used", choices=["yes", "no"], help="whether it has been posted")


def _given(options: Mapping[str, Any], data: dict[str, Any]) -> payload.Payload:
    """What was typed, over `data`, as form data. Raises `Invalid`."""
    typed = {name: options.get(f"field_{name}") for name in (*TEXTS, "used")}
    data = {**data, **{name: text for name, text in typed.items() if text is not None}}
    commands.check_texts(data)
    if "used" in data:
        data["used"] = data["used"] == "yes"
    return payload.Payload(data)
