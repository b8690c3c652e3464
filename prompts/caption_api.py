"""`/api/generate-caption`, as `docs/api.md` describes it."""

from __future__ import annotations

from typing import Any

from characters import services as characters
from characters.payload import Faults, refused
from influencer.clients.platform import Platform
from influencer.clients.writers.interface import Chapter, Written
from influencer.errors import Invalid
from influencer.web.endpoint import Answer, ApiRequest, endpoint
from prompts import asking, captions
from prompts.captions import Wish

TEXTS = ("prompt", "promptId", "characterId", "imageId", "platform", "tone", "language")


@endpoint(methods=("POST",), idempotent=True)
def generate_caption(request: ApiRequest) -> Answer:
    body = request.json
    given = _texts(body)
    wish = Wish(
        _platform(given["platform"]),
        _narrative(body.get("narrative")),
        given["imageId"],
        given["tone"],
        given["language"],
    )
    return answer_of(_written(body, given, wish), wish.platform)


def _written(body: dict[str, Any], given: dict[str, str], wish: Wish) -> Written:
    if given["promptId"]:
        return captions.write_for(given["promptId"], wish)[1]
    if not given["prompt"].strip() and not wish.image_id:
        raise Invalid("Send what the image shows: prompt, or promptId.", fields={"prompt": ["Required."]})
    described = body.get("character")
    if given["characterId"]:
        return captions.write(characters.get(given["characterId"]), given["prompt"], wish)
    if not isinstance(described, dict):
        raise Invalid("Say which character: characterId or character.", fields={"characterId": ["Required."]})
    known = described.get("id")
    if isinstance(known, str) and characters.names([known]):
        return captions.write(characters.get(known), given["prompt"], wish)
    return captions.write_for_stranger(asking.persona_of(described), given["prompt"], wish)


def answer_of(written: Written, platform: Platform) -> dict[str, Any]:
    return {
        "caption": written.caption,
        "altText": written.alt_text,
        "hashtags": list(written.hashtags),
        "platform": str(platform),
        "writer": written.writer,
        "model": written.model,
        "tokens": written.tokens,
        "note": written.note,
    }


def _texts(body: dict[str, Any]) -> dict[str, str]:
    given = {key: body.get(key) for key in TEXTS}
    wrong: Faults = {
        key: ["This must be text."] for key, value in given.items() if not isinstance(value, str | None)
    }
    if wrong:
        raise refused(wrong)
    return {key: value or "" for key, value in given.items()}


def _platform(name: str) -> Platform:
    """`twitter` is X as well."""
    name = {"": "instagram", "twitter": "x"}.get(name.lower(), name.lower())
    if name not in set(Platform):
        raise Invalid("platform may be instagram or x.", fields={"platform": ["One of instagram, x."]})
    return Platform(name)


def _narrative(given: Any) -> Chapter | str | None:
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, dict):
        return asking.chapter_of(given)
    message = "This must be an object, a title or an id."
    raise Invalid("narrative may be an object, a title or an id.", fields={"narrative": [message]})
