"""`Idempotency-Key`: the same POST sent twice is done once. Ids and hashes are kept, never bodies."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from influencer.errors import Conflict, Invalid, Problem
from influencer.web.models import IdempotencyKey, digest

KEY = re.compile(r"[\x21-\x7e]{1,255}")
PATIENCE = 5.0  # seconds until the first of two parallel requests has made its job
ABANDONED = 600.0  # a request waits 300 s at most: after this its process has died before making anything


@dataclass(frozen=True)
class Claim:
    """One request's hold on a key. `subject` is what an earlier request with it has made."""

    row: int
    subject: str

    def bind(self, subject: str) -> None:
        """Note what this request made. Call it in the transaction that makes it."""
        IdempotencyKey.objects.filter(pk=self.row).update(subject=subject)

    def free(self) -> None:
        IdempotencyKey.objects.filter(pk=self.row).delete()

    def free_unless_bound(self) -> None:
        IdempotencyKey.objects.filter(pk=self.row, subject="").delete()


def claim(user_id: int, path: str, *, key: str, fingerprint: str) -> Claim:
    """Take the key, or find what it stands for; `fingerprint` is the hash of what was sent.

    Raises `Invalid` for a malformed key, `Conflict` when it came with another body
    (`idempotency_mismatch`) or its first request is still at work (`in_progress`).
    """
    if not KEY.fullmatch(key):
        raise Invalid("An Idempotency-Key has 1 to 255 visible ASCII characters.", code="bad_idempotency_key")
    row = IdempotencyKey(
        user_id=user_id,
        path=path.rstrip("/")[:200],
        key_hash=digest(key),
        body_hash=fingerprint,
    )
    IdempotencyKey.objects.filter(created_at__lt=timezone.now() - IdempotencyKey.KEPT).delete()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if taken := _take(row) or _find(row):
            return taken
        time.sleep(0.05)
    raise Conflict(
        "The first request with this Idempotency-Key is still at work. Send it again in a moment.",
        code="in_progress",
        retryable=True,
    )


def frees(problem: Problem) -> bool:
    """Whether the same request may be tried anew: it failed, may succeed, and surely did nothing."""
    unknown = getattr(problem, "outcome_unknown", False) or problem.code == "outcome_unknown"
    return bool(problem.retryable) and not unknown


def _take(row: IdempotencyKey) -> Claim | None:
    row.pk = None
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return None
    return Claim(row.pk, "")


def _find(row: IdempotencyKey) -> Claim | None:
    """What the key stands for; None while its request has not made anything, or when it was just freed."""
    found = IdempotencyKey.objects.filter(user_id=row.user_id, path=row.path, key_hash=row.key_hash).first()
    if found is None:
        return None
    if found.body_hash != row.body_hash:
        raise Conflict(
            "This Idempotency-Key was used with another body. Use a new key for a new request.",
            code="idempotency_mismatch",
        )
    if found.subject:
        return Claim(found.pk, found.subject)
    if (timezone.now() - found.created_at).total_seconds() > ABANDONED:
        found.delete()
    return None
