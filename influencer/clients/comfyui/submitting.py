"""Handing a graph over exactly once, and telling what became of it when the answer is lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from influencer.clients.comfyui import problems, reading, rejections
from influencer.clients.comfyui.transport import Answer, Call, Transport
from influencer.clients.comfyui.values import Accepted
from influencer.clients.errors import ServiceError

OLDEST_VERSION = "0.3.45"
LOOK_AGAIN_SECONDS = 0.5


class Server(Protocol):
    def submitted(self, prompt_id: str) -> bool | None: ...
    def cancel(self, prompt_id: str) -> bool: ...


@dataclass(frozen=True)
class Submission:
    server: Server
    transport: Transport
    body: dict[str, Any]

    @property
    def prompt_id(self) -> str:
        return str(self.body["prompt_id"])

    def run(self) -> Accepted:
        """Post the graph once. Raises `ServiceError`; see `ComfyUI.submit`."""
        seconds = self.transport.timeouts.submit
        # On a connection of its own, so that a kept one that has died can't swallow it.
        call = Call("POST", "/prompt", {"json": self.body}, seconds, own_connection=True)
        try:
            answer = self.transport.send(call)
        except ServiceError as error:
            return self._look_for_it(error)
        return self._accepted(answer)

    def _look_for_it(self, error: ServiceError) -> Accepted:
        """The answer is lost; the job need not be."""
        if not error.outcome_unknown:
            raise error
        known = wait_for(lambda: self.server.submitted(self.prompt_id), self.transport.timeouts.settle)
        if known:
            return Accepted(self.prompt_id, recovered=True)
        error.outcome_unknown = known is None
        raise error

    def _accepted(self, answer: Answer) -> Accepted:
        if answer.status == 400:
            raise self._rejected(answer)
        said = reading.mapping(self.transport.document(answer))
        given = str(said.get("prompt_id") or "")
        if not given:
            raise problems.not_comfyui(self.transport.address.base, answer.status)
        if given != self.prompt_id:
            self._take_back(given)
            raise problems.too_old(OLDEST_VERSION)
        if said.get("node_errors"):
            # Only some outputs would be made; an incomplete result is worth nothing here.
            self._take_back(given)
            raise rejections.from_node_errors(said["node_errors"])
        number = said.get("number")
        return Accepted(given, number if isinstance(number, (int, float)) else None)

    def _rejected(self, answer: Answer) -> ServiceError:
        try:
            return rejections.rejected(answer.json())
        except ValueError:
            return problems.bad_answer(self.transport.address.base, answer.status, answer.body)

    def _take_back(self, prompt_id: str) -> None:
        try:
            self.server.cancel(prompt_id)
        except (ServiceError, ValueError):
            return


def wait_for(ask: Callable[[], bool | None], seconds: float) -> bool | None:
    """Ask until the answer is yes or the time is over; the last answer counts."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer or time.monotonic() >= deadline:
            return answer
        time.sleep(min(LOOK_AGAIN_SECONDS, seconds))
