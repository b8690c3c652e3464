"""The first account: a one-time link, or the password from the environment."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth import password_validation
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from influencer import effective
from influencer.errors import Conflict, Invalid, NotFound
from influencer.web import zone
from influencer.web.models import SetupLink

OWNER = "owner"

# Called with the new owner when "Start with three sample characters" is ticked; may raise `Problem`.
after_setup: list[Callable[[User], None]] = []


def owner_missing() -> bool:
    return not User.objects.exists()


def make_link() -> str:
    """The token of a new set-up link (`/setup/<token>/`): works once, for an hour, while no user exists.

    An older link stops working. Raises `Conflict` when there is a user already.
    """
    if not owner_missing():
        raise _taken()
    return SetupLink.make()


def is_open(token: str) -> bool:
    """Whether this link would still make the owner's account."""
    return owner_missing() and SetupLink.alive(token).exists()


def create_owner(*, username: str, password: str, time_zone: str = "") -> User:
    """Make the first account, which may do everything.

    Raises `Invalid` for a weak password or an unknown zone, `Conflict` when any user exists.
    """
    check_password(password, username)
    with transaction.atomic():
        owner = _create(username, password)
        if time_zone:
            zone.choose(time_zone)
    return owner


def use_link(token: str, *, username: str, password: str, time_zone: str) -> User:
    """Make the owner and use up the link. Raises `NotFound` when the link is not open (any more)."""
    check_password(password, username)
    with transaction.atomic():
        if not SetupLink.alive(token).update(used_at=timezone.now()):
            raise NotFound("This set-up link was used, or is older than an hour.", code="link_closed")
        owner = _create(username, password)
        if not effective.locked("time_zone"):
            zone.choose(time_zone)
    return owner


def check_password(password: str, username: str) -> None:
    """Raise `Invalid` unless the password has 12 characters and is no common one."""
    user = User(username=username)
    try:
        password_validation.validate_password(password, user)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), fields={"password": list(error.messages)}) from error


def _create(username: str, password: str) -> User:
    if not owner_missing():
        raise _taken()
    return User.objects.create_superuser(username=username, password=password)


def _taken() -> Conflict:
    return Conflict("There is an account already. Sign in with it.", code="owner_exists")
