"""What follows when nobody knows whether a post went out: the platform is asked, and asked again.

Instagram's container knows for certain, so the post goes on from what it says. X's timeline can only
say yes; when it has not, the very same text is sent once more: X refuses a text it has already, and
that refusal is the yes. What stays open after that is a person's to settle.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from characters.publishing import ledger, setbacks
from characters.publishing.accounts import standing, waiting
from characters.publishing.models import Post, PostState
from characters.publishing.pace import pace
from characters.publishing.parcel import Parcel
from influencer.clients import captions
from influencer.clients.platform import Action, LookUp, PlatformError, Verdict
from influencer.errors import Problem
from influencer.jobs import Wait

# Once, and once more: a second repetition would prove no more than the first.
MOST_TRIES = 2
NOT_FOUND = LookUp(Verdict.UNCLEAR)


def clear_up(parcel: Parcel) -> None:
    """Find out what became of the decisive call.

    Comes back when the post is known to be out, known not to be, or may safely be sent once more.
    Raises `Wait` while the platform is to be asked later, `ServiceError` when nobody can say.
    """
    _take_up_again(parcel)
    looks = parcel.job.memo.get("looks", 0)
    if not looks:
        _ask_later(parcel, looks)
    found, trouble = _ask(parcel)
    if found.ids.get("remote_id"):
        _is_out(parcel, found)
    elif looks < len(pace().looks):
        _ask_later(parcel, looks)
    elif found.verdict is Verdict.NOT_PUBLISHED:
        _is_not_out(parcel)
    elif trouble or not _may_repeat(parcel, found):
        raise setbacks.unknown(parcel.post, trouble or _why_not_found(parcel.post, found))


def remains(parcel: Parcel, error: PlatformError) -> bool:
    """Whether the post may be out although this call was refused; then that is seen to.

    The refusal of a second call says nothing about the first. Raises `Wait`.
    """
    post, action = parcel.post, error.action
    if ledger.unanswered(post, ever=str(error.code) == "duplicate").exists():
        if action is Action.WAIT:
            raise waiting.hold(post, error)
        clear_up(parcel)
        return True
    # Before anything is done anew: the refusal may be the answer to what is out already.
    if action not in (Action.RETRY, Action.START_OVER):
        return False
    found, _ = _ask(parcel)
    if found.ids.get("remote_id"):
        _is_out(parcel, found)
    elif found.verdict is Verdict.PUBLISHED:
        _ask_later(parcel, 0)
    return found.verdict is Verdict.PUBLISHED


# --- asking ----------------------------------------------------------------------------------


def _take_up_again(parcel: Parcel) -> None:
    """A post that was given up as unknown is asked about from the start."""
    if parcel.post.state == PostState.UNKNOWN:
        parcel.job.remember(looks=0)
        ledger.write(parcel.job, parcel.post, state=PostState.PUBLISHING, error=None)


def _ask_later(parcel: Parcel, looks: int) -> None:
    """Raise `Wait` until the next look; their times count from when the answer was lost."""
    parcel.job.remember(looks=looks + 1)
    times = (0.0, *pace().looks)
    words = f"Asking {parcel.publisher.service} whether the post exists"
    raise Wait(_in(times[looks + 1] - times[looks]), "following", words)


def _ask(parcel: Parcel) -> tuple[LookUp, PlatformError | None]:
    """What the platform says, and what kept it from saying anything. Raises `Wait` when it wants rest."""
    post = parcel.post
    since, until = ledger.window(post)
    try:
        with ledger.attempted(post, "look_up") as entry:
            found = parcel.publisher.look_up(
                parcel.draft, post.remote_ids, since=since, until=until, others=ledger.known_ids(post)
            )
            entry.code, entry.message = _in_words(found)
    except PlatformError as error:
        if error.action is Action.WAIT:
            raise waiting.hold(post, error) from error
        return NOT_FOUND, error
    return found, None


def _in_words(found: LookUp) -> tuple[str, str]:
    if found.ids.get("remote_id"):
        return "", "It is there."
    if found.verdict is Verdict.PUBLISHED:
        return "not_found", "It is out, but not among the newest posts yet."
    return "not_found", "It is not to be found there."


# --- what follows ----------------------------------------------------------------------------


def _is_out(parcel: Parcel, found: LookUp) -> None:
    ledger.accept(parcel.job, parcel.post, found.ids)
    waiting.worked(parcel.post)


def _is_not_out(parcel: Parcel) -> None:
    """It is certain; what was prepared is looked at again, and published if it still can be."""
    setbacks.count_or_give_up(parcel.job, parcel.post)
    prepared = {name: id for name, id in parcel.post.remote_ids.items() if name != "container_status"}
    ledger.write(parcel.job, parcel.post, state=PostState.PREPARED, publishing_at=None, remote_ids=prepared)


def _may_repeat(parcel: Parcel, found: LookUp) -> bool:
    """Whether the same text may be sent once more: only where X would refuse a second one of it.

    Raises `Conflict` while the account is paused, `Wait` while it is held.
    """
    post = parcel.post
    if found.verdict is not Verdict.UNCLEAR or not captions.bare(post.caption):
        return False
    if ledger.tries_in_doubt(post) >= MOST_TRIES:
        return False
    standing.require_open(post.account)
    waiting.pass_hold(parcel.job, post)
    return True


def _why_not_found(post: Post, found: LookUp) -> Problem | None:
    name = post.get_platform_display()
    if found.verdict is Verdict.PUBLISHED:
        return Problem(f"{name} says it is out, but not which of its posts it is")
    if ledger.refused_as_duplicate(post):
        return Problem(f"{name} says it has this text already, but shows no such post")
    return None


def _in(seconds: float) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)
