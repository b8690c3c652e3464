"""Real accounts whose platforms are the sandbox's stand-ins, which take them for real."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

from django.utils import timezone

from characters.models import Character
from characters.publishing import accounts
from characters.publishing.accounts import Account, tokens
from characters.publishing.standing_models import AccountStanding
from influencer.clients.platform import Platform
from tests.characters.people import someone
from tests.characters.stage import Stage

ID = "17841400000000001"
TOKEN = f"IGAA-{ID}-first"
X_KEYS = {
    "twitter_app_key": "app-key",
    "twitter_app_secret": "app-secret",
    "twitter_access_token": "2244994945-real",
    "twitter_access_secret": "access-secret",
}
DAY = 86_400


def pretend(settings: Any, stage: Stage, **more: Any) -> None:
    """Point the product at the stand-ins as if they were Instagram and X."""
    addresses = {"instagram_graph_url": f"{stage.url}/instagram", "x_api_url": f"{stage.url}/x"}
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, **addresses, **more)


def configure_app(settings: Any, secret: str = "app-secret") -> None:
    app = {"INSTAGRAM_APP_ID": "1234", "INSTAGRAM_APP_SECRET": secret}
    given = {**settings.INFLUENCER.credentials, **app}
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, credentials=given)


def owner_of(token: str = TOKEN, name: str = "Luna", **more: Any) -> Character:
    return someone(name, instagram_account_id=ID, instagram_api_key=token, instagram_handle="@luna", **more)


def place(character: Character, platform: Platform = Platform.INSTAGRAM) -> Account:
    return next(one for one in accounts.accounts_of([character])[character.pk] if one.platform is platform)


def advance(stage: Stage, days: float) -> None:
    stage.control("POST", "clock", {"advance": days * DAY})


def enter(character: Character, token: str) -> None:
    """Somebody puts another token into the record."""
    Character.objects.change(character.pk, lambda record: setattr(record, "instagram_api_key", token))


def aged(character: Character, stage: Stage, days: float = 51) -> Character:
    """The character with a token that was entered so many days ago, here and there."""
    accounts.publisher(character, place(character)).account()
    advance(stage, days)
    tokens.note(character, place(character))
    entered = timezone.now() - timedelta(days=days)
    AccountStanding.objects.filter(pk=place(character).key).update(
        token_since=entered, expires_at=entered + tokens.LIFE, checked_at=timezone.now()
    )
    return character
