"""The clock's turn for accounts: see new tokens, renew ending ones, check Instagram once a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from characters import services as characters
from characters.models import Character
from characters.publishing import accounts
from characters.publishing.accounts import Account, connection, happenings, renewing, standing, tokens
from characters.publishing.standing_models import AccountStanding
from influencer.clients.platform import Platform
from influencer.errors import Problem
from influencer.jobs import clock
from influencer.jobs import services as jobs
from influencer.jobs.context import JobContext
from influencer.jobs.models import OPEN, Job

EVERY = 60.0
# X charges for each day an account is asked about, so only Instagram is asked unbidden.
CHECK_EVERY = timedelta(days=1)
CHECK = "check_account"


def connect() -> None:
    clock.register_tick(look, every=EVERY)


def look(now: datetime) -> None:
    """Note every real account's token, and start what is due. Asks nobody itself."""
    seen: set[tuple[str, str]] = set()
    for character, target in _real_accounts(seen):
        try:
            _attend(character, target, now)
        except Problem as problem:  # an account that can't be read keeps nobody else waiting
            mark = accounts.mark_of(character, target.platform)
            standing.learn(target.key, mark, problem=standing.problem_of(problem))
    tokens.tidy(seen)


def _attend(character: Character, target: Account, now: datetime) -> None:
    known = tokens.note(character, target)
    if target.platform is not Platform.INSTAGRAM:
        return
    if tokens.is_due(known, now):
        _renew(character, target, known, now)
    if (known.checked_at is None or now - known.checked_at >= CHECK_EVERY) and not _is_being_checked(target):
        jobs.start(CHECK, character_id=character.pk, request={"account": target.key})


def _renew(character: Character, target: Account, known: AccountStanding, now: datetime) -> None:
    """Start the job, or keep why it would be in vain."""
    refusal = tokens.why_not(character, target, known)
    said = standing.problem_of(refusal) if refusal else None
    if said and said["code"] != (known.refresh_problem or {}).get("code"):
        text = f"The token ends soon and could not be renewed: {said['message']} {said['fix']}".strip()
        happenings.tell(target.key, "warn", text, said["code"])
    standing.learn(target.key, known.token_mark, refresh_tried_at=now, refresh_problem=said)
    if refusal is None and not renewing.is_running(target.key):
        renewing.queue(character, target)


def _real_accounts(seen: set[tuple[str, str]]) -> Iterator[tuple[Character, Account]]:
    """Each real account once with each of its tokens, with the first character that has it."""
    for character in Character.objects.order_by("id"):
        for platform in Platform:
            target = accounts.account(character, platform, any_real=True)
            if target.kind != "real":
                continue
            if (here := (target.key, accounts.mark_of(character, platform))) not in seen:
                seen.add(here)
                yield character, target


def _is_being_checked(target: Account) -> bool:
    return Job.objects.filter(kind=CHECK, state__in=OPEN, request__account=target.key).exists()


def run_check(job: JobContext) -> dict[str, Any]:
    """The daily check as a job: it ends well whatever it finds, which is kept with the account."""
    with job.step("check"):
        checked = connection.check(characters.get(job.character_id), Platform.INSTAGRAM)
    return {"ok": checked.level != "bad", "message": checked.sentence}
