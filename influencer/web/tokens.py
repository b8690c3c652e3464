"""API tokens: made once, looked up at each call."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from influencer.errors import Conflict, NotFound
from influencer.web.models import ApiToken, digest

PREFIX = "inf_"
NOTED_EVERY = timedelta(minutes=1)


def make(name: str, *, username: str = "", days: int | None = None) -> str:
    """A new token for `username` (by default the first owner). It can't be shown again.

    Raises `NotFound` for an unknown user, `Conflict` when a live token has this name.
    """
    token = PREFIX + secrets.token_urlsafe(32)
    expires = timezone.now() + timedelta(days=days) if days else None
    user = _user(username)
    try:
        with transaction.atomic():
            ApiToken.objects.create(name=name, user=user, token_hash=digest(token), expires_at=expires)
    except IntegrityError as error:
        raise Conflict(
            f"There is a token named '{name}' already. Revoke it first, or choose another name.",
            code="token_exists",
        ) from error
    return token


def revoke(name: str) -> None:
    """Stop the token of this name for good. Raises `NotFound`."""
    if not ApiToken.objects.filter(name=name, revoked_at=None).update(revoked_at=timezone.now()):
        raise NotFound(f"There is no live token named '{name}'.")


def user_of(token: str) -> User | None:
    """Whom the token stands for; None when it is unknown, revoked or expired."""
    found = ApiToken.objects.select_related("user").filter(token_hash=digest(token)).first()
    now = timezone.now()
    if found is None or not found.is_good(now):
        return None
    if found.last_used_at is None or now - found.last_used_at > NOTED_EVERY:
        ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
    return found.user


def _user(username: str) -> User:
    users = User.objects.filter(is_active=True)
    wanted = users.filter(username=username) if username else users.filter(is_superuser=True)
    user = wanted.order_by("pk").first()
    if user is None:
        raise NotFound(
            f"There is no user '{username}'." if username else "There is no owner yet. Set one up first."
        )
    return user
