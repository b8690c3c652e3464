"""A small file over HTTP, whole or in the part that is asked for (RFC 9110, section 14)."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse

ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def jpeg(request: HttpRequest, content: bytes) -> HttpResponse:
    """The bytes, the asked part of them (206), or 416 for a part that is not there."""
    part = _part(request.headers.get("Range", ""), len(content))
    if part is None:
        answer = HttpResponse(content, content_type="image/jpeg")
    elif not part:
        answer = HttpResponse(status=416, content_type="text/plain")
        answer["Content-Range"] = f"bytes */{len(content)}"
    else:
        answer = HttpResponse(content[part.start : part.stop], status=206, content_type="image/jpeg")
        answer["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(content)}"
    answer["Accept-Ranges"] = "bytes"
    answer["Cache-Control"] = "no-store"
    answer["Content-Disposition"] = "inline"
    return answer


def _part(header: str, size: int) -> range | None:
    """The bytes asked for; None for the whole (also when the header says nothing usable), empty for none."""
    match = ONE_RANGE.fullmatch(header.strip())
    if not match or not (match[1] or match[2]):
        return None
    if not match[1]:
        return range(max(size - int(match[2]), 0), size)
    first, last = int(match[1]), int(match[2] or size - 1)
    if match[2] and last < first:
        return None
    return range(first, min(last + 1, size))
