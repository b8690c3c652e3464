"""What a JSON request brings: read once, checked against the documented limits."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import orjson
from django.http import HttpRequest

from influencer.errors import Invalid
from influencer.jsondb.text import Unreadable, refuse_huge_numbers
from influencer.web.answers import Refused

FORM = "multipart/form-data"
MB = 1024 * 1024
JSON_LIMIT = 30 * MB
MULTIPART_LIMIT = 500 * MB
FILE_LIMIT = 25 * MB
DEPTH_LIMIT = 100  # orjson writes 254 levels at most
TEXT_LIMIT = 100_000  # bytes of UTF-8

# Tab and newline (also Windows') are text; every other control character is not.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)")
SURROGATE = re.compile("[\ud800-\udfff]")


def check_size(request: HttpRequest, *, multipart: bool) -> None:
    """Refuse what is too large by its own word, before a byte of it is read."""
    length = request.META.get("CONTENT_LENGTH") or ""
    size = int(length) if length.isdecimal() else 0
    if request.content_type == FORM and multipart:
        if size > MULTIPART_LIMIT:
            raise Refused(413, "too_large", "An upload may be 500 MB at most.")
    elif size > JSON_LIMIT:
        raise Refused(413, "too_large", "A JSON body may be 30 MB at most.")


def read(request: HttpRequest, *, multipart: bool, long_texts: Collection[str]) -> dict[str, Any]:
    """The body as a dict; multipart gives its plain fields. Raises `Invalid` or `Refused`."""
    check_texts(_pairs(request.GET.lists()), long_texts)
    kind = request.content_type or ""
    if kind == FORM and multipart:
        return _form(request, long_texts)
    raw = request.body
    if not raw:
        return {}
    if kind != "application/json":
        allowed = "application/json or multipart/form-data" if multipart else "application/json"
        raise Refused(415, "unsupported_media_type", f"Send the body as {allowed}.")
    content = _parse(raw)
    check_texts(texts(content), long_texts)
    return content


def fingerprint(request: HttpRequest, content: dict[str, Any]) -> str:
    """A hash of what was sent, files too: the same for the same JSON in another order."""
    found = hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS))
    for name, files in request.FILES.lists():
        for file in files:
            found.update(f"|{name}|{file.size}|".encode())
            for chunk in file.chunks():
                found.update(chunk)
            file.seek(0)
    return found.hexdigest()


def _form(request: HttpRequest, long_texts: Collection[str]) -> dict[str, Any]:
    fields = request.POST.dict()
    for name, files in request.FILES.lists():
        if any((file.size or 0) > FILE_LIMIT for file in files):
            raise Refused(413, "too_large", f"Each file in '{name}' may be 25 MB at most.")
    check_texts(_pairs(request.POST.lists()), long_texts)
    return fields


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(raw)
        refuse_huge_numbers(raw)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"The body is not valid JSON: {error}.", code="bad_json") from error
    except Unreadable as error:
        raise Invalid(f"The body can't be used: {error}", code="bad_json") from error
    if not isinstance(content, dict):
        raise Invalid("The body must be a JSON object.", code="bad_json")
    return content


def check_texts(found: Iterable[tuple[str, str]], long_texts: Collection[str]) -> None:
    """Refuse what no text of ours may hold. `long_texts` names keys that carry files as base64."""
    for name, text in found:
        if name not in long_texts and len(text) * 4 > TEXT_LIMIT:
            _check_length(name, text)
        if control := CONTROL.search(text):
            raise _bad_text(name, f"has a control character (U+{ord(control[0]):04X})")
        if SURROGATE.search(text):
            raise _bad_text(name, "has half of a surrogate pair")


def _check_length(name: str, text: str) -> None:
    if len(text.encode(errors="replace")) > TEXT_LIMIT:
        raise _bad_text(name, "is longer than 100 kB")


def _bad_text(name: str, what: str) -> Invalid:
    name = CONTROL.sub("?", name)[:60]
    return Invalid(f"'{name}' {what}.", fields={name: [f"This {what}."]})


def _pairs(lists: Iterable[tuple[str, list[Any]]]) -> list[tuple[str, str]]:
    return [pair for name, texts in lists for pair in (("key", name), *((name, str(text)) for text in texts))]


def texts(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text in a JSON value, keys too, with the name of the key it stands under."""
    waiting: list[tuple[str, Any, int]] = [("", content, 0)]
    while waiting:
        name, value, depth = waiting.pop()
        if depth > DEPTH_LIMIT:
            raise Invalid("The body is nested too deeply.", code="bad_json")
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, list):
            waiting += [(name, item, depth + 1) for item in value]
        elif isinstance(value, dict):
            waiting += [("key", key, depth) for key in value]
            waiting += [(key, item, depth + 1) for key, item in value.items()]
