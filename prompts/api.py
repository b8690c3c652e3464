"""`/api/prompts`, as `docs/api.md` describes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from characters import services as characters
from influencer.errors import Invalid
from influencer.jobs import services as jobs
from influencer.web import paging
from influencer.web.endpoint import Answer, ApiRequest, endpoint
from prompts import claiming, payload, services, writing

USED = {"": "", "true": "yes", "false": "no"}


def _replay(request: ApiRequest, subject: str) -> Answer:
    """What an action made, told again: a job's id or a new prompt."""
    if request.json.get("action") == "generate":
        return 202, {"jobId": subject}
    return 201, {"prompt": services.get(subject).as_json()}


@endpoint(methods=("GET", "POST"), idempotent=True, replay=_replay)
def prompts(request: ApiRequest) -> Answer:
    if request.method != "POST":
        return _list(request)
    action = request.json.get("action")
    if not isinstance(action, str) or action not in ACTIONS:
        names = ", ".join(ACTIONS)
        raise Invalid(f"Say what to do: action may be {names}.", fields={"action": [f"One of {names}."]})
    return ACTIONS[action](request)


def _list(request: ApiRequest) -> Answer:
    given = request.GET
    used = given.get("used", "")
    if used not in USED:
        raise Invalid("used may be true or false.", fields={"used": ["This must be true or false."]})
    found = services.search(q=given.get("q", ""), character=given.get("characterId", ""), used=USED[used])
    total = found.count()
    if paging.is_paged(request):
        found = paging.page_of(request, found)
    return {"prompts": [prompt.as_json() for prompt in found], "total": total}


def _add(request: ApiRequest) -> Answer:
    given = payload.read(request.json.get("prompt"))
    form = given.form()
    if not form.is_valid():
        raise payload.form_problem(form)
    prompt = services.create(form, extra=given.extra)
    request.bind(prompt.pk)
    return _replay(request, prompt.pk)


def _update(request: ApiRequest) -> Answer:
    body = request.json.get("prompt")
    given = payload.read(body)
    prompt = services.get(_id(body, "id"))
    form = given.form(prompt)
    if not form.is_valid():
        raise payload.form_problem(form)
    changed = services.update(prompt.pk, form, still=given.is_current, extra=given.extra)
    return {"prompt": changed.as_json()}


def _use(request: ApiRequest) -> Answer:
    return {"prompt": claiming.mark_used(services.get(_id(request.json, "promptId")).pk).as_json()}


def _delete(request: ApiRequest) -> Answer:
    services.delete(_id(request.json, "promptId"))
    return {}


def _bulk_delete(request: ApiRequest) -> Answer:
    pks = request.json.get("promptIds")
    if not isinstance(pks, list) or not all(isinstance(pk, str) for pk in pks):
        message = "This must be a list of ids."
        raise Invalid("Say which prompts: promptIds is a list of ids.", fields={"promptIds": [message]})
    return {"deleted": services.delete_many(pks)}


def _generate(request: ApiRequest) -> Answer:
    body = request.json
    character_id, narrative = body.get("characterId"), body.get("narrativeId")
    if not isinstance(character_id, str) or not character_id:
        raise Invalid("Say which character: characterId is missing.", fields={"characterId": ["Required."]})
    if not isinstance(narrative, str | None):
        raise Invalid("narrativeId must be text.", fields={"narrativeId": ["This must be text."]})
    wish = body.get("wish")
    character = characters.get(character_id)
    jobs.require_worker("default")
    job = writing.start(
        character,
        count=body.get("count", 1),
        narrative=narrative or "",
        wish=wish if isinstance(wish, str) else "",
        user_id=request.user.pk,
    )
    request.bind(job.pk)
    return 202, {"jobId": job.pk}


ACTIONS: dict[str, Callable[[ApiRequest], Answer]] = {
    "add_prompt": _add,
    "update_prompt": _update,
    "use_prompt": _use,
    "delete_prompt": _delete,
    "bulk_delete": _bulk_delete,
    "generate": _generate,
}


def _id(body: Any, key: str) -> str:
    value = body.get(key) if isinstance(body, dict) else None
    if not isinstance(value, str) or not value:
        raise Invalid(f"Say which prompt: {key} is missing.", fields={key: ["This is required."]})
    return value
