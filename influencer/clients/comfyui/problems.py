"""What a silent, wrong or failing server means, as a sentence with a code and a fix."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ProtocolError

from influencer.clients.errors import ServiceError

SERVICE = "ComfyUI"
FROM_A_PROXY = frozenset({401, 403, 407, 429, 502, 503, 504})
REFUSALS = frozenset({401, 403, 407})
CHECK_ADDRESS = (
    "Check its address in the settings (COMFYUI_URL): it must lead to ComfyUI itself, "
    "including any path in front of it."
)
LONGEST_QUOTE = 300


def trouble(message: str, code: str, *, fix: str = "", **more: Any) -> ServiceError:
    """A ComfyUI failure; `more` goes to `ServiceError`."""
    return ServiceError(message, service=SERVICE, code=code, fix=fix, **more)


def silent(where: str, error: requests.RequestException) -> ServiceError:
    """No usable answer came. `outcome_unknown` unless the request never left."""
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader)):
        return bad_address()
    if isinstance(error, requests.exceptions.SSLError):
        return trouble(
            f"ComfyUI at {where} has a certificate that is not trusted.",
            "untrusted_certificate",
            fix="Install a valid certificate on the server, or use its http:// address on a private network.",
        )
    if isinstance(error, requests.exceptions.ReadTimeout):
        return trouble(
            f"ComfyUI at {where} took too long to answer.",
            "timeout",
            fix="It may be loading a model: try again in a minute, or look at its console.",
            retryable=True,
            outcome_unknown=True,
        )
    return unreachable(where, sent=not never_left(error))


def bad_address() -> ServiceError:
    """The address itself is not shown: it may hold a password."""
    return trouble(
        "ComfyUI's address or its headers can't be used.",
        "bad_address",
        fix="Correct them in the settings, or COMFYUI_URL and COMFYUI_HEADERS: "
        "an address starts with http:// or https://.",
    )


def forbidden(fault: str) -> ServiceError:
    return trouble(
        fault, "refused_address", fix="Enter another address of ComfyUI in the settings, or in COMFYUI_URL."
    )


def unreachable(where: str, *, sent: bool = False, **more: Any) -> ServiceError:
    """`sent` says that the request may have arrived before the connection failed."""
    return trouble(
        f"ComfyUI at {where} does not answer.",
        "unreachable",
        fix="Start ComfyUI there, or correct its address in the settings (COMFYUI_URL).",
        retryable=True,
        outcome_unknown=sent,
        **more,
    )


def never_left(error: requests.RequestException) -> bool:
    """True when the connection itself could not be made, so nothing was sent."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return type(reason).__name__ in {"NewConnectionError", "ConnectTimeoutError", "NameResolutionError"}


def cut_off(error: requests.RequestException) -> bool:
    """True when the connection was closed before the first byte of an answer."""
    return bool(error.args) and isinstance(error.args[0], ProtocolError)


def proxied(where: str, status: int, retry_after: float | None) -> ServiceError:
    """A status that ComfyUI itself does not give, but a proxy before it does."""
    if status in REFUSALS:
        return trouble(
            f"ComfyUI at {where} refuses access (HTTP {status}).",
            "refused",
            fix="Put user and password into its address (COMFYUI_URL), or the token into its headers "
            "(COMFYUI_HEADERS).",
            http_status=status,
        )
    if status == 429:
        return trouble(
            f"ComfyUI at {where} asks for fewer requests.",
            "too_many_requests",
            fix="Wait a little; it is tried again.",
            retryable=True,
            http_status=status,
            retry_after=retry_after,
        )
    return unreachable(where, sent=True, http_status=status, retry_after=retry_after)


def moved(where: str, location: str) -> ServiceError:
    """`location` is shown without its path and query, which may carry a secret."""
    target = urlsplit(location)
    return trouble(
        f"ComfyUI at {where} sends every request on to {target.scheme}://{target.hostname or ''}.",
        "not_comfyui",
        fix="If that is ComfyUI's new address, set COMFYUI_URL to it; if it is a sign-in page, "
        "put the credentials into COMFYUI_HEADERS.",
    )


def not_comfyui(where: str, status: int) -> ServiceError:
    return trouble(
        f"What answers at {where} is not ComfyUI's API: it sent no JSON.",
        "not_comfyui",
        fix=CHECK_ADDRESS,
        http_status=status,
    )


def too_much(where: str, limit: int) -> ServiceError:
    return trouble(
        f"ComfyUI at {where} sent more than {limit // (1024 * 1024)} MB in one answer.",
        "answer_too_large",
        fix="Choose a smaller size or fewer images at once.",
    )


def bad_answer(where: str, status: int, body: bytes) -> ServiceError:
    """An answer that should have been 200."""
    if status == 413:
        return _too_large(body)
    if status == 404:
        return trouble(
            f"There is no ComfyUI at {where}: it answered 404.",
            "not_comfyui",
            fix=CHECK_ADDRESS,
            http_status=status,
        )
    if status >= 500:
        return trouble(
            f"ComfyUI at {where} failed on its side (HTTP {status}).",
            "server_error",
            fix="Look at ComfyUI's console for the cause, then try again.",
            http_status=status,
        )
    return trouble(
        f"ComfyUI at {where} did not accept the request (HTTP {status}).",
        "rejected",
        fix="Look at ComfyUI's console for the cause.",
        http_status=status,
    )


def image_missing(filename: str) -> ServiceError:
    return trouble(
        f"The server no longer has the image '{filename}'.",
        "image_missing",
        fix="Generate it again with another seed.",
        http_status=404,
    )


def damaged_image(filename: str) -> ServiceError:
    return trouble(
        f"The server's answer for '{filename}' is not an image.",
        "not_an_image",
        fix="Look at ComfyUI's console for the cause, then generate again.",
    )


def too_old(version_needed: str) -> ServiceError:
    return trouble(
        "This ComfyUI is too old: it does not take the id under which a job is found again.",
        "too_old",
        fix=f"Update ComfyUI to {version_needed} or later.",
    )


def lost() -> ServiceError:
    return trouble(
        "ComfyUI lost this job: it was restarted, or the job was deleted from its queue.",
        "lost",
        fix="Generate again.",
        retryable=True,
    )


def interrupted() -> ServiceError:
    return trouble("The job was stopped on the server.", "interrupted", fix="Generate again.", retryable=True)


def first_line(text: object) -> str:
    """What a server's own message says, short enough to show."""
    lines = str(text or "").strip().splitlines()
    return lines[0].strip()[:LONGEST_QUOTE] if lines else ""


def _too_large(body: bytes) -> ServiceError:
    found = re.search(rb"(\d+)(?:\.\d+)? exceeded", body[:1000])
    limit = f" (at most {int(found[1]) // (1024 * 1024)} MB)" if found else ""
    return trouble(
        f"The upload is larger than this ComfyUI allows{limit}.",
        "too_large",
        fix="Send a smaller file, or start ComfyUI with a higher --max-upload-size.",
        http_status=413,
    )
