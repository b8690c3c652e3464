"""Going through a file for everything worth mending: what `manage.py check_data` tells."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError

from . import disk, text
from .declared import Declaration, declaration
from .files import store_file
from .ids import identity
from .keys import MISSING, Row, pick
from .layout import Entry, layout
from .persist import blank, fill
from .reading import target_of
from .rows import Table
from .secret import named_variable, plain_paths
from .values import usable

MANY_RECORDS = 2_000
MANY_BYTES = 2_000_000


@dataclass(frozen=True)
class Finding:
    """One thing to mend; `record` is an id where it concerns one. Never holds a secret."""

    file: str
    code: str
    message: str
    record: str = ""
    is_error: bool = True


def check(name: str) -> list[Finding]:
    """Everything worth mending in a file, `[]` when it is well. Raises `NotFound`."""
    file = store_file(name)
    damage = file.damage()
    if damage is not None:
        return [Finding(name, "damaged", damage.problem().message)]
    target = target_of(file.path)
    if not target.exists():
        return []
    raw, declared = disk.read(target)[0].removeprefix(text.BOM), declaration(name)
    value, doubles = _parsed(raw)
    return [
        *(
            Finding(name, "double_key", f"“{key}” stands twice in one object; only the last counts.")
            for key in doubles
        ),
        *_size(name, raw, value),
        *_secrets(name, value, declared),
        *_secrets_in_backup(name, target, declared),
        *(_records(name, value, declared) if isinstance(value, list) else ()),
    ]


def _parsed(raw: bytes) -> tuple[Any, list[str]]:
    """The file as it stands, with the keys an ordinary reader would silently drop."""
    doubles: list[str] = []

    def noted(pairs: list[tuple[str, Any]]) -> Row:
        doubles.extend(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        return dict(pairs)

    return json.loads(raw, object_pairs_hook=noted), doubles


def _size(name: str, raw: bytes, value: Any) -> Iterator[Finding]:
    if isinstance(value, list) and len(value) > MANY_RECORDS:
        message = f"{len(value)} records; above {MANY_RECORDS} each change takes noticeably long."
        yield Finding(name, "many_records", message, is_error=False)
    if len(raw) > MANY_BYTES:
        message = (
            f"{len(raw) / 1e6:.1f} MB; above {MANY_BYTES / 1e6:.0f} MB each change takes noticeably long."
        )
        yield Finding(name, "large_file", message, is_error=False)


def _secrets(name: str, value: Any, declared: Declaration) -> Iterator[Finding]:
    for row in value if isinstance(value, list) else [value]:
        record = identity(row) or ""
        for key in _plain_keys(row, declared):
            yield Finding(
                name, "plain_secret", f"{key} is not encrypted yet; the next change encrypts it.", record
            )
        for path in sorted(declared.secrets):
            found = pick(row, path) if isinstance(row, dict) else MISSING
            if isinstance(found, str) and found.startswith("env:") and not named_variable(found):
                message = f"{'.'.join(path)} names a variable that may not be read."
                yield Finding(name, "refused_variable", message, record)


def _plain_keys(row: Any, declared: Declaration) -> list[str]:
    """The keys whose secrets the next change would seal."""
    found = {".".join(path) for path in plain_paths(row, declared.secrets)}
    if declared.sealer and isinstance(row, dict):
        found |= {key for key, value in declared.sealer(row).items() if value != row[key]}
    return sorted(found)


def _secrets_in_backup(name: str, target: Path, declared: Declaration) -> Iterator[Finding]:
    try:
        value = text.parse(
            disk.read(disk.beside(target, ".bak"))[0], list if declared.holds_records else dict
        )
    except (OSError, text.Unreadable):
        return
    rows = value if isinstance(value, list) else [value]
    if any(_plain_keys(row, declared) for row in rows):
        yield Finding(name, "plain_secret", f"{name}.bak holds a secret that is not encrypted.")


def _records(name: str, rows: list[Any], declared: Declaration) -> Iterator[Finding]:
    yield from _ids(name, rows, "")
    for key in declared.lists:
        for row in rows:
            inner = row.get(key) if isinstance(row, dict) else None
            if isinstance(inner, list):
                yield from _ids(name, inner, identity(row) or "")
            elif inner is not None:
                yield Finding(name, "no_list", f"“{key}” is not a list.", identity(row) or "")
    table = Table([row for row in rows if identity(row)], declared)
    for model in declared.models:
        for entry in layout(model).entries(table):
            yield from _invalid(name, model, entry)


def _ids(name: str, rows: list[Any], record: str) -> Iterator[Finding]:
    """Entries that are not seen, or under an id that is not written down yet."""
    for place, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            yield Finding(name, "no_object", f"Entry {place} is no object and is not shown.", record)
        elif identity(row) is None:
            message = f"Entry {place} has no id; the next change gives it one."
            yield Finding(name, "no_id", message, record, is_error=False)
    times = Counter(filter(None, map(identity, rows)))
    for double in (one for one, count in times.items() if count > 1):
        message = f"{times[double]} entries share the id {double}; only the first is shown."
        yield Finding(name, "double_id", message, record or double)


def _invalid(name: str, model: Any, entry: Entry) -> Iterator[Finding]:
    row, owner = entry
    record = identity(owner if owner is not None else row) or ""
    for column in layout(model).columns[1:]:
        raw = pick(row, column.path)
        if raw is not MISSING and not usable(column.field, raw):
            yield Finding(
                name, "unusable_value", f"{'.'.join(column.path)} can't be used as it stands.", record
            )
    for problem in _problems(fill(blank(model), entry)):
        yield Finding(name, "invalid_record", problem, record)


def _problems(instance: Any) -> list[str]:
    """What its own rules say against an instance. Messages name fields, and never repeat a secret."""
    cleaners: list[Callable[[], None]] = [instance.clean_fields, instance.clean]
    found: list[str] = []
    for clean in cleaners:
        try:
            clean()
        except ValidationError as error:
            for field, messages in getattr(error, "message_dict", {"": error.messages}).items():
                found.extend(f"{field}: {message}" if field else message for message in messages)
    return found
