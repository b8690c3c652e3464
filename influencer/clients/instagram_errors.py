"""Instagram's error table as data, and what its answers say about load.

Sources: developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/error-codes,
…/docs/graph-api/guides/error-handling and …/docs/graph-api/overview/rate-limiting. `code` is
"code/subcode", "code", "code-code" for a range, or "*/subcode" where Meta sends changing codes.
`error_user_msg` is localised to the account's owner and `type` says nothing: neither is looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from influencer.clients.platform import Action, Rule

RETRY, START_OVER, WAIT = Action.RETRY, Action.START_OVER, Action.WAIT
REAUTHORISE, GIVE_UP = Action.REAUTHORISE, Action.GIVE_UP
HOUR = 3600.0

AGAIN = "It is tried again by itself."
ONCE_MORE = "The image is sent once more by itself."
LATER = "It goes on by itself once Instagram allows it."
RECONNECT = "Reconnect the account, then retry; image and caption are kept."
OPEN_APP = "Open the Instagram app, do what it asks, then reconnect the account."
HOSTING = (
    "Check that the public address opens from outside: https, not localhost or a private address, "
    "no login, no interstitial page, answering with the JPEG itself."
)
QUOTA_REACHED = "9/2207042"
REPORT = "Nothing can be done about this here. Report it with the code."

RULES: tuple[Rule, ...] = (
    Rule("-2/2207003", START_OVER, "Instagram took too long to fetch the image", HOSTING, tries=3, wait=30),
    Rule("-2/2207020", START_OVER, "Instagram no longer has the image", ONCE_MORE, tries=2),
    Rule(
        "-1/2207001",
        START_OVER,
        "Instagram's server failed",
        ONCE_MORE,
        tries=2,
        wait=60,
        uncertain=True,
    ),
    Rule("-1/2207032", START_OVER, "Instagram could not take the image in", ONCE_MORE, tries=2, wait=30),
    Rule("-1/2207053", START_OVER, "Instagram could not take the video in", ONCE_MORE, tries=2, wait=30),
    Rule("1", RETRY, "Instagram failed without giving a reason", AGAIN, tries=3, wait=30, uncertain=True),
    Rule("1/2207057", GIVE_UP, "The cover's position lies outside the video", "Choose another cover."),
    Rule("2", RETRY, "Instagram is out of order for the moment", AGAIN, tries=5, wait=60, uncertain=True),
    Rule("4", WAIT, "Instagram's limit of requests for this app is reached", LATER, wait=HOUR),
    Rule(
        "4/2207051",
        GIVE_UP,
        "Instagram takes the posting for spam and has restricted it",
        "Post nothing on this account for 24 h, then less often and with captions that differ.",
    ),
    Rule(
        QUOTA_REACHED,
        WAIT,
        "The account has published as many posts as Instagram allows in 24 h",
        LATER,
        wait=HOUR,
    ),
    Rule(
        "10",
        REAUTHORISE,
        "The token lacks a permission",
        "Grant the permission to publish (instagram_business_content_publish, or instagram_content_publish "
        "with Facebook Login), then reconnect the account.",
    ),
    Rule("17", WAIT, "Instagram's limit of requests for this user is reached", LATER, wait=HOUR),
    Rule(
        "24/2207006", START_OVER, "Instagram can't find the image it was given", ONCE_MORE, then=REAUTHORISE
    ),
    Rule(
        "24/2207008",
        RETRY,
        "Instagram does not know the container, or it expired",
        AGAIN,
        tries=2,
        wait=30,
        then=START_OVER,
    ),
    Rule("25/2207050", GIVE_UP, "Instagram has restricted the account", OPEN_APP),
    Rule("32", WAIT, "Instagram's limit of requests for this page is reached", LATER, wait=HOUR),
    Rule("100", GIVE_UP, "Instagram refused a value", REPORT),
    Rule(
        "100/33",
        REAUTHORISE,
        "Instagram shows this account no such object",
        "Check the account id, and that the token belongs to that account; then reconnect it.",
    ),
    Rule("100/2207023", GIVE_UP, "Instagram does not know this kind of media", REPORT),
    Rule("100/2207028", GIVE_UP, "A carousel needs 2 to 10 images", "Choose 2 to 10 images."),
    Rule("100/2207040", GIVE_UP, "The post mentions more than 20 accounts", "Mention at most 20 accounts."),
    Rule("102", REAUTHORISE, "Instagram's session for this token is over", RECONNECT),
    Rule("190", REAUTHORISE, "Instagram refused the token", RECONNECT),
    Rule("190/458", REAUTHORISE, "The owner of the account has removed the app", RECONNECT),
    Rule("190/459", REAUTHORISE, "Instagram wants the owner of the account to log in", OPEN_APP),
    Rule("190/460", REAUTHORISE, "The password was changed, so the token no longer works", RECONNECT),
    Rule("190/463", REAUTHORISE, "The token has expired", RECONNECT),
    Rule("190/464", REAUTHORISE, "The owner of the account is not confirmed", OPEN_APP),
    Rule("190/467", REAUTHORISE, "The owner logged out or withdrew the token", RECONNECT),
    Rule(
        "190/492",
        REAUTHORISE,
        "The owner of the token has lost the role on the Facebook Page",
        "Give the role back on the Page, then reconnect the account.",
    ),
    Rule(
        "200-299",
        REAUTHORISE,
        "The token may not do this",
        "Grant the app the missing permission, then reconnect the account.",
    ),
    Rule("341", WAIT, "Instagram's limit for this app is reached", LATER, wait=HOUR),
    Rule("352/2207026", GIVE_UP, "Instagram does not support the video's format", "Use MP4 or MOV."),
    Rule("368", GIVE_UP, "Instagram has blocked this action for breaking its rules", OPEN_APP),
    Rule("613", WAIT, "Instagram's limit for this kind of request is reached", LATER, wait=HOUR),
    Rule("9004/2207052", START_OVER, "Instagram could not fetch the image", HOSTING, tries=1),
    Rule("9007/2207027", RETRY, "Instagram is still working on the image", AGAIN, tries=5, wait=10),
    Rule("36000/2207004", GIVE_UP, "The image is larger than 8 MB", "Make it again; it is encoded smaller."),
    Rule("36001/2207005", GIVE_UP, "Instagram takes JPEG images only", "Make it again as JPEG."),
    Rule(
        "36003/2207009",
        GIVE_UP,
        "The image is too tall or too wide for Instagram",
        "Use a shape between 4:5 and 1.91:1.",
    ),
    Rule(
        "36004/2207010",
        GIVE_UP,
        "The caption is longer than 2\N{THIN SPACE}200 characters",
        "Shorten the caption.",
    ),
    Rule("*/2207076", START_OVER, "Instagram could not take the image in", ONCE_MORE, tries=2, wait=30),
    Rule("*/2207077", START_OVER, "Instagram could not fetch the image whole", ONCE_MORE, tries=2, wait=30),
    Rule("*/2207081", GIVE_UP, "This account can't publish trial reels", "Publish it as an ordinary reel."),
    Rule("*/2207082", START_OVER, "Instagram could not take the image in", ONCE_MORE, tries=2, wait=30),
    Rule("80002", WAIT, "The account's limit of Instagram requests is reached", LATER, wait=HOUR),
)

# Instagram restricts the account: to go on posting makes it worse.
RESTRICTIONS = frozenset({"4/2207051", "25/2207050", "368"})

# States of a container that are failures (GET /{container}?fields=status_code,status).
EXPIRED = Rule("container_expired", START_OVER, "The container was not published within 24 h", ONCE_MORE)
BROKEN = Rule("container_error", START_OVER, "Instagram could not use the image", ONCE_MORE, tries=2, wait=30)

_BY_CODE = {rule.code: rule for rule in RULES}
_BY_SUBCODE = {rule.code.partition("/")[2]: rule for rule in RULES if "/2207" in rule.code}
_SUBCODE = re.compile(r"\b2207\d{3}\b")


def rule_for(error: Mapping[str, Any], status: int) -> Rule:
    """The row for the `error` object of an answer with HTTP status `status`."""
    code, subcode = str(error.get("code", "")), str(error.get("error_subcode", ""))
    found = (
        _BY_CODE.get(f"{code}/{subcode}")
        or _BY_SUBCODE.get(subcode)
        or _BY_CODE.get(code)
        or (_BY_CODE["200-299"] if re.fullmatch(r"2\d\d", code) else None)
    )
    shown = f"{code}/{subcode}".strip("/") or str(status)
    return replace(found, code=shown) if found else _unlisted(shown, status, bool(error.get("is_transient")))


def rule_for_status_text(text: str) -> Rule:
    """The row for a container in state ERROR; the subcode stands somewhere in its `status` text."""
    subcode = _SUBCODE.search(text)
    found = _BY_SUBCODE.get(subcode[0]) if subcode else None
    return replace(found, code=found.code.removeprefix("*/")) if found else BROKEN


def _unlisted(code: str, status: int, transient: bool) -> Rule:
    if status >= 500 or transient:
        return Rule(code, RETRY, "Instagram failed", AGAIN, tries=3, wait=60, uncertain=True)
    if status == 401:
        return Rule(code, REAUTHORISE, "Instagram refused the token", RECONNECT)
    return Rule(code, GIVE_UP, "Instagram refused the request", REPORT)


@dataclass(frozen=True)
class Usage:
    """Load from the answer's headers: the highest of all percentages, and seconds until access returns."""

    percent: float = 0.0
    regain: float = 0.0

    @property
    def tired(self) -> bool:
        """Calls should rest before Instagram enforces it."""
        return self.percent >= 90


def usage(headers: Mapping[str, str]) -> Usage:
    """Read `X-App-Usage` (percent) and `X-Business-Use-Case-Usage` (percent and minutes)."""
    entries = [_json(headers.get("X-App-Usage"))]
    business = _json(headers.get("X-Business-Use-Case-Usage"))
    entries += [entry for account in business.values() if isinstance(account, list) for entry in account]
    entries = [entry for entry in entries if isinstance(entry, dict)]
    shares = ("call_count", "total_time", "total_cputime")
    percents = [_number(entry, key) for entry in entries for key in shares]
    minutes = [_number(entry, "estimated_time_to_regain_access") for entry in entries]
    return Usage(max(percents, default=0.0), max(minutes, default=0.0) * 60)


def _json(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _number(entry: Mapping[str, Any], key: str) -> float:
    value = entry.get(key, 0)
    return float(value) if isinstance(value, int | float) else 0.0
