"""`/api/characters` and `/api/models`, as `docs/api.md` describes them."""

from __future__ import annotations

from typing import Any

from characters import catalog, panels, payload, services
from influencer.errors import Invalid
from influencer.web import paging
from influencer.web.endpoint import Answer, ApiRequest, endpoint

SHOW = {"": "", "true": "active", "false": "paused"}


def _added(request: ApiRequest, pk: str) -> Answer:
    return 201, {"character": services.get(pk).as_json()}


@endpoint(methods=("GET", "POST", "PUT", "DELETE"), idempotent=True, replay=_added)
def characters(request: ApiRequest) -> Answer:
    verbs = {"GET": _list, "HEAD": _list, "POST": _add, "PUT": _change, "DELETE": _delete}
    return verbs[request.method](request)


@endpoint(methods=("GET",))
def models(request: ApiRequest) -> Answer:
    found, source = catalog.ask(fresh=request.GET.get("show") == "all")
    shown, owners = found.as_json(), panels.lora_owners()
    for lora in shown["loras"]:
        if lora["name"] in owners:
            lora["characterId"] = owners[lora["name"]]
    return {**shown, "source": source}


def _list(request: ApiRequest) -> Answer:
    if pk := request.GET.get("id"):
        return {"characters": [services.get(pk).as_json()], "total": 1}
    show = request.GET.get("active", "")
    if show not in SHOW:
        raise Invalid("active may be true or false.", fields={"active": ["This must be true or false."]})
    found = services.search(q=request.GET.get("q", ""), show=SHOW[show], sort="created_at")
    total = found.count()
    if paging.is_paged(request):
        found = paging.page_of(request, found)
    return {"characters": [character.as_json() for character in found], "total": total}


def _add(request: ApiRequest) -> Answer:
    given = payload.read(request.json)
    form = given.form()
    if not form.is_valid():
        raise payload.form_problem(form)
    character = services.create(form, given.beside)
    request.bind(character.pk)
    return _added(request, character.pk)


def _change(request: ApiRequest) -> Answer:
    character = services.get(_id(request.json.get("id")))
    given = payload.read(request.json)
    form = given.form(character)
    if not form.is_valid():
        raise payload.form_problem(form)
    changed = services.update(character.pk, form, still=given.is_current, beside=given.beside)
    return {"character": changed.as_json()}


def _delete(request: ApiRequest) -> Answer:
    services.delete(_id(request.GET.get("id") or request.json.get("id")))
    return {}


def _id(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise Invalid("Say which character: id is missing.", fields={"id": ["This is required."]})
    return value
