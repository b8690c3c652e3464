"""The configuration that counts right now: the environment wins, then `settings.json`, then the default.

Every process sees a change at its next look: the file is read again when it has changed, never otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings

from influencer import jsondb, vault
from influencer.clients import addresses
from influencer.config import SETTABLE, Config, ConfigError, Reader, Settable
from influencer.errors import Problem
from influencer.jsondb.keys import Row, camel_case

FILE = "settings.json"
# When each secret was set, by its key.
SET_AT = "setAt"
KEYS: Mapping[str, str] = {name: camel_case(name) for name in SETTABLE}


@dataclass(frozen=True)
class Now:
    """The configuration, and by key what in the file can't be used and counts as unset."""

    config: Config
    faults: Mapping[str, str] = field(default_factory=dict)


def config() -> Config:
    """What to go by. Costs a look at the file's time of change."""
    return look().config


def faults() -> list[str]:
    """A sentence for each value in the file that can't be used."""
    return list(look().faults.values())


def locked(name: str) -> str:
    """The variable that fixes this field, empty when none does."""
    return SETTABLE[name].variable if name in settings.INFLUENCER.fixed else ""


def look() -> Now:
    """The configuration with the faults. A file nobody can read leaves the environment's."""
    base: Config = settings.INFLUENCER
    try:
        content = SETTINGS.file.content()
    except (Problem, OSError):
        return Now(base)
    seen = _last.get("seen")
    if seen is None or seen.base is not base or seen.content is not content:
        seen = _last["seen"] = _Seen(base, content, _merged(base, content))
    return seen.now


def stored() -> Row:
    """A copy of the document; empty when nobody can read it."""
    try:
        return SETTINGS.read()
    except (Problem, OSError):
        return {}


def value_of(name: str, stored: Any, *, label: str = "") -> Any:
    """The value of a field as it stands in the file, None when it is unset.

    What is wrong is said of the `label`, else of the key. Raises `ConfigError`, and `Unavailable`
    (`wrong_key`) for a secret sealed with another key.
    """
    known, key = SETTABLE[name], label or KEYS[name]
    text = text_of(name, stored)
    if not text:
        return None
    value = known.read(Reader({key: text}), key)
    for url in _urls(known, value):
        if fault := addresses.shape_fault(url, login=known.login):
            raise ConfigError(f"{key} can't be used. {fault}")
    return value


def text_of(name: str, stored: Any) -> str:
    """A stored value as its variable would say it. Raises as `value_of` does."""
    stored, takes = _unsealed(stored), SETTABLE[name].takes
    if stored is None or isinstance(stored, str):
        return (stored or "").strip()
    if takes is tuple and isinstance(stored, list) and all(isinstance(one, str) for one in stored):
        return ",".join(stored)
    if takes is dict and isinstance(stored, dict):
        return json.dumps(stored) if stored else ""
    if takes is int and type(stored) is int:
        return str(stored)
    raise ConfigError(f"{KEYS[name]} holds something of another kind than it should.")


def sealed(row: Row) -> Row:
    """The document with its secrets sealed; the very same when there is nothing to do."""
    changes = {}
    for name, known in SETTABLE.items():
        value = row.get(KEYS[name])
        if value and (new := _sealed(known, value)) != value:
            changes[KEYS[name]] = new
    return {**row, **changes} if changes else row


@dataclass(frozen=True)
class _Seen:
    base: Config
    content: Row
    now: Now


_last: dict[str, _Seen] = {}


def _merged(base: Config, content: Row) -> Now:
    values, unusable = {}, {}
    for name, key in KEYS.items():
        if key not in content or name in base.fixed:
            continue
        try:
            value = value_of(name, content[key])
        except ConfigError as error:
            unusable[key] = f"{FILE}: {error}"
        except Problem as problem:
            unusable[key] = f"{FILE}: {key} can't be opened. {problem.message}"
        else:
            if value is not None:
                values[name] = value
    return Now(replace(base, **values), unusable)


def _urls(known: Settable, value: Any) -> tuple[str, ...]:
    if not known.address:
        return ()
    return value if isinstance(value, tuple) else (value,)


def _unsealed(stored: Any) -> Any:
    if isinstance(stored, str):
        return vault.unseal(stored)
    if isinstance(stored, list):
        return [_unsealed(one) for one in stored]
    return stored


def _sealed(known: Settable, value: Any) -> Any:
    if known.secret:
        return vault.seal(value if isinstance(value, str) else json.dumps(value))
    if known.address and isinstance(value, list):
        return [_sealed(known, one) for one in value]
    hides = known.address and isinstance(value, str) and addresses.holds_secret(value)
    return vault.seal(value) if hides else value


SETTINGS = jsondb.Document(FILE, sealer=sealed)
