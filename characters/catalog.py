"""What can be chosen on the ComfyUI servers: models, LoRAs, samplers, schedulers."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import orjson

from characters.models import Character
from influencer import endpoints, paths
from influencer.clients.comfyui import ComfyUI, Family, ModelList
from influencer.endpoints import Endpoint
from influencer.errors import Problem

FRESH_SECONDS = 60
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Server:
    """One server and whether it answered."""

    url: str
    ok: bool
    version: str = ""
    error: str = ""


@dataclass(frozen=True)
class Listed:
    """A file by the server's name for it, its family ("SDXL", "" when unknown), who has it.

    `kind` is checkpoint, diffusion or lora. One that no server lists any more is `lost`, and
    `was_on` says where it was.
    """

    name: str
    family: str
    kind: str
    servers: list[str] = field(default_factory=list)
    lost: bool = False
    was_on: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Catalog:
    """Everything to choose from, as of `asked_at` (epoch seconds, 0 = never asked).

    What no server lists any more is told once as `lost`. It stays so while its server is silent or
    a character is set to use it.
    """

    models: list[Listed] = field(default_factory=list)
    loras: list[Listed] = field(default_factory=list)
    samplers: list[str] = field(default_factory=list)
    schedulers: list[str] = field(default_factory=list)
    servers: list[Server] = field(default_factory=list)
    sandbox: bool = False
    asked_at: float = 0.0

    @property
    def is_fresh(self) -> bool:
        return time.time() - self.asked_at <= FRESH_SECONDS

    def servers_with(self, model: str, lora: str = "") -> list[str]:
        """The addresses that have the model, and the LoRA when one is named."""
        places = {
            url for entry in self.models if entry.name == model and not entry.lost for url in entry.servers
        }
        if lora:
            places &= {url for entry in self.loras if entry.name == lora for url in entry.servers}
        return [server.url for server in self.servers if server.url in places and server.ok]

    def as_json(self) -> dict[str, Any]:
        """The body of `GET /api/models`, without `source`."""
        return {
            "models": [
                {"name": m.name, "family": m.family, "kind": m.kind, "servers": m.servers, "lost": m.lost}
                for m in self.models
            ],
            "loras": [
                {"name": entry.name, "family": entry.family, "lost": entry.lost} for entry in self.loras
            ],
            "samplers": self.samplers,
            "schedulers": self.schedulers,
            "servers": [asdict(server) for server in self.servers],
        }


Source = Literal["live", "cache", "sandbox"]


def ask(*, fresh: bool = False) -> tuple[Catalog, Source]:
    """The catalogue, at most 60 s old; `fresh` asks every server now.

    Raises `Unavailable` when no server is configured and the sandbox is off.
    """
    kept = _read()
    if kept.is_fresh and not fresh and _same_servers(kept):
        return kept, "sandbox" if kept.sandbox else "cache"
    found = refresh()
    return found, "sandbox" if found.sandbox else "live"


def refresh() -> Catalog:
    """Ask every server in parallel and keep the answer. One that fails is named in `servers`."""
    places = endpoints.comfyui()
    with ThreadPoolExecutor(max_workers=min(8, len(places))) as pool:
        answers = list(pool.map(_ask_one, places))
    found = _merge(answers, before=_read(), sandbox=all(place.sandbox for place in places))
    _write(found)
    return found


@dataclass(frozen=True)
class Choices(Catalog):
    """What a form offers, without asking anyone: the last answer, seen for one character.

    `model` is what is known of the character's own.
    """

    model: Listed | None = None
    lacks_model: bool = False


def known(character: Character) -> Choices:
    """The last known catalogue for a form; empty before the first refresh."""
    kept, wanted = _read(), character.preferred_model
    model = next((model for model in kept.models if model.name == wanted), None)
    there = any(not model.lost for model in kept.models)
    lacking = bool(wanted and there and (model is None or model.lost))
    return Choices(**vars(kept), model=model, lacks_model=lacking)


def lost_models() -> set[str]:
    """The models that were there once and that no server lists now."""
    return {model.name for model in _read().models if model.lost}


def summary(found: Catalog) -> tuple[str, Literal["ok", "warn", "bad"]]:
    """One sentence about a refresh, and how good the news is."""
    silent = [server.url for server in found.servers if not server.ok]
    if len(silent) == len(found.servers):
        return f"No ComfyUI server answered. {found.servers[0].error}", "bad"
    models, loras = ([one for one in files if not one.lost] for files in (found.models, found.loras))
    sentence = (
        f"{_count(len(models), 'model')} and {_count(len(loras), 'LoRA')} "
        f"on {_count(len(found.servers) - len(silent), 'server')}."
    )
    if silent:
        return f"{sentence} No answer from {' and '.join(silent)}.", "warn"
    gone = [one.name for one in (*found.models, *found.loras) if one.lost]
    if gone:
        more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""
        return f"{sentence} No longer there: {', '.join(gone[:3])}{more}.", "warn"
    return sentence, "ok"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


@dataclass(frozen=True)
class _Answer:
    server: Server
    listed: ModelList


def _ask_one(place: Endpoint) -> _Answer:
    try:
        with ComfyUI(place.url, headers=place.headers) as client:
            version = client.system_stats().version
            return _Answer(Server(shown(place.url), True, version), client.models())
    except Problem as problem:
        return _Answer(Server(shown(place.url), False, error=problem.message), ModelList())


def shown(url: str) -> str:
    """An address without the password or token in it."""
    scheme, _, rest = url.partition("?")[0].partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _merge(answers: list[_Answer], *, before: Catalog, sandbox: bool) -> Catalog:
    models: dict[str, Listed] = {}
    loras: dict[str, Listed] = {}
    for answer in answers:
        for file in answer.listed.models:
            _note(models, Listed(file.name, _label(file.family), str(file.kind)), answer.server)
        for lora in answer.listed.loras:
            _note(loras, Listed(lora.name, _label(lora.family), "lora"), answer.server)
    if before.sandbox == sandbox:
        silent = {answer.server.url for answer in answers if not answer.server.ok}
        _keep_lost(models, before.models, silent=silent, used=_in_use("preferred_model"))
        _keep_lost(loras, before.loras, silent=silent, used=_in_use("lora"))
    return Catalog(
        models=sorted(models.values(), key=lambda model: (model.lost, model.name)),
        loras=sorted(loras.values(), key=lambda lora: (lora.lost, lora.name)),
        samplers=_union(answer.listed.samplers for answer in answers) or before.samplers,
        schedulers=_union(answer.listed.schedulers for answer in answers) or before.schedulers,
        servers=[answer.server for answer in answers],
        sandbox=sandbox,
        asked_at=time.time(),
    )


def _label(family: Family | None) -> str:
    return family.label if family else ""


def _note(files: dict[str, Listed], file: Listed, server: Server) -> None:
    files.setdefault(file.name, file).servers.append(server.url)


def _keep_lost(files: dict[str, Listed], before: list[Listed], *, silent: set[str], used: set[str]) -> None:
    """Add what was listed before and is not now. Told once and used by nobody, it is forgotten."""
    for old in before:
        places = old.was_on if old.lost else old.servers
        if old.name not in files and (not old.lost or old.name in used or silent & set(places)):
            files[old.name] = replace(old, servers=[], lost=True, was_on=places)


def _in_use(name: str) -> set[str]:
    return set(Character.objects.values_list(name, flat=True))


def _union(lists: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(name for names in lists for name in names))


def _same_servers(kept: Catalog) -> bool:
    return [server.url for server in kept.servers] == [shown(place.url) for place in endpoints.comfyui()]


def _file() -> Path:
    return paths.run() / "models.json"


def _read() -> Catalog:
    """The kept answer. It is only a memory: one that can't be read counts as none."""
    try:
        kept = orjson.loads(_file().read_bytes())
        return Catalog(
            **kept
            | {
                "models": [Listed(**model) for model in kept["models"]],
                "loras": [Listed(**lora) for lora in kept["loras"]],
                "servers": [Server(**server) for server in kept["servers"]],
            }
        )
    except (OSError, ValueError, TypeError, KeyError):
        return Catalog()


def _write(found: Catalog) -> None:
    draft = _file().with_suffix(f".{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(orjson.dumps(asdict(found)))
        draft.replace(_file())
    except OSError as error:
        log.warning("The model list could not be kept: %s", error)
