"""The account's latest posts, for a person to pick the one whose outcome is unknown."""

from __future__ import annotations

from dataclasses import dataclass

from django.core import signing

from characters.models import Character
from characters.publishing import accounts, ledger
from characters.publishing.models import Post
from influencer.clients.platform import Platform, Published
from influencer.errors import Invalid, Problem

# A page waits for this.
SECONDS = 8.0
SALT = "a post that was found"


@dataclass(frozen=True)
class Candidate:
    """One of the account's latest posts; `pick` is what a form sends back for it."""

    found: Published

    @property
    def pick(self) -> str:
        return signing.dumps([self.found.id, self.found.permalink], salt=SALT)


def candidates(post: Post) -> list[Candidate] | None:
    """The account's latest posts but those the ledger knows as others; None when they can't be read."""
    character = Character.objects.filter(pk=post.character_id).first()
    if character is None:
        return None
    try:
        target = accounts.require(character, Platform(post.platform))
        if target.key != post.account:
            return None
        latest = accounts.publisher(character, target, seconds=SECONDS).latest()
    except Problem:
        return None
    others = ledger.known_ids(post)
    return [Candidate(one) for one in latest if one.id not in others]


def picked(pick: str) -> tuple[str, str]:
    """The id and the address of the post that was picked. Raises `Invalid`."""
    try:
        remote_id, permalink = signing.loads(pick, salt=SALT)
    except (signing.BadSignature, ValueError):
        raise Invalid("Pick the post once more.") from None
    return str(remote_id), str(permalink)
