"""Ordered faults of the social stand-ins: before or after a call takes effect."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from influencer.sandbox.faults import Fault, Faults
from influencer.sandbox.log import Handler

HANG_SECONDS = 600
SLOW_SECONDS = 3
PAGE = "<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1>"

Answer = Callable[[Fault], web.Response]
# Each may be ordered for one call (`container.error_after`); bare, it means the call that posts.
AROUND = ("error_before", "error_after", "timeout_before", "timeout_after", "reset_before", "reset_after")


@dataclass(frozen=True)
class Troubles:
    """The faults of one service and how it answers when it commits them.

    `error` answers `error_before` and `error_after`; `refusals` answer at any call,
    `main_refusals` at the call that posts. `refusals` and `slow` bare hit the next call.
    """

    service: str
    faults: Faults
    calls: tuple[str, ...]
    main: str
    error: Answer
    refusals: Mapping[str, Answer]
    main_refusals: Mapping[str, Answer]
    further: tuple[str, ...] = field(default=())

    def declare(self) -> None:
        """Tell the control endpoint every name."""
        everywhere = (*AROUND, "slow", "html", *self.refusals)
        dotted = (f"{call}.{name}" for call in self.calls for name in everywhere)
        self.faults.declare(self.service, *everywhere, *self.main_refusals, *self.further, *dotted)

    def around(self, call: str, handler: Handler) -> Handler:
        """The handler with the faults that are ordered for `call`.

        Those named `_after` come only when the handler succeeded, so the effect is there.
        """

        async def troubled(request: web.Request) -> web.StreamResponse:
            if answer := await self._before(request, call):
                return answer
            response = await handler(request)
            if response.status < 300 and (answer := await self._after(request, call)):
                return answer
            return response

        return troubled

    async def _before(self, request: web.Request, call: str) -> web.StreamResponse | None:
        if fault := self._anywhere(call, "slow"):
            await _wait(request, _seconds(fault, SLOW_SECONDS))
        if self._anywhere(call, "html"):
            return web.Response(status=502, text=PAGE, content_type="text/html")
        if refused := self._refusal(call):
            return refused
        return await self._break(request, call, "before")

    async def _after(self, request: web.Request, call: str) -> web.StreamResponse | None:
        return await self._break(request, call, "after")

    def _refusal(self, call: str) -> web.Response | None:
        for name, answer in self.refusals.items():
            if fault := self._anywhere(call, name):
                return answer(fault)
        for name, answer in self.main_refusals.items():
            if call == self.main and (fault := self.faults.take(self.service, name)):
                return answer(fault)
        return None

    async def _break(self, request: web.Request, call: str, moment: str) -> web.StreamResponse | None:
        if fault := self._here(call, f"error_{moment}"):
            return self.error(fault)
        if fault := self._here(call, f"timeout_{moment}"):
            await _wait(request, _seconds(fault, HANG_SECONDS))
            return self.error(fault)
        if self._here(call, f"reset_{moment}"):
            return _reset(request)
        return None

    def _here(self, call: str, name: str) -> Fault | None:
        bare = self.faults.take(self.service, name) if call == self.main else None
        return bare or self.faults.take(self.service, f"{call}.{name}")

    def _anywhere(self, call: str, name: str) -> Fault | None:
        return self.faults.take(self.service, f"{call}.{name}") or self.faults.take(self.service, name)


def _seconds(fault: Fault, default: float) -> float:
    value: Any = fault.args.get("seconds", default)
    return float(value) if isinstance(value, int | float) else default


async def _wait(request: web.Request, seconds: float) -> None:
    """Say nothing for a while; ends early when the caller has hung up."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and request.transport and not request.transport.is_closing():
        await asyncio.sleep(0.02)


def _reset(request: web.Request) -> web.Response:
    if request.transport:
        request.transport.abort()
    return web.Response(status=500)
