"""What Instagram and X have in common: the steps of a post, and what a failure means for it.

A post runs through `Publisher.steps` in order. Before a step the ledger commits `step.before`,
after it the ids it brought; a step whose id is already there is done (`next_step`). So a crash
between two steps loses nothing. Exactly one step is decisive: what it does is public. When its
outcome is unknown it is never repeated before `Publisher.look_up` was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from influencer.clients.errors import ServiceError

Ids = Mapping[str, str]
# Seconds between two questions whether a picture is processed; about 5 min in all, as Meta advises.
POLL_DELAYS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0, 60.0, 60.0)
# How far the clocks here and there may differ when a post is looked up.
CLOCK_SLACK = timedelta(minutes=10)


class Platform(StrEnum):
    INSTAGRAM = "instagram"
    X = "x"


class Action(StrEnum):
    """What makes sense after a failure."""

    RETRY = "retry"  # the same step once more
    START_OVER = "start_over"  # a new container, a new upload; once publishing began only after `look_up`
    WAIT = "wait"  # hours rather than seconds, without spending attempts
    REAUTHORISE = "reauthorise"  # the owner must connect the account again
    GIVE_UP = "give_up"  # nothing changes by itself


class Stage(StrEnum):
    """What the ledger says while a step runs."""

    RESERVED = "reserved"
    PREPARED = "prepared"
    PUBLISHING = "publishing"
    PUBLISHED = "published"


class Verdict(StrEnum):
    """What the platform says about a post whose outcome was unknown."""

    PUBLISHED = "published"
    NOT_PUBLISHED = "not_published"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Draft:
    """What is to be published: the picture made for the platform (see `picture.py`) and its words.

    `picture_url` is the public link under which Instagram fetches the same picture; X gets the bytes.
    """

    picture: bytes = field(repr=False)
    picture_url: str = field(default="", repr=False)
    caption: str = ""
    alt_text: str = ""
    ai_label: bool = True


@dataclass(frozen=True)
class Outcome:
    """What a step brought. Not `ready`: call the same step again after `poll_delay`.

    `status` is the answer's HTTP status; None where there was nothing to ask.
    """

    ids: Ids = field(default_factory=dict)
    ready: bool = True
    status: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Step:
    """One remote call of a post, done once `gives` is among the ids.

    An `optional` step may fail without failing the post.
    """

    name: str
    label: str
    gives: str
    before: Stage
    call: Callable[[Draft, Ids], Outcome] = field(repr=False)
    optional: bool = False

    @property
    def decisive(self) -> bool:
        return self.before is Stage.PUBLISHING


@dataclass(frozen=True)
class LookUp:
    """The answer to "does the post exist?", with the ids found."""

    verdict: Verdict
    ids: Ids = field(default_factory=dict)


@dataclass(frozen=True)
class Account:
    """Whose keys these are."""

    id: str
    username: str
    name: str = ""
    picture_url: str = ""


@dataclass(frozen=True)
class Quota:
    """Posts used of those allowed in a rolling window of `seconds`; `busy` is the API's load in percent.

    `limit` is None when the platform does not say. `retry_after` (seconds) is set when calls should rest.
    `until`: when what is used comes back: all of it where the window ends at once, else the first of it.
    """

    used: int
    limit: int | None
    seconds: int = 86_400
    busy: float = 0.0
    retry_after: float | None = None
    until: datetime | None = None

    @property
    def is_used_up(self) -> bool:
        return bool(self.limit) and self.used >= (self.limit or 0)


@dataclass(frozen=True)
class Published:
    """A post as the platform lists it; `text` is as the platform shows it."""

    id: str
    text: str
    permalink: str
    at: datetime | None = None


class Publisher(Protocol):
    """A platform as the publishing job sees it. Every method raises `PlatformError`."""

    service: str
    platform: Platform

    @property
    def steps(self) -> tuple[Step, ...]: ...

    def look_up(
        self,
        draft: Draft,
        ids: Ids,
        *,
        since: datetime,
        until: datetime | None = None,
        others: Collection[str] = (),
    ) -> LookUp:
        """Ask whether a post that was tried from `since` to `until` exists; it is none of the `others`."""
        ...

    def latest(self) -> list[Published]:
        """The account's newest posts, for a person to find one among them."""
        ...

    def rest(self) -> float | None:
        """Seconds the account should rest, by the last answer; None when it need not."""
        ...

    def allowance(self) -> Quota | None:
        """What the last answer told of posts used and allowed, without asking; None when it told nothing."""
        ...

    def account(self) -> Account: ...

    def quota(self) -> Quota | None:
        """Posts used and allowed; None when the platform does not tell beforehand."""
        ...


