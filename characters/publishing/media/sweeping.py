"""Takes away the JPEGs whose links are closed or over, here and in the bucket."""

from __future__ import annotations

import logging
import threading
from datetime import datetime

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from characters.publishing.media import links
from characters.publishing.models import MediaLink, Post
from influencer.errors import Problem
from influencer.jobs import clock

log = logging.getLogger(__name__)

EVERY = 20.0
AT_ONCE = 100
_sweeping = threading.Lock()


def connect() -> None:
    """Have the clock sweep."""
    clock.register_tick(tick, every=EVERY)


def tick(now: datetime) -> None:
    """Sweep beside the clock, which a bucket that hangs must not hold up."""
    if _over(now).exists() and not _sweeping.locked():
        threading.Thread(target=_sweep_alone, name="links", daemon=True).start()


def sweep(post: Post | None = None) -> int:
    """Take away what nobody may fetch any more, of one post or of all; how many it was.

    What can't be taken away now stays for the next time.
    """
    over = _over(timezone.now())
    if post:
        return sum(_take_away(link) for link in over.filter(post=post))
    # A hundred of each host: what one of them does not give up must not keep the other's from going.
    found = [link for kind in (links.OWN, links.S3) for link in over.filter(host=kind)[:AT_ONCE]]
    return sum(_take_away(link) for link in found)


def _over(now: datetime) -> QuerySet[MediaLink]:
    return MediaLink.objects.exclude(file="").filter(Q(revoked_at__isnull=False) | Q(expires_at__lte=now))


def _take_away(link: MediaLink) -> bool:
    try:
        links.host(link.host).remove(link.file)
    except (Problem, OSError, ValueError) as error:
        log.warning("links: a JPEG (%s) could not be taken away: %s", link.host, type(error).__name__)
        return False
    MediaLink.objects.filter(pk=link.pk).update(file="")
    return True


def _sweep_alone() -> None:
    with _sweeping:
        try:
            sweep()
        finally:
            connection.close()
