"""What only others can tell before a post: does the account answer, and can the image be fetched?

Asked with time limits, by one at a time, and remembered for a while: X charges for being asked.
The account's answers are kept in its standing, so every process knows them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from characters.publishing import accounts
from characters.publishing.accounts import connection, standing, tokens
from characters.publishing.checks.checklist import Check, Level, Proposal
from characters.publishing.media import links
from characters.publishing.standing_models import AccountStanding
from influencer import effective
from influencer.clients import media_host, picture
from influencer.clients.errors import ServiceError
from influencer.clients.platform import Action, Platform, PlatformError
from influencer.clients.x_errors import UNPAID
from influencer.errors import Problem
from influencer.web import moments
from influencer.web.templatetags.ui import grouped

# How long an answer is good: a good one, and any other.
GOOD_FOR, BAD_FOR = timedelta(minutes=5), timedelta(seconds=20)
FEW_LEFT, SOON = 3, 7
TRIAL_SECONDS = 60
AGAIN = "It is asked again right before the post goes out."
REACH_FIX = "The address must lead here without a sign-in, a notice page or a redirect."
WHERE = {
    links.OWN: "Own link, open for a day at most, closed once the post is out.",
    links.S3: "Signed link to the bucket; the image is deleted once the post is out.",
}


@dataclass(frozen=True)
class _Trial:
    """What trying out a link brought, and when."""

    check: Check
    at: float

    @property
    def is_fresh(self) -> bool:
        limit = GOOD_FOR if self.check.level == "ok" else BAD_FOR
        return time.monotonic() - self.at < limit.total_seconds()


_trials: dict[str, _Trial] = {}
_under_way: set[str] = set()
_turn = threading.Lock()


def pending(proposal: Proposal) -> list[str]:
    """The questions nobody knows a fresh answer to, one for each line their answers will take."""
    found = []
    if _account_is_due(proposal):
        found.append(f"Does {proposal.account.name} take the account?")
        instagram = proposal.account.platform is Platform.INSTAGRAM
        if instagram or _known(proposal).posts_left is not None:
            found.append("How many posts are left today?")
    if _image_is_due(proposal):
        found.append("Can the image be fetched?")
    return found


def ask(proposal: Proposal, *, believing: bool = True) -> None:
    """Ask what is due. While another request asks the same, it is left to that one.

    Not `believing`, a bad answer is asked about anew however fresh it is: it may have been mended since.
    """
    for name, due, bad, question in (
        (f"account {proposal.account.key}", _account_is_due, _account_is_bad, _ask_account),
        (f"image {_place(proposal)}", _image_is_due, _image_is_bad, _try_link),
    ):
        if (due(proposal) or (not believing and bad(proposal))) and _begin(name):
            try:
                question(proposal)
            finally:
                _under_way.discard(name)


def lines(proposal: Proposal) -> Iterator[Check]:
    """The answers that are known and fresh."""
    if proposal.account.kind != "none" and not _account_is_due(proposal):
        yield from _account_lines(proposal, _known(proposal))
    if _is_fetched(proposal) and not _image_is_due(proposal):
        yield _trials[_place(proposal)].check


def _begin(name: str) -> bool:
    with _turn:
        if name in _under_way:
            return False
        _under_way.add(name)
        return True


# --- the account -----------------------------------------------------------------------------


def _account_is_due(proposal: Proposal) -> bool:
    if proposal.account.kind == "none":
        return False
    known = _known(proposal)
    if known.checked_at is None:
        return True
    return timezone.now() - known.checked_at > (GOOD_FOR if _is_well(known) else BAD_FOR)


def _account_is_bad(proposal: Proposal) -> bool:
    return proposal.account.kind != "none" and not _is_well(_known(proposal))


def _ask_account(proposal: Proposal) -> None:
    try:
        connection.check(proposal.character, proposal.account.platform)
    except Problem as problem:  # no stand-in runs, or a key that can't be opened: it is as good as not asked
        mark = accounts.mark_of(proposal.character, proposal.account.platform)
        said = standing.problem_of(problem)
        standing.learn(proposal.account.key, mark, checked_at=timezone.now(), unasked=said)


def _known(proposal: Proposal) -> AccountStanding:
    return tokens.known_of(proposal.character, proposal.account)


def _is_well(known: AccountStanding) -> bool:
    return known.problem is None and known.last_ok_at == known.checked_at


def _account_lines(proposal: Proposal, known: AccountStanding) -> Iterator[Check]:
    name = proposal.account.name
    if problem := refusal(proposal):
        yield Check.red(f"{name} refuses the account", problem, ("Connect again", "#accounts"))
        return
    if not _is_well(known):
        yield _unasked(name, known.unasked or {})
        return
    who = f"@{known.username}" if known.username else "the account"
    yield Check("ok", f"{name} answers as {who}", f"Asked {_ago(known)}.", code="answers")
    yield from _quota(name, known)
    days = known.days_left
    if days is not None and days <= SOON:
        detail = "It is renewed by itself where that is possible."
        title = f"{name}: the token expires in {days} day{'' if days == 1 else 's'}{known.guess}"
        yield Check("warn", title, detail, ("Renew", "#accounts"), code="token_expires")


def _unasked(name: str, why: dict[str, str]) -> Check:
    """Why nobody knows how the account stands; an app without credits is the owner's to mend."""
    if why.get("code") in UNPAID:
        return Check("warn", why["message"].rstrip("."), why.get("fix", ""), code=why["code"])
    return Check(
        "warn", f"{name} could not be asked", f"{why.get('message', '')} {AGAIN}".strip(), code="not_asked"
    )


