"""X's error table as data.

Sources: docs.x.com/x-api/fundamentals/response-codes-and-errors and …/rate-limits. Problems come as
`title, detail, type, status`; a `type` is matched by its last path segment, because its host changes.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from influencer.clients.platform import Action, Quota, Rule

RETRY, START_OVER, WAIT = Action.RETRY, Action.START_OVER, Action.WAIT
REAUTHORISE, GIVE_UP = Action.REAUTHORISE, Action.GIVE_UP
HOUR, DAY = 3600.0, 86_400.0
# How the headers of X's limits begin, the one of 15 minutes first.
LIMITS = ("x-rate-limit", "x-app-limit-24hour", "x-user-limit-24hour")

AGAIN = "It is tried again by itself."
LATER = "It goes on by itself once X allows it."
RECONNECT = "Check the four keys in the X developer console, renew them if need be, then retry."
BUY = "Buy credits in the X developer console, then check the account; it also goes on by itself."
PERMISSION = (
    "Set the app's user authentication to Read and write, generate the access token again, "
    "enter it here, then retry."
)


@dataclass(frozen=True)
class XRule(Rule):
    """A row and what an answer must be to match it: HTTP status (0: any 5xx), problem type, words."""

    status: int = 0
    problem: str = ""
    says: tuple[str, ...] = ()

    def matches(self, answer: Problem) -> bool:
        return (
            (answer.status == self.status if self.status else answer.status >= 500)
            and self.problem in {"", answer.problem}
            and (not self.says or any(words in answer.words for words in self.says))
        )


@dataclass(frozen=True)
class Problem:
    """An error answer reduced to what the table looks at; `words` is all its text in lower case."""

    status: int
    problem: str
    words: str
    said: str
    reset_date: str = ""


# The first row that matches counts: special ones stand before general ones.
RULES: tuple[XRule, ...] = (
    XRule(
        "media_unknown",
        START_OVER,
        "X no longer has the uploaded image",
        "It is uploaded once more by itself.",
        tries=1,
        status=400,
        says=("media ids are invalid",),
    ),
    XRule(
        "media_refused",
        GIVE_UP,
        "X refused the image",
        "Make it again as JPEG under 5 MB.",
        status=400,
        says=("file size", "too large", "not an image", "media type", "unsupported media", "unrecognized"),
    ),
    XRule(
        "invalid_request",
        GIVE_UP,
        "X refused a value",
        "Look at what X said; shorten or change the text.",
        status=400,
    ),
    XRule(
        "unauthorized",
        REAUTHORISE,
        "X refused the keys",
        f"{RECONNECT} Also check this computer's clock: more than 5 min off is refused too.",
        status=401,
    ),
    XRule(
        "credits",
        WAIT,
        "The X developer account has no credits left",
        BUY,
        wait=HOUR,
        status=402,
    ),
    XRule(
        "duplicate",
        GIVE_UP,
        "X has this very text on the account already",
        "Look at the account: an earlier try may have got through. Else change the text.",
        status=403,
        says=("duplicate content",),
    ),
    XRule(
        "spend_cap",
        WAIT,
        "The X developer account has reached its spending limit",
        "Raise the limit in the X developer console, or wait for the next billing cycle.",
        wait=HOUR,
        status=403,
        says=("spendcapreached", "spend cap"),
    ),
    XRule(
        "credits",
        WAIT,
        "The X developer account has no credits left",
        BUY,
        wait=HOUR,
        status=403,
        problem="credits",
    ),
    XRule(
        "unsupported_authentication",
        REAUTHORISE,
        "These keys are not those of a user",
        "Enter app key, app secret, access token and access secret (OAuth 1.0a), not a bearer token.",
        status=403,
        problem="unsupported-authentication",
    ),
    XRule(
        "read_only_keys",
        REAUTHORISE,
        "The keys may read but not post",
        PERMISSION,
        status=403,
        problem="oauth1-permissions",
    ),
    XRule(
        "app_not_enrolled",
        REAUTHORISE,
        "The app of these keys may not use this part of X",
        "Put the app into a project with API access in the X developer console, then retry.",
        status=403,
        problem="client-forbidden",
    ),
    XRule(
        "account_suspended",
        GIVE_UP,
        "X has suspended the account",
        "Sign in on x.com and follow what X asks for.",
        status=403,
        problem="user-suspended",
    ),
    XRule(
        "looks_automated",
        GIVE_UP,
        "X takes the posting for automated",
        "Wait some hours, post less often, and mark the account as automated in its X settings.",
        status=403,
        says=("looks automated", "might be automated"),
    ),
    XRule(
        "forbidden",
        GIVE_UP,
        "X does not permit this post",
        "Check its length, that the keys may write, and that it is no reply to a stranger.",
        status=403,
    ),
    XRule("not_found", GIVE_UP, "X does not have it", "Check the address and the account.", status=404),
    XRule(
        "media_refused",
        GIVE_UP,
        "The image is too large for X",
        "Make it again as JPEG under 5 MB.",
        status=413,
    ),
    XRule(
        "usage_capped",
        WAIT,
        "The app's allowance at X is used up",
        LATER,
        wait=HOUR,
        status=429,
        problem="usage-capped",
    ),
    XRule("rate_limit", WAIT, "X's limit of requests is reached", LATER, wait=15 * 60, status=429),
    XRule("out_of_order", RETRY, "X is out of order for the moment", AGAIN, tries=5, wait=60, uncertain=True),
)

# Of these the app has no more, nor any account that posts by it; without the first two nothing is answered.
UNPAID = frozenset({"credits", "spend_cap"})
OF_THE_APP = UNPAID | {"usage_capped"}
# X restricts the account: to go on posting makes it worse.
RESTRICTIONS = frozenset({"account_suspended", "looks_automated"})


def rule_for(problem: Problem) -> Rule:
    """The row for an error answer."""
    unlisted = Rule(str(problem.status), GIVE_UP, "X refused the request", "Look at what X said.")
    return next((rule for rule in RULES if rule.matches(problem)), unlisted)


def problem(status: int, body: Mapping[str, Any]) -> Problem:
    """Reduce a problem+json body to what the table looks at."""
    errors = [error for error in body.get("errors") or [] if isinstance(error, dict)]
    parts = [body.get(key) for key in ("title", "detail", "reason")]
    parts += [error.get(key) for error in errors for key in ("message", "detail", "title")]
    said = " · ".join(dict.fromkeys(str(part) for part in parts if part))
    kind = str(body.get("type") or "").rstrip("/").rpartition("/")[2]
    return Problem(status, kind, said.lower(), said, str(body.get("reset_date") or ""))


def rest(rule: Rule, problem: Problem, headers: Mapping[str, str]) -> float | None:
    """Seconds until X allows more, with some jitter; None when it does not say."""
    if rule.action is not Action.WAIT:
        return None
    now = _their_now(headers)
    until = _midnight(problem.reset_date) if problem.reset_date else _reset(headers, problem.status)
    if until is None:
        return None
    return max(until - now, 0.0) + random.SystemRandom().uniform(1, 5)


def used_up(headers: Mapping[str, str]) -> float | None:
    """Seconds until X allows another call when this answer says that it was the last; else None."""
    if (until := _latest_reset(headers)) is None:
        return None
    return max(until - _their_now(headers), 0.0) + random.SystemRandom().uniform(1, 5)


def day_limits(headers: Mapping[str, str]) -> list[Quota]:
    """Posts used and allowed in 24 h, of the user and of the app, as far as this answer tells them."""
    found = []
    for kind in LIMITS[1:]:
        limit, left, reset = (headers.get(f"{kind}-{part}", "") for part in ("limit", "remaining", "reset"))
        if limit.isdigit() and left.isdigit():
            seconds = float(reset) - _their_now(headers) if reset.isdigit() else DAY
            until = datetime.now(UTC) + timedelta(seconds=min(max(seconds, 0.0), DAY))
            found.append(Quota(max(int(limit) - int(left), 0), int(limit), until=until))
    return found


def _reset(headers: Mapping[str, str], status: int) -> float | None:
    return _latest_reset(headers, without="0", anyway=LIMITS[0]) if status == 429 else None


def _latest_reset(headers: Mapping[str, str], *, without: str = "", anyway: str = "") -> float | None:
    """Of the limits that are used up; `without` stands for a remainder not told, `anyway` always counts."""
    resets = []
    for kind in LIMITS:
        reset, remaining = headers.get(f"{kind}-reset", ""), headers.get(f"{kind}-remaining", without)
        if reset.isdigit() and (remaining == "0" or kind == anyway):
            resets.append(float(reset))
    return max(resets, default=None)


def _midnight(date: str) -> float | None:
    try:
        return datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _their_now(headers: Mapping[str, str]) -> float:
    """X's own clock where the answer tells it: resets are given by that one."""
    try:
        return parsedate_to_datetime(headers["Date"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return time.time()
