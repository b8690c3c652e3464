"""`/api/jobs`: queue and history in one shape."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from influencer.sandbox.comfyui.queue import Item
from influencer.sandbox.comfyui.routes import CANONICAL_UUID, json_object
from influencer.sandbox.comfyui.server import Comfy

STATES = ("pending", "in_progress", "completed", "failed", "cancelled")
Job = dict[str, Any]


class JobRoutes:
    """Handlers of one stand-in; these routes exist only under `/api`."""

    def __init__(self, comfy: Comfy) -> None:
        self.comfy = comfy

    def table(self) -> list[tuple[str, str, Any]]:
        return [
            ("GET", "/jobs", self.jobs),
            ("GET", "/jobs/{job_id}", self.job),
            ("POST", "/jobs/{job_id}/cancel", self.cancel),
            ("POST", "/jobs/cancel", self.cancel_several),
        ]

    async def jobs(self, request: web.Request) -> web.Response:
        query = request.query
        states = [state for state in query.get("status", "").split(",") if state]
        if wrong := [state for state in states if state not in STATES]:
            message = f"Invalid status value(s): {', '.join(wrong)}. Valid values: {', '.join(STATES)}"
            return web.json_response({"error": message}, status=400)
        found = [job for job in self._all() if not states or job["status"] in states]
        if workflow := query.get("workflow_id"):
            found = [job for job in found if job.get("workflow_id") == workflow]
        key = _duration if query.get("sort_by") == "execution_duration" else _created
        found.sort(key=key, reverse=query.get("sort_order", "desc") != "asc")
        return web.json_response(_page(found, query.get("limit"), query.get("offset", "0")))

    async def job(self, request: web.Request) -> web.Response:
        job_id = request.match_info["job_id"]
        if job_id in self.comfy.queue.history:
            return web.json_response(_full(self.comfy.queue.history[job_id]))
        found = next((job for job in self._all() if job["id"] == job_id), None)
        return (
            web.json_response(found) if found else web.json_response({"error": "Job not found"}, status=404)
        )

    async def cancel(self, request: web.Request) -> web.Response:
        return web.json_response({"cancelled": self._cancel(request.match_info["job_id"])})

    async def cancel_several(self, request: web.Request) -> web.Response:
        ids = (await json_object(request)).get("job_ids")
        if not isinstance(ids, list):
            return web.json_response({"error": "job_ids must be a list"}, status=400)
        if wrong := [one for one in ids if not isinstance(one, str) or not CANONICAL_UUID.fullmatch(one)]:
            answer = {"error": "job_ids contains invalid id(s)", "invalid_ids": wrong}
            return web.json_response(answer, status=400)
        cancelled = [self._cancel(one) for one in ids]
        return web.json_response({"cancelled": any(cancelled)})

    def _cancel(self, job_id: str) -> bool:
        """Whichever state it is in: running is interrupted, pending taken out."""
        if self.comfy.worker.interrupt(job_id):
            return True
        if self.comfy.queue.delete(job_id):
            self.comfy.hub.send_status()
            return True
        return False

    def _all(self) -> list[Job]:
        queue = self.comfy.queue
        running = [_waiting(queue.running, "in_progress")] if queue.running else []
        pending = [_waiting(item, "pending") for item in queue.pending]
        return [*pending, *running, *(_finished(entry) for entry in queue.history.values())]


def _page(found: list[Job], limit: str | None, offset: str) -> dict[str, Any]:
    start = int(offset) if offset.isdecimal() else 0
    count = int(limit) if limit and limit.isdecimal() else None
    shown = found[start:] if count is None else found[start : start + count]
    more = start + len(shown) < len(found)
    pagination = {"offset": start, "limit": count, "total": len(found), "has_more": more}
    return {"jobs": shown, "pagination": pagination}


def _waiting(item: Item, status: str) -> Job:
    return {**_head(item.prompt_id, status, item.number, item.extra), "outputs_count": 0}


def _head(job_id: str, status: str, number: float, extra: dict[str, Any]) -> Job:
    workflow = ((extra.get("extra_pnginfo") or {}).get("workflow") or {}).get("id")
    head = {"id": job_id, "status": status, "priority": number, "create_time": extra.get("create_time")}
    return {**head, "workflow_id": workflow} if workflow else head


def _finished(entry: dict[str, Any]) -> Job:
    number, job_id, _graph, extra, _outputs = entry["prompt"]
    messages = dict(entry["status"]["messages"])
    times = [message["timestamp"] for message in messages.values()]
    files = [
        {**file, "nodeId": node, "mediaType": "images"}
        for node, output in entry["outputs"].items()
        for file in output.get("images", [])
    ]
    job = _head(job_id, _state(entry, messages), number, extra)
    if times:
        job |= {"execution_start_time": min(times), "execution_end_time": max(times)}
    kept = [file for file in files if file["type"] == "output"] or files
    return {**job, "outputs_count": len(files), **({"preview_output": kept[0]} if kept else {})}


def _state(entry: dict[str, Any], messages: dict[str, Any]) -> str:
    if entry["status"]["completed"]:
        return "completed"
    return "cancelled" if "execution_interrupted" in messages else "failed"


def _full(entry: dict[str, Any]) -> Job:
    _number, _id, graph, extra, _outputs = entry["prompt"]
    messages = dict(entry["status"]["messages"])
    job = {
        **_finished(entry),
        "outputs": entry["outputs"],
        "execution_status": entry["status"],
        "workflow": {"prompt": graph, "extra_data": extra},
    }
    if "execution_error" in messages:
        job["execution_error"] = messages["execution_error"]
    return job


def _created(job: Job) -> float:
    return float(job["create_time"] or 0)


def _duration(job: Job) -> float:
    return float(job.get("execution_end_time", 0) - job.get("execution_start_time", 0))
