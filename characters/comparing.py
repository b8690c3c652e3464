"""Two people saved one record: what each of them changed, for whoever came second to choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.forms import BoundField

from characters.models import SECRETS
from influencer.jsondb import seen
from influencer.jsondb.forms import RecordForm


@dataclass(frozen=True)
class Difference:
    """A field that the sender changed and that now holds something else."""

    label: str
    mine: str
    theirs: str


@dataclass(frozen=True)
class Comparison:
    """What stands against what.

    `differences` is to be chosen about; `theirs` names what only the other one changed, which stays
    either way. `inputs` carry the sender's changes on top of the record as it is now, under `digest`.
    A key typed is never sent back: `keys` are the fields to type it into again.
    """

    record: Any
    differences: list[Difference]
    theirs: list[str]
    inputs: list[tuple[str, str]]
    keys: list[BoundField]
    digest: str


def compare(form: RecordForm, record: Any) -> Comparison:
    """A valid form that came too late, against the record as it is by now."""
    fresh, sent = type(form)(instance=record), form.marks_sent()
    own = {name: seen.mark(form.cleaned_data[name]) for name in form.watched}
    now = {name: seen.mark(value) for name, value in form.shown(record).items()}
    mine = [name for name in own if own[name] != sent.get(name)]
    theirs = [name for name in now if now[name] != sent.get(name) and name not in mine]
    typed = [name for name in form.said if name in SECRETS and form.data.get(name)]
    carried = {name: form[name] if name in mine else fresh[name] for name in own}
    # A browser sends every field there is, also the empty ones of secrets and what stands in for them.
    carried |= {name: form[name] for name in form.fields if name not in own and name not in typed}
    return Comparison(
        record=record,
        differences=[_difference(form[name], fresh[name]) for name in mine if own[name] != now[name]],
        theirs=[str(form[name].label) for name in theirs],
        inputs=[(name, _sent(bound)) for name, bound in carried.items() if bound.value() is not False],
        keys=[fresh[name] for name in typed],
        digest=fresh.digest,
    )


def _difference(mine: BoundField, theirs: BoundField) -> Difference:
    return Difference(str(mine.label), _words(mine), _words(theirs))


def _words(bound: BoundField) -> str:
    """A value as a person reads it."""
    value = bound.value()
    return ("on" if value else "off") if isinstance(value, bool) else _sent(bound) or "nothing"


def _sent(bound: BoundField) -> str:
    """A value as a browser would send it."""
    value = bound.value()
    return "on" if value is True else "" if value is None else str(value)
