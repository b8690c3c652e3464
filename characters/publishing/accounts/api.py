"""The accounts of characters as JSON, as `docs/api.md` describes them."""

from __future__ import annotations

from typing import Any

from characters import services as characters
from characters.models import Character
from characters.publishing import accounts
from characters.publishing.accounts import Account, connection, renewing, standing
from characters.publishing.standing_models import AccountStanding
from influencer.clients.platform import Platform
from influencer.errors import Invalid
from influencer.web.endpoint import Answer, ApiRequest, endpoint

NAMES = {"instagram": Platform.INSTAGRAM, "x": Platform.X, "twitter": Platform.X}


@endpoint(methods=("GET", "POST"))
def account_list(request: ApiRequest) -> Answer:
    """How the accounts of one character, or of all, stand; POST does something about one."""
    if request.method == "POST":
        return _act(request)
    wanted = request.GET.get("characterId", "")
    chosen = [characters.get(wanted)] if wanted else list(characters.search())
    found = accounts.accounts_of(chosen)
    return {"accounts": [as_json(one, target) for one in chosen for target in found[one.pk]]}


def _act(request: ApiRequest) -> Answer:
    character = characters.get(_id(request.json.get("characterId")))
    platform = NAMES.get(str(request.json.get("platform", "")))
    if platform is None:
        raise Invalid("platform must be instagram or x.", fields={"platform": ["instagram or x."]})
    match request.json.get("action"):
        case "check":
            checked = connection.check(character, platform)
            return _now(character, platform) | {"ok": checked.level == "ok", "message": checked.sentence}
        case "resume":
            sure = request.json.get("force", False)
            if not isinstance(sure, bool):
                message = "force must be true or false."
                raise Invalid(message, fields={"force": ["This must be true or false."]})
            standing.resume(accounts.account(character, platform).key, sure=sure)
            return _now(character, platform)
        case "renew":
            return 202, {"jobId": renewing.start(character, user_id=request.user.pk).pk}
    raise Invalid("action must be check, resume or renew.", fields={"action": ["check, resume or renew."]})


def _id(value: Any) -> str:
    if not isinstance(value, str) or not value:
        message = "Say which character: characterId is missing."
        raise Invalid(message, fields={"characterId": ["This is required."]})
    return value


def _now(character: Character, platform: Platform) -> dict[str, Any]:
    found = accounts.accounts_of([character])[character.pk]
    return {"account": next(as_json(character, one) for one in found if one.platform is platform)}


def as_json(character: Character, target: Account) -> dict[str, Any]:
    """`state` is set, ok, sandbox, none, broken, paused, waits or expiring."""
    word = target.chip[0]
    states = {"no account": "none", "may have expired": "expiring"}
    state = "expiring" if word.startswith("expires") else states.get(word, word)
    known = target.standing or AccountStanding(key=target.key)
    return {
        "characterId": character.pk,
        "platform": str(target.platform),
        "account": target.key,
        "kind": target.kind,
        "state": state,
        "handle": target.handle,
        "note": target.note,
        **known.as_json(),
    }
