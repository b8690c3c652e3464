"""A call that brought no usable answer: what happened, and may it have taken effect all the same?"""

from __future__ import annotations

import logging
import re
import ssl
import time
from collections.abc import Iterator
from typing import Any

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError

from influencer.clients import addresses
from influencer.clients.platform import Action, Answer, Call, PlatformError, Rule

CONNECT_SECONDS = 10.0
SAID_LENGTH = 300

UNREACHABLE = Rule(
    "unreachable",
    Action.RETRY,
    "{service} can't be reached",
    "Check this computer's network and the address in the settings; it is tried again.",
    tries=5,
    wait=30,
)
SILENT = Rule(
    "timeout",
    Action.RETRY,
    "{service} did not answer in {seconds} s",
    "It is tried again.",
    tries=3,
    wait=30,
    uncertain=True,
)
LOST = Rule(
    "connection_lost",
    Action.RETRY,
    "The connection to {service} broke before it answered",
    "It is tried again.",
    tries=3,
    wait=10,
    uncertain=True,
)
GARBLED = Rule(
    "bad_answer",
    Action.RETRY,
    "{service} answered with something that can't be read",
    "Its servers may be in trouble, or something on the way to them is; it is tried again.",
    tries=3,
    wait=30,
    uncertain=True,
)
TURNED_AWAY = Rule(
    "429",
    Action.WAIT,
    "{service} turns requests away for now",
    "It goes on by itself.",
    wait=15 * 60,
)
MISDIRECTED = Rule(
    "wrong_address",
    Action.GIVE_UP,
    "What answered at the address of {service} is not {service}",
    "Check the address in the settings, and whether this network asks for a login.",
)
FORBIDDEN = Rule(
    "refused_address",
    Action.GIVE_UP,
    "The address of {service} is a link-local or a cloud's metadata address; nothing was sent",
    "Enter another address in the settings.",
)
RULES = (UNREACHABLE, SILENT, LOST, GARBLED, TURNED_AWAY, MISDIRECTED, FORBIDDEN)

# Failures before the first byte of a request: nothing can have happened at the other end.
_BEFORE_SENDING = (ConnectTimeoutError, NewConnectionError, ssl.SSLCertVerificationError)
_ADDRESS = re.compile(r"https?://(?:[^/\s@]*@)?([^/\s\"'<>?#]*)[^\s\"'<>]*")


def failed(error: requests.RequestException, call: Call) -> PlatformError:
    """The error for a request that ended without an answer."""
    return PlatformError(_rule_for(error), call)


def refuse_forbidden(url: str, call: Call) -> None:
    """Raise `PlatformError` when nothing may be sent to this address (see `addresses.py`)."""
    if fault := addresses.fault(url):
        raise PlatformError(UNREACHABLE if fault == addresses.ODD else FORBIDDEN, call)


def unreadable(status: int, call: Call) -> PlatformError:
    """The error for an answer below 500 that is not the API's JSON: only a 2xx may hide an effect."""
    if status == 429:
        return PlatformError(TURNED_AWAY, call, Answer(status))
    return PlatformError(GARBLED if status < 300 else MISDIRECTED, call, Answer(status))


def _rule_for(error: requests.RequestException) -> Rule:
    causes = list(_causes(error))
    badly_formed = isinstance(error, ValueError)
    if badly_formed or any(isinstance(cause, _BEFORE_SENDING) for cause in causes):
        return UNREACHABLE
    # One while the body arrives comes as a ConnectionError.
    late = any(isinstance(cause, requests.Timeout | ReadTimeoutError) for cause in causes)
    return SILENT if late else LOST


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what lies inside it: requests and urllib3 wrap in `args` and `reason`."""
    if error is None:
        return
    yield error
    inside = [*error.args, getattr(error, "reason", None)]
    for part in inside:
        if isinstance(part, BaseException):
            yield from _causes(part)


def harmless(text: object, *secrets: str) -> str:
    """A platform's own words, short, without secrets and with addresses cut to their host."""
    said = str(text or "")
    for secret in secrets:
        # A practice key may be a mere letter; masking it would leave nothing to read.
        said = said.replace(secret, "********") if len(secret) >= 8 else said
    return " ".join(_ADDRESS.sub(r"\1", said).split())[:SAID_LENGTH]


def log_call(log: logging.Logger, call: Call, started: float, outcome: str) -> None:
    """The one line of an outside call; `started` is from `time.monotonic()`."""
    milliseconds = (time.monotonic() - started) * 1000
    level = logging.INFO if outcome.startswith("ok") else logging.WARNING
    log.log(level, "%s %s: %s, %.0f ms", call.service, call.name, outcome, milliseconds)


def json_object(response: requests.Response) -> dict[str, Any] | None:
    """The answer's JSON object, None when it is anything else."""
    try:
        body = response.json()
    except (requests.JSONDecodeError, RecursionError):
        return None
    return body if isinstance(body, dict) else None