def moment(text: object) -> datetime | None:
    """A platform's timestamp, always aware; None when it can't be read."""
    try:
        when = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def next_step(steps: Sequence[Step], ids: Ids) -> Step | None:
    """The first step still to do, None when all are done."""
    return next((step for step in steps if step.gives not in ids), None)


def poll_delay(polls: int) -> float | None:
    """Seconds to wait after the `polls`-th question (from 1), None when it has been asked long enough."""
    return POLL_DELAYS[polls - 1] if polls <= len(POLL_DELAYS) else None


@dataclass(frozen=True)
class Rule:
    """One row of an error table: what a code means and what to do about it.

    `tries`: how often `action` makes sense, and `then` what is left to do; `wait`: seconds before
    it, unless the platform names a time; `uncertain`: a decisive call answered so may have taken
    effect all the same.
    """

    code: str
    action: Action
    sentence: str
    fix: str
    tries: int = 1
    wait: float = 0.0
    uncertain: bool = False
    then: Action = Action.GIVE_UP


@dataclass(frozen=True)
class Call:
    """One remote call, for its log line and its errors. `seconds`: how long an answer may take."""

    service: str
    name: str
    decisive: bool = False
    seconds: float = 60.0


@dataclass(frozen=True)
class Answer:
    """What is known of an answer that was a failure; `said` holds no secret."""

    status: int | None = None
    retry_after: float | None = None
    said: str = ""


LOOK_FIRST = "Look at the account before anything is tried again."


class PlatformError(ServiceError):
    """A platform refused, failed or stayed silent. `action`, `tries`, `then` are those of its `Rule`."""

    def __init__(self, rule: Rule, call: Call, answer: Answer | None = None) -> None:
        answer = answer or Answer()
        unknown = call.decisive and (rule.uncertain or (answer.status or 0) >= 500)
        names = {"service": call.service, "seconds": f"{call.seconds:g}"}
        sentence = rule.sentence.format_map(names)
        if rule.code[0] in "-0123456789":
            sentence += f" (code {rule.code})"
        super().__init__(
            f"{sentence}; the post may exist." if unknown else f"{sentence}.",
            service=call.service,
            code="outcome_unknown" if unknown else rule.code,
            fix=LOOK_FIRST if unknown else rule.fix.format_map(names),
            retryable=not unknown and rule.action in {Action.RETRY, Action.START_OVER, Action.WAIT},
            outcome_unknown=unknown,
            http_status=answer.status,
            retry_after=rule.wait or None if answer.retry_after is None else answer.retry_after,
            details=_details(rule, call, answer),
        )
        self.action = rule.action
        self.tries = rule.tries
        self.then = rule.then


def _details(rule: Rule, call: Call, answer: Answer) -> dict[str, str]:
    details = {"step": call.name, "reason": rule.code, "action": str(rule.action), "said": answer.said}
    return {key: value for key, value in details.items() if value}


NEVER_READY = Rule(
    "never_ready",
    Action.START_OVER,
    "{service} did not finish the image in 5 min",
    "It is sent once more.",
)


def never_ready(service: str) -> PlatformError:
    """For a step that was still not ready when `poll_delay` gave up."""
    return PlatformError(NEVER_READY, Call(service, "processing"))
