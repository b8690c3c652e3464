"""X's API v2: upload, alt text, post.

Documentation: docs.x.com/x-api/media/quickstart, …/posts/create-post, …/media/metadata (OpenAPI
2.167). The four keys sign each call (OAuth 1.0a) and are in no address, log line or error.
"""

from __future__ import annotations

import html
import logging
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from influencer.clients import captions, network
from influencer.clients.credentials import XCredentials
from influencer.clients.platform import (
    CLOCK_SLACK,
    Account,
    Answer,
    Call,
    Draft,
    Ids,
    LookUp,
    Outcome,
    Platform,
    PlatformError,
    Published,
    Quota,
    Stage,
    Step,
    Verdict,
    moment,
)
from influencer.clients.x_errors import day_limits, problem, rest, rule_for, used_up

if TYPE_CHECKING:
    from influencer.clients.x_client import Client

log = logging.getLogger(__name__)

SERVICE = "X"
# Of a timeline, when one post is looked for.
MOST_LOOKED_AT = 100
# Statuses that say enough without a body.
SPEAKING = {401, 402, 413, 429}


@dataclass(frozen=True)
class Post:
    """A post as X shows it: links shortened, one more for the image. `media_keys`: "3_<media id>"."""

    id: str
    text: str
    created_at: datetime | None = None
    media_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Wanted:
    """How a post looked for is recognised."""

    key: str
    text: str
    since: datetime
    until: datetime

    def is_it(self, post: Post) -> bool:
        if self.key in post.media_keys:
            return True
        if not self.text or post.created_at is None:
            return False
        in_time = self.since - CLOCK_SLACK <= post.created_at <= self.until + CLOCK_SLACK
        return in_time and captions.bare(html.unescape(post.text)) == self.text


