"""What the social stand-ins remember: accounts, posts, calls; it survives a restart."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from influencer.sandbox.config import SandboxSettings

DAY = 86_400
# What tests may change (`POST /control/limits`); seconds are divided by the speed.
LIMITS: dict[str, float] = {
    "instagram_quota": 100,
    "instagram_ready_seconds": 1.0,
    "x_timeline_lag": 2.0,
    "x_posts_per_window": 100,
    "x_posts_per_day": 10_000,
}
SCALED = {"instagram_ready_seconds", "x_timeline_lag"}
HANDLE = re.compile(r"SANDBOX-([A-Za-z0-9._]{1,30})$")

SCHEMA = """
CREATE TABLE IF NOT EXISTS numbers (name TEXT PRIMARY KEY, value REAL NOT NULL);
CREATE TABLE IF NOT EXISTS accounts (
    service TEXT, id TEXT, username TEXT NOT NULL, PRIMARY KEY (service, id));
CREATE TABLE IF NOT EXISTS tokens (
    service TEXT, token TEXT, account TEXT, used REAL NOT NULL, PRIMARY KEY (service, token, account));
CREATE TABLE IF NOT EXISTS posts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL, id TEXT UNIQUE NOT NULL,
    account TEXT NOT NULL, text TEXT NOT NULL, shown TEXT NOT NULL, ai_label INTEGER NOT NULL,
    pictures TEXT NOT NULL, code TEXT NOT NULL, extra TEXT NOT NULL,
    created REAL NOT NULL, deleted REAL);
