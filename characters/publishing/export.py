"""Posts as a file to carry off: CSV or JSON, written as it is read, however many there are."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import orjson
from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from characters import services as characters
from characters.publishing.models import Post
from influencer.jobs.models import iso

Kind = Literal["csv", "json"]
KINDS: dict[str, str] = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
AT_ONCE = 200
# A spreadsheet takes a text that begins so for a formula, and runs it.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
COLUMNS = (
    "id",
    "characterId",
    "character",
    "platform",
    "account",
    "status",
    "sandbox",
    "caption",
    "altText",
    "aiLabel",
    "imageId",
    "remoteId",
    "permalink",
    "errorCode",
    "error",
    "attempts",
    "dueAt",
    "createdAt",
    "publishedAt",
)


def response(posts: QuerySet[Post], kind: Kind, *, name: str = "posts") -> StreamingHttpResponse:
    """A download of these posts."""
    parts = csv_parts(posts) if kind == "csv" else json_parts(posts)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(parts, content_type=KINDS[kind], headers=headers)


def csv_parts(posts: QuerySet[Post]) -> Iterator[str]:
    """Lines of CSV. The mark in front has Excel read it as UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(COLUMNS)
    known: dict[str, str] = {}
    for post in _read(posts):
        if post.character_id not in known:
            known[post.character_id] = characters.names([post.character_id]).get(post.character_id, "")
        yield writer.writerow([_cell(value) for value in _row(post, known[post.character_id])])


def json_parts(posts: QuerySet[Post]) -> Iterator[bytes]:
    """One JSON list, each post as the API gives it, with its attempts."""
    before = b"["
    for post in _read(posts):
        yield before + orjson.dumps(post.as_json(), option=orjson.OPT_UTC_Z)
        before = b",\n"
    yield b"]" if before != b"[" else b"[]"


def _read(posts: QuerySet[Post]) -> Iterator[Post]:
    return posts.prefetch_related("log").iterator(chunk_size=AT_ONCE)


def _row(post: Post, name: str) -> Iterable[Any]:
    error = post.error or {}
    return (
        post.pk,
        post.character_id,
        name,
        post.platform,
        post.account,
        post.state,
        post.sandbox,
        post.caption,
        post.alt_text,
        post.ai_label,
        post.image_id,
        post.remote_id,
        post.permalink,
        error.get("code", ""),
        error.get("message", ""),
        len(post.log.all()),
        iso(post.due_at),
        iso(post.created_at),
        iso(post.published_at) or "",
    )


def _cell(value: Any) -> str:
    """A value as a text that no spreadsheet runs."""
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


class _Echo:
    """Gives back what is written, so that a csv writer's line can be sent on at once."""

    def write(self, line: str) -> str:
        return line