class X:
    """One X account. Every call raises `PlatformError`; see `x_errors.py`."""

    service = SERVICE
    platform = Platform.X

    def __init__(
        self,
        credentials: XCredentials,
        *,
        base_url: str = "https://api.x.com",
        web_url: str = "https://x.com",
        seconds: float = 60.0,
    ) -> None:
        """`web_url` is where people read posts; `seconds` is how long an answer may take."""
        self._credentials = credentials
        self._base_url = base_url
        self._web_url = web_url.rstrip("/")
        self._seconds = seconds
        self._headers: Mapping[str, str] = {}
        self._status: int | None = None

    # The steps of a post

    @property
    def steps(self) -> tuple[Step, ...]:
        return (
            Step("upload", "Upload", "media_id", Stage.RESERVED, self._upload_step),
            Step("alt_text", "Alt text", "alt_text", Stage.PREPARED, self._alt_text_step),
            Step("publish", "Publish", "remote_id", Stage.PUBLISHING, self._publish_step),
            Step("link", "Link", "permalink", Stage.PUBLISHED, self._link_step, optional=True),
        )

    def _upload_step(self, draft: Draft, ids: Ids) -> Outcome:
        return Outcome({"media_id": self.upload(draft.picture)}, status=self._status)

    def _alt_text_step(self, draft: Draft, ids: Ids) -> Outcome:
        if not draft.alt_text.strip():
            return Outcome({"alt_text": "none"})
        self.set_alt_text(ids["media_id"], draft.alt_text)
        return Outcome({"alt_text": "set"}, status=self._status)

    def _publish_step(self, draft: Draft, ids: Ids) -> Outcome:
        post = self.create_post(draft.caption, (ids["media_id"],), made_with_ai=draft.ai_label)
        return Outcome({"remote_id": post.id}, status=self._status)

    def _link_step(self, draft: Draft, ids: Ids) -> Outcome:
        return Outcome({"permalink": self.permalink(ids["remote_id"])})

    def look_up(
        self,
        draft: Draft,
        ids: Ids,
        *,
        since: datetime,
        until: datetime | None = None,
        others: Collection[str] = (),
    ) -> LookUp:
        """Look among the newest posts for the uploaded image, or the same text within ± 10 min.

        Not found is UNCLEAR, never NOT_PUBLISHED: the timeline lags behind.
        """
        wanted = _Wanted(f"3_{ids.get('media_id', '')}", captions.bare(draft.caption), since, until or since)
        for post in self.recent(MOST_LOOKED_AT, since=since - CLOCK_SLACK):
            if post.id not in others and wanted.is_it(post):
                found = {"remote_id": post.id, "permalink": self.permalink(post.id)}
                return LookUp(Verdict.PUBLISHED, found)
        return LookUp(Verdict.UNCLEAR)

    def latest(self) -> list[Published]:
        return [
            Published(post.id, html.unescape(post.text), self.permalink(post.id), post.created_at)
            for post in self.recent()
        ]

    def rest(self) -> float | None:
        """Seconds until X's limits allow another post, when the last one used one of them up."""
        return used_up(self._headers)

    def allowance(self) -> Quota | None:
        """Of the day's limits the one that is nearer; X tells them to whoever has just posted."""
        found = day_limits(self._headers)
        return min(found, key=lambda quota: (quota.limit or 0) - quota.used, default=None)

    # The single calls

    def upload(self, jpeg: bytes) -> str:
        """Upload a JPEG of at most 5 MB; its media id, usable for 24 h."""
        files = {"media": ("image.jpg", jpeg, "image/jpeg")}
        form = {"media_category": "tweet_image"}
        call = self._call("upload")
        return _id(self._send(call, "POST", "/2/media/upload", files=files, data=form), call)

    def set_alt_text(self, media_id: str, text: str) -> None:
        """Describe an uploaded image, before it is posted."""
        metadata = {"alt_text": {"text": captions.clean(text)}}
        body = {"id": media_id, "metadata": metadata}
        self._send(self._call("alt_text"), "POST", "/2/media/metadata", json=body)

    def create_post(self, text: str, media_ids: tuple[str, ...], *, made_with_ai: bool = True) -> Post:
        """Publish. The one call that must never be repeated blindly."""
        body: dict[str, Any] = {"text": captions.clean(text), "media": {"media_ids": list(media_ids)}}
        if made_with_ai:
            body["made_with_ai"] = True
        call = self._call("publish", decisive=True)
        answer = self._send(call, "POST", "/2/tweets", json=body)
        return Post(_id(answer, call), str(answer["data"].get("text", "")))

    def recent(self, limit: int = 10, *, since: datetime | None = None) -> list[Post]:
        """The account's newest posts (5 to 100), newest first; the very last ones may be missing."""
        path = f"/2/users/{quote(self.account().id, safe='')}/tweets"
        params = {"max_results": str(limit), "tweet.fields": "created_at,attachments"}
        if since:
            params["start_time"] = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        rows = self._send(self._call("recent"), "GET", path, params=params).get("data")
        return [_post(row) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    def account(self) -> Account:
        """Whose keys these are."""
        call = self._call("account")
        answer = self._send(call, "GET", "/2/users/me", params={"user.fields": "profile_image_url"})
        id, user = _id(answer, call), answer["data"]
        username, name, picture = (
            str(user.get(key, "")) for key in ("username", "name", "profile_image_url")
        )
        return Account(id, username, name, picture)

    def permalink(self, post_id: str) -> str:
        """The post's address; X leads on from it to the one with the account's name."""
        return f"{self._web_url}/i/web/status/{quote(post_id, safe='')}"

    def quota(self) -> Quota | None:
        """The day's allowance, known only after this client has posted: X has no question for it."""
        return self.allowance()

    # HTTP

    @cached_property
    def _client(self) -> Client:
        # tweepy takes 0.3 s to import, and most processes never post.
        from influencer.clients.x_client import Client  # noqa: PLC0415

        return Client(self._credentials, base_url=self._base_url, seconds=self._seconds)

    def _call(self, name: str, *, decisive: bool = False) -> Call:
        return Call(SERVICE, name, decisive=decisive, seconds=self._seconds)

    def _send(self, call: Call, method: str, route: str, **parts: Any) -> dict[str, Any]:
        started = time.monotonic()
        try:
            body = self._exchange(call, method, route, **parts)
        except PlatformError as error:
            network.log_call(log, call, started, error.code)
            raise
        network.log_call(log, call, started, f"ok {_data(body).get('id', '')}".strip())
        return body

    def _exchange(self, call: Call, method: str, route: str, **parts: Any) -> dict[str, Any]:
        client = self._client
        network.refuse_forbidden(self._base_url, call)
        try:
            response = client.request(method, route, **parts)
        except client.refused as error:
            raise self._refusal(error.response, call) from error  # type: ignore[attr-defined]
        except requests.RequestException as error:
            raise network.failed(error, call) from error
        self._status = response.status_code
        if call.decisive:
            self._headers = response.headers
        body = network.json_object(response)
        if body is None:
            raise network.unreadable(response.status_code, call)
        return body

    def _refusal(self, response: requests.Response, call: Call) -> PlatformError:
        body = network.json_object(response)
        if body is None and not (response.status_code in SPEAKING or response.status_code >= 500):
            return network.unreadable(response.status_code, call)
        found = problem(response.status_code, body or {})
        rule = rule_for(found)
        keys = (self._credentials.app_key, self._credentials.access_token)
        said = network.harmless(found.said, *keys)
        return PlatformError(rule, call, Answer(found.status, rest(rule, found, response.headers), said))


def _data(body: Mapping[str, Any]) -> Mapping[str, Any]:
    data = body.get("data")
    return data if isinstance(data, dict) else {}


def _id(body: Mapping[str, Any], call: Call) -> str:
    if not _data(body).get("id"):
        raise network.unreadable(200, call)
    return str(body["data"]["id"])


def _post(row: Mapping[str, Any]) -> Post:
    attachments = row.get("attachments") or {}
    keys = tuple(str(key) for key in attachments.get("media_keys") or ())
    return Post(str(row.get("id", "")), str(row.get("text", "")), moment(row.get("created_at")), keys)