CREATE INDEX IF NOT EXISTS posts_account ON posts (service, account, created);
CREATE TABLE IF NOT EXISTS calls (
    service TEXT NOT NULL, call TEXT NOT NULL, account TEXT NOT NULL, text TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS containers (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, kind TEXT NOT NULL, caption TEXT NOT NULL,
    ai_label INTEGER NOT NULL, pictures TEXT NOT NULL, ready REAL, failure TEXT NOT NULL,
    created REAL NOT NULL, media TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, picture TEXT NOT NULL, created REAL NOT NULL);
CREATE TABLE IF NOT EXISTS windows (
    account TEXT, call TEXT, started REAL NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (account, call));
"""
FORGOTTEN = ("posts", "calls", "containers", "uploads", "windows")


@dataclass(frozen=True)
class Account:
    """One account of a service; made when its token is first used."""

    service: str
    id: str
    username: str


@dataclass(frozen=True)
class Picture:
    """An image kept in the sandbox's own folder."""

    file: str
    width: int
    height: int
    alt: str = ""


@dataclass(frozen=True)
class Post:
    """One live or deleted post; `text` as it was sent, `shown` as the service shows it."""

    service: str
    id: str
    account: str
    text: str
    created: float
    shown: str = ""
    ai_label: bool = False
    pictures: tuple[Picture, ...] = ()
    code: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    deleted: float | None = None
    seq: int = 0


class Store:
    """One connection to `social.sqlite3` in the sandbox's folder, and its images."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.images = settings.data / "images"
        self.images.mkdir(parents=True, exist_ok=True)
        self.speed = settings.speed
        self.db = sqlite3.connect(
            settings.data / "social.sqlite3", timeout=5, isolation_level=None, check_same_thread=False
        )
        self.db.row_factory = sqlite3.Row
        self.db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + SCHEMA)

    def close(self) -> None:
        self.db.close()

    def set_speed(self, speed: float) -> None:
        self.speed = speed

    # Time and limits

    def now(self) -> float:
        """Seconds since 1970 on the sandbox's clock, which tests may put forward."""
        return time.time() + self.clock_ahead()

    def clock_ahead(self) -> float:
        return self._number("clock_ahead") or 0.0

    def advance(self, seconds: float) -> None:
        self._set_number("clock_ahead", self.clock_ahead() + seconds)

    def limit(self, name: str) -> float:
        value = self._number(name)
        if value is None:
            value = LIMITS[name]
        return value / self.speed if name in SCALED else value

    def set_limit(self, name: str, value: float) -> None:
        self._set_number(name, value)

    def limits(self) -> dict[str, float]:
        """The limits as set, before the speed counts."""
        return {name: value if (value := self._number(name)) is not None else LIMITS[name] for name in LIMITS}

    def _number(self, name: str) -> float | None:
        row = self.db.execute("SELECT value FROM numbers WHERE name = ?", (name,)).fetchone()
        return row["value"] if row else None

    def _set_number(self, name: str, value: float) -> None:
        self.db.execute("INSERT OR REPLACE INTO numbers VALUES (?, ?)", (name, value))

    # Accounts

    def claim(self, service: str, token: str, account_id: str) -> Account:
        """The account `account_id`, from now on one of this token's.

        A token that ends in `SANDBOX-<handle>` gives the account its name.
        """
        handle = HANDLE.search(token)
        username = handle[1] if handle else f"sandbox_{account_id[-6:]}"
        self.db.execute("INSERT OR IGNORE INTO accounts VALUES (?, ?, ?)", (service, account_id, username))
        if handle:
            self.db.execute(
                "UPDATE accounts SET username = ? WHERE service = ? AND id = ?",
                (username, service, account_id),
            )
        self.db.execute(
            "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?)",
            (service, digest(token), account_id, self.now()),
        )
        return self.account(service, account_id)

    def claimed(self, service: str, token: str) -> list[str]:
        """The accounts this token was used for, the latest first."""
        rows = self.db.execute(
            "SELECT account FROM tokens WHERE service = ? AND token = ? ORDER BY used DESC, rowid DESC",
            (service, digest(token)),
        )
        return [row["account"] for row in rows]

    def account(self, service: str, account_id: str) -> Account:
        row = self.db.execute(
            "SELECT username FROM accounts WHERE service = ? AND id = ?", (service, account_id)
        ).fetchone()
        return Account(service, account_id, row["username"] if row else f"sandbox_{account_id[-6:]}")

    # Images

    def keep_image(self, content: bytes, suffix: str) -> str:
        """Store the bytes under their own hash; returns the file's name."""
        name = f"{hashlib.sha256(content).hexdigest()[:32]}.{suffix}"
        target = self.images / name
        if not target.exists():
            draft = target.with_name(f"{name}.{os.getpid()}")
            draft.write_bytes(content)
            draft.replace(target)
        return name

    def image(self, name: str) -> Path | None:
        path = self.images / name
        return path if path.parent == self.images and path.is_file() else None

    # Posts

    def add_post(self, post: Post) -> None:
        self.db.execute(
            "INSERT INTO posts (service, id, account, text, shown, ai_label, pictures, code, extra, created)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(post.service, post.id, post.account, post.text, post.shown or post.text, post.ai_label),
                *(pictures_to_json(post.pictures), post.code, json.dumps(post.extra), post.created),
            ),
        )

    def post(self, service: str, post_id: str) -> Post | None:
        return next(self.posts(service, "id = ?", post_id), None)

    def posts(self, service: str, condition: str = "1", *words: Any, limit: int = -1) -> Iterator[Post]:
        """The service's posts that are not deleted, the newest first."""
        rows = self.db.execute(
            f"SELECT * FROM posts WHERE service = ? AND deleted IS NULL AND ({condition})"  # noqa: S608
            " ORDER BY seq DESC LIMIT ?",
            (service, *words, limit),
        )
        return map(_post, rows)

    def posted_since(self, service: str, account_id: str, since: float) -> list[float]:
        """When the account posted after `since`, deleted posts included, the oldest first."""
        rows = self.db.execute(
            "SELECT created FROM posts WHERE service = ? AND account = ? AND created > ? ORDER BY created",
            (service, account_id, since),
        )
        return [row["created"] for row in rows]

    def delete_post(self, service: str, post_id: str) -> None:
        self.db.execute(
            "UPDATE posts SET deleted = ? WHERE service = ? AND id = ?", (self.now(), service, post_id)
        )

    # Calls

    def note_call(self, account: Account, call: str, text: str) -> None:
        """Count a call that would publish `text`, whatever becomes of it."""
        self.db.execute(
            "INSERT INTO calls VALUES (?, ?, ?, ?, ?)",
            (account.service, call, account.id, text, self.now()),
        )

    def calls(self, service: str) -> list[dict[str, Any]]:
        rows = self.db.execute(
            "SELECT service, call, account, text, count(*) AS count, max(at) AS last FROM calls"
            " WHERE ? IN ('', service) GROUP BY service, call, account, text ORDER BY last DESC",
            (service,),
        )
        return [dict(row) for row in rows]

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Everything in the block, or nothing of it."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def forget(self) -> None:
        """Back to an empty feed; accounts, limits and the clock stay."""
        with self.at_once():
            for table in FORGOTTEN:
                self.db.execute(f"DELETE FROM {table}")  # noqa: S608
        for path in self.images.iterdir():
            path.unlink()


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_text(value: Any) -> bool:
    """Whether it is a string that can be stored: JSON may smuggle in half a surrogate pair."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def pictures_to_json(pictures: tuple[Picture, ...]) -> str:
    return json.dumps([asdict(picture) for picture in pictures])


def pictures_from_json(text: str) -> tuple[Picture, ...]:
    return tuple(Picture(**item) for item in json.loads(text))


def _post(row: sqlite3.Row) -> Post:
    facts = dict(row)
    facts["pictures"] = pictures_from_json(facts["pictures"])
    facts["extra"] = json.loads(facts["extra"])
    facts["ai_label"] = bool(facts["ai_label"])
    return Post(**facts)
