"""Renew tokens before they end: a job puts the new one where the old one was, if that is still there."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from characters import services as characters
from characters.models import Character
from characters.publishing import accounts
from characters.publishing.accounts import Account, standing, tokens
from influencer import effective
from influencer.clients.instagram_tokens import Login, Renewed, Tokens, login_of
from influencer.clients.platform import Platform
from influencer.errors import Conflict, Problem
from influencer.jobs import services as jobs
from influencer.jobs.context import JobContext
from influencer.jobs.models import OPEN, Job, iso
from influencer.jsondb import Secret

KIND = "renew_token"


def start(character: Character, *, user_id: int | None = None) -> Job:
    """Queue the renewal of the character's Instagram token.

    Raises `Conflict` when it can't be renewed (`token_in_environment`, `no_app`, `expired`, `too_young`,
    `no_expiry`), or when a renewal is under way (`running`).
    """
    target = accounts.require(character, Platform.INSTAGRAM)
    if refusal := _hindrance(character, target):
        raise refusal
    if is_running(target.key):
        raise Conflict("The token is being renewed already.", code="running")
    return queue(character, target, user_id=user_id)


def queue(character: Character, target: Account, *, user_id: int | None = None) -> Job:
    return jobs.start(KIND, character_id=character.pk, request={"account": target.key}, user_id=user_id)


def is_running(key: str) -> bool:
    return Job.objects.filter(kind=KIND, state__in=OPEN, request__account=key).exists()


def _hindrance(character: Character, target: Account) -> Problem | None:
    if target.kind != "real":
        return Conflict("Practice needs no token.", code="no_expiry")
    return tokens.why_not(character, target, tokens.note(character, target))


def run(job: JobContext) -> dict[str, Any]:
    """The worker's part. The token is in memory only: a crash renews the old one once more."""
    character = characters.get(job.character_id)
    target = accounts.require(character, Platform.INSTAGRAM)
    try:
        if refusal := _hindrance(character, target):
            raise refusal
        with job.step("renew"):
            seen, fresh = character.instagram_api_key, _renewed(character)
        with job.step("store"):
            _store(character, target, seen=seen, fresh=fresh)
    except Problem as problem:
        _note_failure(character, target, problem)
        raise
    job.finish({"account": target.key, "expiresAt": iso(fresh.expires_at)}, _told(fresh))
    return {}


def _told(fresh: Renewed) -> str:
    if fresh.expires_at is None:
        return "The token was renewed"
    return f"The token was renewed; it ends on {timezone.localdate(fresh.expires_at):%-d %b %Y}"


def _renewed(character: Character) -> Renewed:
    token, config = accounts.token(character, Platform.INSTAGRAM), effective.config()
    asked = Tokens(token, base_url=config.instagram_graph_url, api_version=config.instagram_api_version)
    app = tokens.app()
    return asked.exchange(app) if login_of(token) is Login.FACEBOOK and app else asked.refresh()


def _store(character: Character, target: Account, *, seen: Secret, fresh: Renewed) -> None:
    """Put the new token into every character that held the old one. Raises `Conflict` (`token_changed`)."""
    old = seen.reveal()
    holders = accounts.sharing(target.platform, target.key)
    stored = [_replace(one, old, fresh.token) for one in holders]
    if not any(stored):
        raise Conflict(
            "Another token was entered meanwhile; the renewed one is dropped.", code="token_changed"
        )
    tokens.replaced(target.key, old, fresh)


def _replace(character: Character, old: str, new: str) -> bool:
    """Whether the record, as it lies in the file now, still held the old token and has the new one."""
    done: list[bool] = []

    def change(record: Character) -> None:
        done[:] = [record.instagram_api_key.reveal() == old]
        if done[0]:
            record.instagram_api_key = new

    Character.objects.change(character.pk, change)
    return done[0]


def _note_failure(character: Character, target: Account, problem: Problem) -> None:
    mark = accounts.mark_of(character, target.platform)
    said = standing.problem_of(problem)
    standing.learn(
        target.key, mark, refresh_tried_at=timezone.now(), refresh_problem=said, **standing.ended(problem)
    )
