"""Characters for tests, one call each."""

from __future__ import annotations

from typing import Any

from characters.models import Character

INSTAGRAM = {"instagram_account_id": "17841400000000001", "instagram_api_key": "IGAA-a-real-looking-token"}
X = {
    "twitter_app_key": "app-key",
    "twitter_app_secret": "app-secret",
    "twitter_access_token": "123456-access-token",
    "twitter_access_secret": "access-secret",
}


def someone(name: str = "Luna", **fields: Any) -> Character:
    given = {"personality": "Dreamy", "trigger_word": "luna_character", **fields}
    made: Character = Character.objects.create(name=name, **given)
    return made
