"""ComfyUI: each server's version, devices, queue and answer time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from characters import catalog
from influencer import endpoints
from influencer.clients.comfyui import ComfyUI, Device, Timeouts
from influencer.endpoints import Endpoint
from influencer.errors import Problem
from monitoring.crew import Crew
from monitoring.report import Finding, State

SECONDS = 2.2
TIMEOUTS = Timeouts(connect=2.0, read=2.0)

_crew: Crew[dict[str, Any]] = Crew("comfyui")


def check(fresh: bool) -> Finding:
    """Asks every server at once. Raises `Unavailable` when there is none to ask."""
    places = endpoints.comfyui()
    return _finding(ask(places), sandbox=places[0].sandbox)


def ask(places: Sequence[Endpoint], crew: Crew[dict[str, Any]] = _crew) -> list[dict[str, Any]]:
    """What each server says of itself, or what is wrong with it, within 2.2 s. Holds no secret."""
    names = [f"{number} {catalog.shown(place.url)}" for number, place in enumerate(places)]
    calls = {name: partial(_ask, place) for name, place in zip(names, places, strict=True)}
    found = crew.run(calls, SECONDS)
    return [found.get(name) or _silent(place) for name, place in zip(names, places, strict=True)]


def _ask(place: Endpoint) -> dict[str, Any]:
    began = time.monotonic()
    try:
        with ComfyUI(place.url, headers=place.headers, timeouts=TIMEOUTS) as client:
            stats = client.system_stats()
            took = round((time.monotonic() - began) * 1000)
            queue = client.queue()
    except Problem as problem:
        return _facts(place, State.DOWN, error=problem.sentence)
    return _facts(
        place,
        State.SANDBOX if place.sandbox else State.OK,
        version=stats.version,
        devices=[_device(device) for device in stats.devices],
        queue={"running": len(queue.running), "pending": len(queue.pending)},
        answerMs=took,
    )


def _silent(place: Endpoint) -> dict[str, Any]:
    error = f"{catalog.shown(place.url)} did not answer in {SECONDS:g} s. Check whether ComfyUI runs there."
    return _facts(place, State.DOWN, error=error)


def _facts(place: Endpoint, state: State, **facts: Any) -> dict[str, Any]:
    return {"url": catalog.shown(place.url), "state": str(state), **facts}


def _device(device: Device) -> dict[str, Any]:
    return {
        "name": device.name,
        "type": device.type,
        "vramTotal": device.vram_total,
        "vramFree": device.vram_free,
    }


def _finding(servers: Sequence[dict[str, Any]], *, sandbox: bool) -> Finding:
    silent = [server for server in servers if server["state"] == State.DOWN]
    details = {"servers": list(servers)}
    if not silent:
        state = State.SANDBOX if sandbox else State.OK
        return Finding(state, _sandbox() if sandbox else _answers(servers), details)
    trouble = silent[0]["error"]
    if len(silent) == len(servers):
        return Finding(State.DOWN, trouble, details)
    return Finding(State.DEGRADED, f"{_answers(servers)} {trouble}", details)


def _sandbox() -> str:
    return "The sandbox stands in. Enter the address of your own ComfyUI in the settings, or set COMFYUI_URL."


def _answers(servers: Sequence[dict[str, Any]]) -> str:
    well = [server for server in servers if "answerMs" in server]
    jobs = sum(server["queue"]["running"] + server["queue"]["pending"] for server in well)
    queue = f"{jobs} in the queue" if jobs else "nothing in the queue"
    if len(servers) > 1:
        return f"{len(well)} of {len(servers)} servers answer; {queue}."
    return f"Version {well[0]['version'] or 'unknown'} answers in {well[0]['answerMs']} ms; {queue}."
