"""Instagram's content publishing API: container, status, publish, permalink.

Documentation: developers.facebook.com/docs/instagram-platform/content-publishing (v25.0) and
…/instagram-graph-api/reference/ig-user/media. The token travels in a header only, so it is never
in an address, a log line or an error.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from influencer.clients import captions, network
from influencer.clients.credentials import InstagramCredentials
from influencer.clients.instagram_errors import EXPIRED, HOUR, rule_for_status_text
from influencer.clients.instagram_graph import FACEBOOK, Graph
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

SERVICE = "Instagram"
# Of the account's newest posts, when one is looked for, and when their times are.
MOST_LOOKED_AT, MOST_LISTED = 25, 100
# Their clock and ours may differ: not asked again sooner.
LEAST_REST = timedelta(minutes=1)


@dataclass(frozen=True)
class ContainerStatus:
    """`code`: IN_PROGRESS, FINISHED, ERROR, EXPIRED (24 h) or PUBLISHED; `text` says why on ERROR."""

    code: str
    text: str = ""


@dataclass(frozen=True)
class Media:
    """A published post. `timestamp` is None when Instagram's can't be read."""

    id: str
    caption: str
    permalink: str
    timestamp: datetime | None


class Instagram:
    """One professional account. Every call raises `PlatformError`; see `instagram_errors.py`."""

    service = SERVICE
    platform = Platform.INSTAGRAM

    def __init__(
        self,
        credentials: InstagramCredentials,
        *,
        base_url: str = "",
        api_version: str = "v25.0",
        seconds: float = 60.0,
    ) -> None:
        """`base_url` overrides the host given by the token; `seconds` is how long an answer may take."""
        self._credentials = credentials
        self._seconds = seconds
        self._graph = Graph(credentials.token, base_url=base_url, api_version=api_version)

    # The steps of a post

    @property
    def steps(self) -> tuple[Step, ...]:
        return (
            Step("container", "Upload", "container_id", Stage.RESERVED, self._container_step),
            Step("processing", "Process", "container_status", Stage.PREPARED, self._processing_step),
            Step("publish", "Publish", "remote_id", Stage.PUBLISHING, self._publish_step),
            Step("link", "Link", "permalink", Stage.PUBLISHED, self._link_step, optional=True),
        )

    def _container_step(self, draft: Draft, ids: Ids) -> Outcome:
        container = self.create_container(
            draft.picture_url, draft.caption, alt_text=draft.alt_text, ai_label=draft.ai_label
        )
        return Outcome({"container_id": container}, status=self._graph.status)

    def _processing_step(self, draft: Draft, ids: Ids) -> Outcome:
        status = self.container_status(ids["container_id"])
        call = self._call("processing")
        if status.code == "EXPIRED":
            raise PlatformError(EXPIRED, call)
        if status.code == "ERROR":
            said = network.harmless(status.text, self._credentials.token)
            raise PlatformError(rule_for_status_text(status.text), call, Answer(said=said))
        done = status.code in {"FINISHED", "PUBLISHED"}
        ids = {"container_status": status.code} if done else {}
        return Outcome(ids, ready=done, status=self._graph.status)

    def _publish_step(self, draft: Draft, ids: Ids) -> Outcome:
        media_id = self.publish(ids["container_id"])
        return Outcome({"remote_id": media_id}, status=self._graph.status)

    def _link_step(self, draft: Draft, ids: Ids) -> Outcome:
        link = self.permalink(ids["remote_id"])
        return Outcome({"permalink": link}, status=self._graph.status)

    def look_up(
        self,
        draft: Draft,
        ids: Ids,
        *,
        since: datetime,
        until: datetime | None = None,
        others: Collection[str] = (),
    ) -> LookUp:
        """Ask the container: it alone knows.

        PUBLISHED without ids: it exists, but is not among the newest posts yet; ask again.
        NOT_PUBLISHED: the same container may be published again, as Instagram publishes none
        twice; a new one not before this one has expired.
        """
        status = self.container_status(ids["container_id"])
        if status.code != "PUBLISHED":
            return LookUp(Verdict.NOT_PUBLISHED, {})
        listed = [one for one in self.recent(MOST_LOOKED_AT) if one.id not in others]
        media = _match(listed, draft.caption, since - CLOCK_SLACK)
        if media is None:
            return LookUp(Verdict.PUBLISHED, {})
        found = {"remote_id": media.id, "permalink": media.permalink}
        return LookUp(Verdict.PUBLISHED, {key: value for key, value in found.items() if value})

    def latest(self) -> list[Published]:
        return [Published(one.id, one.caption, one.permalink, one.timestamp) for one in self.recent(10)]

    def rest(self) -> float | None:
        """Seconds the account should rest: Instagram says that 90 % of what it allows are used up."""
        load = self._graph.usage
        return (load.regain or HOUR) if load.tired else None

    def allowance(self) -> None:
        """Instagram tells it only to whoever asks: see `quota`."""

    # The single calls

    def create_container(
        self, image_url: str, caption: str, *, alt_text: str = "", ai_label: bool = True
    ) -> str:
        """Have Instagram fetch the JPEG at `image_url`; its container id, usable for 24 h.

        Nothing is public yet, and an unused container does no harm.
        """
        form = {"image_url": image_url, "caption": captions.clean(caption)}
        if alt_text.strip():
            form["alt_text"] = captions.clean(alt_text)
        if ai_label:
            form["is_ai_generated"] = "true"
        call = self._call("container")
        return _id(self._graph.post(call, f"{self._account}/media", form), call)

    def container_status(self, container_id: str) -> ContainerStatus:
        body = self._read("processing", _path(container_id), "status_code,status")
        return ContainerStatus(str(body.get("status_code", "")), str(body.get("status", "")))

    def publish(self, container_id: str) -> str:
        """Publish a finished container; the media id. The one call that must never be repeated blindly."""
        call = self._call("publish", decisive=True)
        form = {"creation_id": container_id}
        return _id(self._graph.post(call, f"{self._account}/media_publish", form), call)

    def permalink(self, media_id: str) -> str:
        """The post's address: it can't be built from the id."""
        body = self._read("link", _path(media_id), "id,permalink")
        if not body.get("permalink"):
            raise network.unreadable(200, self._call("link"))
        return str(body["permalink"])

    def recent(self, limit: int = 5) -> list[Media]:
        """The newest posts of the account, newest first."""
        fields = "id,caption,permalink,timestamp"
        body = self._read("recent", f"{self._account}/media", fields, limit=str(limit))
        return [_media(row) for row in _rows(body)]

    def account(self) -> Account:
        """Whose token it is. `id` is the one to publish under (`user_id`, never the app-scoped `id`)."""
        fields = "id,username,name,profile_picture_url"
        if self._credentials.token.startswith(FACEBOOK):
            body = self._read("account", self._account, fields)
        else:
            body = self._read("account", "me", f"user_id,{fields}")
        return Account(
            id=str(body.get("user_id") or body.get("id", "")),
            username=str(body.get("username", "")),
            name=str(body.get("name", "")),
            picture_url=str(body.get("profile_picture_url", "")),
        )

    def quota(self) -> Quota:
        """Posts published and allowed in the rolling window; the limit is Instagram's word, never ours.

        Where none is left, `until` is when the window lets go of the oldest that can count.
        """
        body = self._read("quota", f"{self._account}/content_publishing_limit", "quota_usage,config")
        row = next(iter(_rows(body)), {})
        config = row.get("config") or {}
        load = self._graph.usage
        known = Quota(
            used=_whole(row.get("quota_usage")) or 0,
            limit=_whole(config.get("quota_total")),
            seconds=_whole(config.get("quota_duration")) or 86_400,
            busy=load.percent,
            retry_after=self.rest(),
        )
        return replace(known, until=self._room_at(known)) if known.is_used_up else known

    def _room_at(self, quota: Quota) -> datetime | None:
        """When there can be room again at the earliest; None when the newest posts don't tell.

        What was posted in the app is listed too and does not count; what counts and was deleted is not.
        """
        now, window = datetime.now(UTC), timedelta(seconds=quota.seconds)
        try:
            listed = self.recent(max(1, min(quota.used, MOST_LISTED)))
        except PlatformError:
            return None
        times = sorted(one.timestamp for one in listed if one.timestamp and one.timestamp > now - window)
        if not times:
            return None
        # So many have to leave; those that are not listed are taken for the oldest.
        leaving = max(min(len(times), quota.used) - (quota.limit or 0), 0)
        return min(max(times[leaving] + window, now + LEAST_REST), now + window)

    @property
    def _account(self) -> str:
        return _path(self._credentials.account_id)

    def _read(self, name: str, path: str, fields: str, **params: str) -> dict[str, Any]:
        return self._graph.get(self._call(name), path, {"fields": fields, **params})

    def _call(self, name: str, *, decisive: bool = False) -> Call:
        return Call(SERVICE, name, decisive=decisive, seconds=self._seconds)


def _id(body: Mapping[str, Any], call: Call) -> str:
    if not body.get("id"):
        raise network.unreadable(200, call)
    return str(body["id"])


def _path(id: str) -> str:
    return quote(id, safe="")


def _rows(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = body.get("data")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _whole(value: object) -> int | None:
    """A figure of Meta's, which may come as text; None where there is none."""
    return int(value) if isinstance(value, int | str) and str(value).isdigit() else None


def _media(row: Mapping[str, Any]) -> Media:
    id, caption, permalink = (str(row.get(key, "")) for key in ("id", "caption", "permalink"))
    return Media(id, caption, permalink, moment(row.get("timestamp")))


def _match(media: list[Media], caption: str, since: datetime) -> Media | None:
    """The newest post with that caption made after `since`, else the only one made after it."""
    recent = [one for one in media if one.timestamp is not None and one.timestamp >= since]
    wanted = captions.bare(caption)
    same = [one for one in recent if captions.bare(one.caption) == wanted]
    if same:
        return same[0]
    return recent[0] if len(recent) == 1 else None