def refusal(proposal: Proposal) -> ServiceError | None:
    """What the platform said against the account when it was last asked; None when it took it."""
    said = _known(proposal).problem
    if not said:
        return None
    return ServiceError(
        said["message"], service=proposal.account.name, code=said["code"], fix=said.get("fix", "")
    )


def _ago(known: AccountStanding) -> str:
    assert known.checked_at is not None
    return moments.relative(known.checked_at, timezone.now())


def _quota(name: str, known: AccountStanding) -> Iterator[Check]:
    """Of a rolling window: what is used up comes back by itself."""
    left = known.posts_left
    if left is None:
        return
    posts = f"{grouped(left)} post{'' if left == 1 else 's'} left today"
    limit = f"{name} allows {grouped(known.quota_limit)} in 24 h."
    if left == 0:
        detail = f"{limit} The post waits until there is room again."
        yield Check("warn", f"{name}: no post left today", detail, code="quota")
    else:
        level: Level = "warn" if left <= FEW_LEFT else "ok"
        yield Check(level, f"{name}: {posts}", limit, code="quota")


# --- the image -------------------------------------------------------------------------------


def _is_fetched(proposal: Proposal) -> bool:
    """Whether the platform fetches the image by a link that is worth trying."""
    account = proposal.account
    return account.platform is Platform.INSTAGRAM and account.kind != "none"


def _place(proposal: Proposal) -> str:
    """What a trial is remembered by: the address whose links were tried."""
    config, sandbox = effective.config(), proposal.account.sandbox
    if links.kind_for(sandbox=sandbox) == links.S3:
        return str(hash(config.media_s3_url))
    return config.own_url if sandbox else config.media_base_url


def _image_is_due(proposal: Proposal) -> bool:
    known = _trials.get(_place(proposal))
    return _is_fetched(proposal) and (known is None or not known.is_fresh)


def _image_is_bad(proposal: Proposal) -> bool:
    known = _trials.get(_place(proposal))
    return _is_fetched(proposal) and known is not None and known.check.level != "ok"


def _try_link(proposal: Proposal) -> None:
    """Open a link to a dot and fetch it as Instagram would."""
    sandbox = proposal.account.sandbox
    place, kind = _place(proposal), links.kind_for(sandbox=sandbox)
    inner = sandbox or media_host.is_on_this_side(effective.config().instagram_graph_url)
    host, name = links.trial(sandbox=sandbox)
    try:
        url = host.put(name, picture.dot(), seconds=TRIAL_SECONDS)
        check = _judged(media_host.fetch(url, inner=inner), kind)
        host.remove(name)
    except PlatformError as error:
        check = _troubled(error)
    _trials[place] = _Trial(check, time.monotonic())


def _judged(reach: media_host.Reach, kind: str) -> Check:
    if not reach.fault:
        return Check("ok", "The image can be fetched", WHERE[kind], code="media")
    if not reach.certain:
        detail = f"{reach.fault} From outside it may be different."
        return Check("warn", "The image's link could not be tried", detail, code="media")
    problem = ServiceError(
        f"Instagram can't fetch the image: {reach.fault}",
        service="Instagram",
        code="media_unreachable",
        fix=REACH_FIX,
    )
    return Check.red("Instagram can't fetch the image", problem)


def _troubled(error: PlatformError) -> Check:
    if error.action is Action.GIVE_UP:
        return Check.red("The bucket does not take the image", error)
    return Check("warn", "The bucket could not be tried", error.message, code="media")
