"""Where a training runs: a server that has the base model and the nodes for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from characters import catalog
from characters.catalog import Catalog
from characters.images.planning import Place
from characters.models import Character
from influencer import endpoints
from influencer.clients.comfyui import ComfyUI, Family, detect, trainable, training, training_defaults
from influencer.clients.errors import ServiceError
from influencer.endpoints import Endpoint
from influencer.errors import Problem

CHECKPOINT = "checkpoint"
LONG_QUEUE = 10_000
LIKED = (Family.SDXL, Family.FLUX1, Family.SD15)


class Entry(Protocol):
    """A model of the catalogue."""

    @property
    def name(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def kind(self) -> str: ...


@dataclass(frozen=True)
class Base:
    """A model to train on: the server's name for it, its family, how it lies there."""

    name: str
    family: Family
    kind: str = CHECKPOINT


def bases(listed: Catalog) -> list[Base]:
    """The models of the last answer a LoRA can be trained for, the usual choice first."""
    found = [_base(model) for model in listed.models if not model.lost]
    usable = [base for base in found if base is not None and _fits(base)]
    return sorted(usable, key=lambda base: (base.kind != CHECKPOINT, LIKED.index(base.family), base.name))


def words(base: Base) -> str:
    """How a model is offered: its name and its family."""
    return f"{PurePosixPath(base.name).stem} · {base.family.label}"


def why_nothing() -> str:
    """Why no model can be trained on, by the last answer of the servers."""
    listed, _ = catalog.ask()
    if silent := [server for server in listed.servers if not server.ok]:
        return f"No model to train on: {silent[0].error}"
    usable = ", ".join(sorted(family.label for family in trainable()))
    return (
        f"No server has a model that can be trained on. Put one of {usable} there, then refresh the models."
    )


def base_for(character: Character, name: str = "") -> Base | None:
    """The model asked for, else the character's own, else the first that can be trained on.

    A model no server answers for just now is known from earlier or judged by its name. None
    when the family of the model asked for is unknown or can't be trained, or there is no model.
    """
    listed, _ = catalog.ask()
    wanted = name or _own(character, listed)
    if not wanted:
        return next(iter(bases(listed)), None)
    known = next((model for model in listed.models if model.name == wanted), None)
    if known is not None:
        return _base(known)
    family = detect(wanted)
    return Base(wanted, family) if family in trainable() else None


def own_family(character: Character) -> Family | None:
    """The family of the character's model by the last answer of the servers, else by its name."""
    known = catalog.known(character).model
    return (_family(known) if known else None) or detect(str(character.preferred_model))


def choose(base_model: str) -> Place:
    """The server with the model, the nodes for training and the shortest queue; all are asked now.

    Raises `ServiceError` (`unreachable`, `model_missing`, `training_unavailable`), `Invalid`
    (`family_unsupported`).
    """
    listed = catalog.refresh()
    _require_answers(listed)
    entry = next((model for model in listed.models if model.name == base_model and not model.lost), None)
    servers = listed.servers_with(base_model)
    if entry is None or not servers:
        raise _no_model(base_model)
    family = _family(entry) or detect(base_model)
    training_defaults(family)
    return Place(_best(servers), listed.sandbox, base_model, str(family), entry.kind)


def _best(servers: list[str]) -> str:
    """Of the servers that can train the one with the least to do. Raises `ServiceError`."""
    able: list[tuple[int, str]] = []
    trouble: Problem | None = None
    for place in endpoints.comfyui():
        shown = catalog.shown(place.url)
        if shown not in servers:
            continue
        try:
            able.append((_load(place, shown), shown))
        except Problem as problem:
            trouble = trouble or problem
    if able:
        return min(able, key=lambda one: one[0])[1]
    raise trouble or _no_model("")


def _load(place: Endpoint, shown: str) -> int:
    """How many prompts a server has to do. Raises `ServiceError` when it can't train."""
    with ComfyUI(place.url, headers=place.headers) as client:
        if missing := training.missing_nodes(client):
            raise training.unavailable(shown, missing)
        queue = client.queue()
        return len(queue.running) + len(queue.pending)


def _require_answers(listed: Catalog) -> None:
    if any(server.ok for server in listed.servers):
        return
    said = listed.servers[0].error if listed.servers else "There is no ComfyUI server."
    raise ServiceError(
        said, service="ComfyUI", code="unreachable", fix="Start ComfyUI, then retry.", retryable=True
    )


def _no_model(name: str) -> ServiceError:
    return ServiceError(
        f"The model '{name}' is not on any server that answers.",
        service="ComfyUI",
        code="model_missing",
        fix="Refresh models or choose another.",
    )


def _own(character: Character, listed: Catalog) -> str:
    """The character's model, where it can be trained on."""
    name = str(character.preferred_model)
    known = next((model for model in listed.models if model.name == name), None)
    base = _base(known) if known else None
    return name if base and _fits(base) else ""


def _base(model: Entry) -> Base | None:
    family = _family(model) or detect(model.name)
    return Base(model.name, family, model.kind) if family in trainable() else None


def _fits(base: Base) -> bool:
    return base.kind == CHECKPOINT or base.family is Family.FLUX1


def _family(model: Entry) -> Family | None:
    return next((family for family in Family if family.label == model.family), None)
