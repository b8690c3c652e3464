"""Media containers: what was asked for, and how far it is."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum

from influencer.sandbox.store import DAY, Picture, Store, pictures_from_json, pictures_to_json


class Status(StrEnum):
    IN_PROGRESS = "IN_PROGRESS"
    FINISHED = "FINISHED"
    ERROR = "ERROR"
    EXPIRED = "EXPIRED"
    PUBLISHED = "PUBLISHED"


WORDS = {
    Status.IN_PROGRESS: "In Progress: Media is still being processed.",
    Status.FINISHED: "Finished: Media has been uploaded and it is ready to be published.",
    Status.EXPIRED: "Expired: Media was not published within 24 hours.",
    Status.PUBLISHED: "Published: Media has been published.",
}


@dataclass(frozen=True)
class Container:
    """One container; `kind` is image, child, carousel or story.

    `ready` is when it turns FINISHED (None: never), `failure` the subcode of an ERROR,
    `media` the id of the post made of it.
    """

    id: str
    account: str
    kind: str
    caption: str
    ai_label: bool
    pictures: tuple[Picture, ...]
    ready: float | None
    created: float
    failure: str = ""
    media: str = ""

    def status(self, now: float) -> Status:
        if self.media:
            return Status.PUBLISHED
        if now >= self.created + DAY:
            return Status.EXPIRED
        if self.ready is None or now < self.ready:
            return Status.IN_PROGRESS
        return Status.ERROR if self.failure else Status.FINISHED

    def words(self, now: float) -> str:
        """What the field `status` says."""
        status = self.status(now)
        if status == Status.ERROR:
            return f"Error: Media upload has failed with error code {self.failure}"
        return WORDS[status]


def new_id() -> str:
    """17 digits, the way container ids look."""
    return f"1788{secrets.randbelow(10**13):013d}"


def save(store: Store, container: Container) -> None:
    store.db.execute(
        "INSERT INTO containers"
        " (id, account, kind, caption, ai_label, pictures, ready, failure, created, media)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(container.id, container.account, container.kind, container.caption, container.ai_label),
            *(pictures_to_json(container.pictures), container.ready, container.failure),
            *(container.created, container.media),
        ),
    )


def load(store: Store, container_id: str) -> Container | None:
    row = None
    if container_id.isascii():
        row = store.db.execute("SELECT * FROM containers WHERE id = ?", (container_id,)).fetchone()
    if row is None:
        return None
    facts = dict(row)
    facts["pictures"] = pictures_from_json(facts["pictures"])
    facts["ai_label"] = bool(facts["ai_label"])
    return Container(**facts)


def set_published(store: Store, container_id: str, media_id: str) -> None:
    store.db.execute("UPDATE containers SET media = ? WHERE id = ?", (media_id, container_id))
