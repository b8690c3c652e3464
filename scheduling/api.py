"""`/api/scheduler`, as `docs/api.md` describes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from influencer.errors import Invalid
from influencer.jobs import services as jobs
from influencer.jobs.models import iso
from influencer.jsondb.values import read_moment
from influencer.web.endpoint import Answer, ApiRequest, endpoint
from scheduling import cron, hand, listing, payload, review, runs, services
from scheduling.hand import Started
from scheduling.models import Task

CLUSTER = "default"


def _replay(request: ApiRequest, subject: str) -> Answer:
    if request.json.get("action") == "add_task":
        return 201, {"task": _shown(services.get(subject))}
    return 202, _started(hand.started_in(subject))


@endpoint(methods=("GET", "POST"), idempotent=True, replay=_replay)
def scheduler(request: ApiRequest) -> Answer:
    if request.method != "POST":
        return _all()
    action = request.json.get("action")
    if not isinstance(action, str) or action not in ACTIONS:
        names = ", ".join(ACTIONS)
        raise Invalid(f"Say what to do: action may be {names}.", fields={"action": [f"One of {names}."]})
    return ACTIONS[action](request)


def _all() -> Answer:
    return {
        "tasks": [row.as_json() for row in listing.rows(Task.objects.all())],
        "missed": [{"taskId": row.task_id, "due": iso(row.due), "why": row.why} for row in runs.missed()],
        "review": [
            {"taskId": job.request.get("taskId"), "jobId": job.pk} for job in runs.waiting_for_review()
        ],
        "settings": listing.settings(),
        "heartbeat": listing.heartbeat(),
    }


def _add(request: ApiRequest) -> Answer:
    given = payload.read(request.json.get("task"))
    form = given.form()
    if not form.is_valid():
        raise payload.form_problem(form)
    task = services.add_task(form, extra=given.extra)
    request.bind(task.pk)
    return 201, {"task": _shown(task)}


def _update(request: ApiRequest) -> Answer:
    body = request.json.get("task")
    given = payload.read(body)
    task = services.get(_text(body, "id"))
    form = given.form(task)
    if not form.is_valid():
        raise payload.form_problem(form)
    changed = services.update_task(
        task.pk, form, still=given.is_current, extra=given.extra, config=given.config
    )
    return {"task": _shown(changed)}


def _toggle(request: ApiRequest) -> Answer:
    active = request.json.get("active")
    if active is not None and not isinstance(active, bool):
        raise Invalid("active must be true or false.", fields={"active": ["This must be true or false."]})
    return {"task": _shown(services.toggle_task(_text(request.json, "taskId"), active=active))}


def _delete(request: ApiRequest) -> Answer:
    services.delete_task(_text(request.json, "taskId"))
    return {}


def _run_now(request: ApiRequest) -> Answer:
    task_id = _text(request.json, "taskId") if request.json.get("taskId") is not None else ""
    jobs.require_worker(CLUSTER)
    started = hand.run_now(task_id, user_id=request.user.pk, bind=request.bind)
    return 202, _started(started)


def _run_missed(request: ApiRequest) -> Answer:
    jobs.require_worker(CLUSTER)
    task_id, due = _text(request.json, "taskId"), _due(request)
    return 202, _started([hand.run_missed(task_id, due, user_id=request.user.pk)])


def _skip_missed(request: ApiRequest) -> Answer:
    row = hand.skip_missed(_text(request.json, "taskId"), _due(request))
    return {"run": runs.with_jobs([row])[0].as_json()}


def _preview(request: ApiRequest) -> Answer:
    schedule, zone = _text(request.json, "schedule"), request.json.get("timezone") or ""
    count = request.json.get("count", 10)
    if not isinstance(zone, str):
        raise Invalid("timezone must be text.", fields={"timezone": ["This must be text."]})
    if not isinstance(count, int) or isinstance(count, bool):
        raise Invalid("count must be a number.", fields={"count": ["This must be a number."]})
    found = services.preview(schedule, zone, count)
    return {"next": [iso(due) for due in found], "description": cron.describe(schedule)}


def _history(request: ApiRequest) -> Answer:
    task_id = _text(request.json, "taskId")
    return {"history": [run.as_json() for run in runs.history(task_id)]}


def _approve(request: ApiRequest) -> Answer:
    words = {name: request.json.get(key) for key, name in (("caption", "caption"), ("altText", "alt_text"))}
    for name, text in words.items():
        if text is not None and not isinstance(text, str):
            raise Invalid(f"{name} must be text.", fields={name: ["This must be text."]})
    return {"job": review.approve(_text(request.json, "jobId"), **words).as_json()}


def _reject(request: ApiRequest) -> Answer:
    return {"job": review.reject(_text(request.json, "jobId")).as_json()}


ACTIONS: dict[str, Callable[[ApiRequest], Answer]] = {
    "add_task": _add,
    "update_task": _update,
    "toggle_task": _toggle,
    "delete_task": _delete,
    "run_now": _run_now,
    "run_missed": _run_missed,
    "skip_missed": _skip_missed,
    "preview": _preview,
    "history": _history,
    "approve": _approve,
    "reject": _reject,
}


def _started(started: list[Started]) -> dict[str, Any]:
    """Those with a job, and apart from them those that were left out, with the reason."""
    return {
        "runs": [one.as_json() for one in started if one.job_id],
        "leftOut": [one.as_json() for one in started if not one.job_id],
    }


def _shown(task: Task) -> dict[str, Any]:
    return listing.rows([task])[0].as_json()


def _text(body: Any, key: str) -> str:
    value = body.get(key) if isinstance(body, dict) else None
    if not isinstance(value, str) or not value:
        raise Invalid(f"{key} is missing.", fields={key: ["This is required."]})
    return value


def _due(request: ApiRequest) -> datetime:
    try:
        found = read_moment(request.json.get("due"))
    except (TypeError, ValueError, OverflowError, OSError):
        found = None
    if found is None:
        raise Invalid("due must be a time as the API gives it.", fields={"due": ["This must be a time."]})
    return found
