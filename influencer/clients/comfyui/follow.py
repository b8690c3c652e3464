"""Follows one prompt to its end: the websocket gives hints, HTTP gives the truth."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from influencer.clients.comfyui import problems
from influencer.clients.comfyui.frames import Frame, Message
from influencer.clients.comfyui.hints import Hints
from influencer.clients.comfyui.history import outcome_of
from influencer.clients.comfyui.live import SocketGone
from influencer.clients.comfyui.values import Ending, Event, Outcome, Place, Queued, Started
from influencer.clients.errors import ServiceError

SHORTEST_WAIT = 0.005


class Socket(Protocol):
    def read(self, seconds: float) -> Frame | None: ...
    def close(self) -> None: ...


class Server(Protocol):
    """The calls that following needs."""

    def history(self, prompt_id: str) -> Mapping[str, Any] | None: ...
    def place(self, prompt_id: str) -> Place | None: ...
    def cancel(self, prompt_id: str) -> bool: ...
    def listen(self, client_id: str) -> Socket: ...


@dataclass(frozen=True)
class Pace:
    """How often and how long, in seconds."""

    tick: float = 0.5
    """The longest wait for one frame, and so the slowest reaction."""
    cancel: float = 1.0
    """Between two questions whether to stop."""
    look: float = 2.0
    """Between two looks over HTTP while the socket says nothing."""
    look_while_live: float = 5.0
    look_again: float = 0.5
    """Between looks while the prompt is nowhere to be found."""
    lost_after: float = 5.0
    """Nowhere for this long, while the server answers: lost."""
    patience: float = 30.0
    """No answer for this long: following stops, to be taken up again."""
    reconnect: float = 2.0
    silence: float = 15.0
    """A running prompt without a frame for this long gets a new socket."""
    cancel_grace: float = 10.0
    """After this long a cancelled prompt counts as stopped, whatever the server does."""


def follow(
    server: Server,
    prompt_id: str,
    *,
    on_event: Callable[[Event], None],
    cancelled: Callable[[], bool],
    pace: Pace | None = None,
) -> Outcome:
    """Wait until the prompt has ended and say how; see `ComfyUI.follow`."""
    return _Following(server, prompt_id, _Caller(on_event, cancelled), pace or Pace()).run()


@dataclass(frozen=True)
class _Caller:
    on_event: Callable[[Event], None]
    cancelled: Callable[[], bool]


class _Following:
    def __init__(self, server: Server, prompt_id: str, caller: _Caller, pace: Pace) -> None:
        self.server, self.prompt_id, self.caller, self.pace = server, prompt_id, caller, pace
        self.hints = Hints(prompt_id)
        self.ending = False
        self.socket: Socket | None = None
        self.place: Place | None = None
        self.silence = pace.silence
        self.now = self.heard_at = time.monotonic()
        self.look_at = self.connect_at = self.ask_at = self.cancel_at = 0.0
        self.cancel_asked_at: float | None = None
        self.cancel_answered = False
        self.failing_since: float | None = None
        self.absent_since: float | None = None

    def run(self) -> Outcome:
        try:
            while True:
                self.now = time.monotonic()
                # Connected before looking, so that what happens after the look is heard.
                self._connect_when_due()
                outcome = self._stop_when_asked() or self._look_when_due()
                if outcome is not None:
                    return outcome
                self._listen()
        finally:
            self._hang_up()

    # Cancelling

    def _stop_when_asked(self) -> Outcome | None:
        if self.cancel_asked_at is None:
            if self.now < self.ask_at:
                return None
            self.ask_at = self.now + self.pace.cancel
            if not self.caller.cancelled():
                return None
            self.cancel_asked_at = self.now
        if self.now - self.cancel_asked_at > self.pace.cancel_grace:
            return _interrupted()
        if self.now >= self.cancel_at:
            self._send_cancel()
        return None

    def _send_cancel(self) -> None:
        self.cancel_at = self.now + self.pace.look
        try:
            self.server.cancel(self.prompt_id)
        except ServiceError:
            return
        self.cancel_answered = True
        self.look_at = 0.0

    # Looking, over HTTP

    def _look_when_due(self) -> Outcome | None:
        if self.now < self.look_at:
            return None
        try:
            entry, place = self._where()
        except ServiceError as error:
            self._unanswered(error)
            return None
        self.failing_since = None
        if entry is not None:
            return outcome_of(entry)
        if place is None:
            return self._absent()
        self.absent_since = None
        self._placed(place)
        return None

    def _where(self) -> tuple[Mapping[str, Any] | None, Place | None]:
        """History and queue; history twice, since a prompt may move while we ask."""
        if entry := self.server.history(self.prompt_id):
            return entry, None
        if place := self.server.place(self.prompt_id):
            return None, place
        return self.server.history(self.prompt_id), None

    def _unanswered(self, error: ServiceError) -> None:
        self.absent_since = None
        self.look_at = self.now + self.pace.look
        if self.failing_since is None:
            self.failing_since = self.now
        if self.now - self.failing_since > self.pace.patience:
            raise error

    def _absent(self) -> Outcome | None:
        if self.cancel_answered:
            # A prompt taken out of the queue leaves no trace.
            return _interrupted()
        self.look_at = self.now + self.pace.look_again
        if self.absent_since is None:
            self.absent_since = self.now
        if self.now - self.absent_since > self.pace.lost_after:
            return Outcome(Ending.LOST, error=problems.lost())
        return None

    def _placed(self, place: Place) -> None:
        self.look_at = self.now + self._until_next_look()
        if place != self.place:
            self.place = place
            self.heard_at = self.now
            self.caller.on_event(Started() if place.running else Queued(place.position))
        if place.running and self.socket is not None and self.now - self.heard_at > self.silence:
            # The server may have dropped our id; each further try waits longer, as loading is silent too.
            self.silence *= 2
            self.heard_at = self.now
            self._hang_up()

    def _until_next_look(self) -> float:
        if self.ending:
            return self.pace.look_again
        live = self.socket is not None and self.now - self.heard_at < self.pace.look_while_live
        return self.pace.look_while_live if live else self.pace.look

    # Listening, over the websocket

    def _listen(self) -> None:
        seconds = min(self.pace.tick, max(self.look_at - self.now, SHORTEST_WAIT))
        if self.socket is None:
            time.sleep(seconds)
            return
        try:
            frame = self.socket.read(seconds)
        except SocketGone:
            self._hang_up()
            self.connect_at = self.now + self.pace.reconnect
            self.look_at = 0.0
            return
        if frame is not None:
            self._hear(frame)

    def _hear(self, frame: Frame) -> None:
        if isinstance(frame, Message) and frame.type == "status":
            self._queue_changed()
            return
        if not self.hints.concern(frame):
            return
        self.heard_at = time.monotonic()
        for event in self.hints.events(frame):
            self.caller.on_event(event)
        if self.hints.ended(frame):
            self.ending = True
            self.look_at = 0.0

    def _queue_changed(self) -> None:
        if self.place is not None and not self.place.running:
            self.look_at = min(self.look_at, self.now + self.pace.look_again)

    def _connect_when_due(self) -> None:
        if self.socket is not None or self.now < self.connect_at:
            return
        self.connect_at = self.now + self.pace.reconnect
        try:
            self.socket = self.server.listen(self.prompt_id)
            self.look_at = 0.0
        except SocketGone:
            self.socket = None

    def _hang_up(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def _interrupted() -> Outcome:
    return Outcome(Ending.INTERRUPTED, error=problems.interrupted())
