"""`/api/characters` and `/api/models`, as `docs/api.md` describes them."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator

from characters import catalog, payload, services
from characters.models import Character
from influencer.errors import Conflict, Invalid
from influencer.web.endpoint import Answer, ApiRequest, endpoint

LARGEST_PAGE = 500


@endpoint(methods=("GET", "POST", "PUT", "DELETE"), idempotent=True)
def characters(request: ApiRequest) -> Answer:
    return {"GET": _list, "HEAD": _list, "POST": _add, "PUT": _change, "DELETE": _delete}[request.method](
        request
    )


@endpoint(methods=("GET",))
def models(request: ApiRequest) -> Answer:
    found, source = catalog.ask(fresh=request.GET.get("show") == "all")
    return {**found.as_json(), "source": source}


def _list(request: ApiRequest) -> Answer:
    if pk := request.GET.get("id"):
        return {"characters": [services.get(pk).as_json()], "total": 1}
    show = {"true": "active", "false": "paused"}.get(request.GET.get("active", ""), "")
    found = services.search(q=request.GET.get("q", ""), show=show, sort="created_at")
    total = found.count()
    if "page" in request.GET or "pageSize" in request.GET:
        size = min(max(_number(request, "pageSize", 50), 1), LARGEST_PAGE)
        found = Paginator(found, size).get_page(_number(request, "page", 1)).object_list
    return {"characters": [character.as_json() for character in found], "total": total}


def _add(request: ApiRequest) -> Answer:
    given = payload.read(request.json)
    form = given.form()
    if not form.is_valid():
        raise payload.form_problem(form)
    character = services.create(form, extra=given.extra, chapters=given.story_maker())
    request.bind(character.pk)
    return 201, {"character": character.as_json()}


def _change(request: ApiRequest) -> Answer:
    character = services.get(_id(request.json.get("id")))
    _refuse_stale(character, request.json.get("updatedAt"))
    given = payload.read(request.json)
    form = given.form(character)
    if not form.is_valid():
        raise payload.form_problem(form)
    digest = character.digest if request.json.get("updatedAt") else ""
    changed = services.update(
        character.pk, form, digest=digest, extra=given.extra, chapters=given.story_maker()
    )
    return {"character": changed.as_json()}


def _delete(request: ApiRequest) -> Answer:
    services.delete(_id(request.GET.get("id") or request.json.get("id")))
    return {}


def _refuse_stale(character: Character, seen: Any) -> None:
    if seen and seen != character.as_json()["updatedAt"]:
        raise Conflict(
            f"Someone saved {character.name} while you were editing. Compare both and choose.",
            code="changed_since",
            details={"current": character.as_json()},
        )


def _id(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise Invalid("Say which character: id is missing.", fields={"id": ["This is required."]})
    return value


def _number(request: ApiRequest, name: str, default: int) -> int:
    text = request.GET.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Invalid(f"{name} must be a number.", fields={name: ["This must be a number."]})
    return int(text)
