"""Posting and posts as JSON, as `docs/api.md` describes them."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from django.db import transaction

from characters import services as characters
from characters.images import services as images
from characters.images.models import Image
from characters.models import Character
from characters.publishing import accounts, export, listing, posting, services
from characters.publishing.accounts import waiting
from characters.publishing.checks import preflight
from characters.publishing.checks.checklist import Proposal
from characters.publishing.forms import NO_REASON
from characters.publishing.models import PostState
from characters.publishing.posting import Intention
from influencer.clients import picture
from influencer.clients.platform import Platform
from influencer.errors import Invalid, Problem
from influencer.jobs import services as jobs
from influencer.jobs.models import Job
from influencer.web import paging
from influencer.web.endpoint import Answer, ApiRequest, endpoint, waiting_slot

WAIT_SECONDS = 300
PLATFORMS = {"twitter": "x"}
STATUSES = (*PostState.values, listing.OPEN)


@endpoint(
    methods=("POST",),
    idempotent=True,
    replay=lambda request, post_id: _answer(request, post_id),
    long_texts=("image",),
)
def post_to_instagram(request: ApiRequest) -> Answer:
    return _post(request, Platform.INSTAGRAM)


@endpoint(
    methods=("POST",),
    idempotent=True,
    replay=lambda request, post_id: _answer(request, post_id),
    long_texts=("image",),
)
def post_to_twitter(request: ApiRequest) -> Answer:
    return _post(request, Platform.X)


@endpoint(methods=("POST",))
def check(request: ApiRequest) -> Answer:
    """What stands against a post, without making one; `ask` (true) also asks account and image host."""
    body = request.json
    character = characters.get(_text(body, "characterId", required=True))
    image_id = _text(body, "imageId")
    proposal = Proposal(
        character,
        accounts.account(character, _platform(_text(body, "platform", required=True))),
        images.get(image_id, character_id=character.pk) if image_id else None,
        _text(body, "caption"),
        _text(body, "altText"),
        ai_label=_flag(body, "aiLabel", default=character.ai_label),
        force=_flag(body, "force", default=False),
    )
    found = preflight.checks(proposal, ask=_flag(body, "ask", default=True))
    return {"ready": found[0].level != "bad", "checks": [one.as_json() for one in found]}


@endpoint(methods=("GET",))
def posts(request: ApiRequest) -> Answer:
    """Posts that fit, a page at a time; with `format` all of them as a file."""
    given = request.GET
    platform = given.get("platform", "")
    found = listing.search(
        character_id=given.get("characterId", ""),
        platform=_platform(platform) if platform else "",
        state=_status(given.get("status", "")),
        q=given.get("q", ""),
    )
    kind = given.get("format", "")
    if kind in export.KINDS:
        return export.response(found, "csv" if kind == "csv" else "json")
    if kind:
        raise Invalid("format must be csv or json.", fields={"format": ["csv or json."]})
    page = paging.page_of(request, found.prefetch_related("log"))
    return {"posts": [post.as_json() for post in page], "total": found.count()}


@endpoint(methods=("GET",))
def post(request: ApiRequest, post_id: str) -> Answer:
    return {"post": services.get(post_id).as_json()}


@endpoint(methods=("POST",))
def resolve(request: ApiRequest, post_id: str) -> Answer:
    """Say what became of a post whose outcome is unknown."""
    outcome = request.json.get("outcome")
    if outcome not in ("published", "not_published"):
        raise Invalid(
            "outcome must be published or not_published.", fields={"outcome": ["published or not_published."]}
        )
    settled = services.resolve(
        post_id,
        published=outcome == "published",
        permalink=_text(request.json, "permalink"),
        remote_id=_text(request.json, "remoteId")[:80],
        retry=_flag(request.json, "retry", default=False),
    )
    return {"post": settled.as_json()}


@endpoint(methods=("POST",))
def try_now(request: ApiRequest, post_id: str) -> Answer:
    """Try the posts of the post's account that wait, one of them first."""
    return {"waiting": waiting.release(services.get(post_id).account)}


def _post(request: ApiRequest, platform: Platform) -> Answer:
    body = request.json
    character = characters.get(_text(body, "characterId", required=True))
    _flag(body, "wait", default=True)
    label, reason = _label(character, body)
    intention = Intention(
        platform=platform,
        caption=_text(body, "caption"),
        alt_text=_text(body, "altText"),
        ai_label=label,
        ai_label_reason=reason,
        force=_flag(body, "force", default=False),
        nonce=_nonce(request),
    )
    accounts.require(character, platform)
    posting.check_caption(intention)
    jobs.require_worker("default")
    with _chosen_image(character, body) as image:
        intention = replace(intention, image_id=image.pk)
        with transaction.atomic():
            made = posting.start(character, intention, user_id=request.user.pk)
            request.bind(made.pk)
    return _answer(request, made.pk)


def _label(character: Character, body: dict[str, Any]) -> tuple[bool, str]:
    """Whether it is labelled, and why not. Who switches it off for this post has to say why."""
    label, reason = _flag(body, "aiLabel", default=character.ai_label), _text(body, "aiLabelReason")
    if not label and body.get("aiLabel") is False and not reason.strip():
        raise Invalid(NO_REASON, fields={"aiLabelReason": [NO_REASON]})
    return label, reason or character.ai_label_reason


def _platform(name: str) -> Platform:
    try:
        return Platform(PLATFORMS.get(name, name))
    except ValueError:
        message = "platform must be instagram or x."
        raise Invalid(message, fields={"platform": [message]}) from None


def _status(name: str) -> str:
    if name and name not in STATUSES:
        message = f"status must be one of {', '.join(STATUSES)}."
        raise Invalid(message, fields={"status": [message]})
    return name


def _nonce(request: ApiRequest) -> str:
    """The caller's Idempotency-Key names the intention too, so that no crash can double it."""
    key = request.http.headers.get("Idempotency-Key", "")
    return hashlib.sha256(f"{request.user.pk}:{key}".encode()).hexdigest() if key else ""


@contextmanager
def _chosen_image(character: Character, body: dict[str, Any]) -> Iterator[Image]:
    """The image of the gallery, or the sent one in it; taken out again when it is not to be posted."""
    image_id, image = _text(body, "imageId"), _text(body, "image")
    if bool(image_id) == bool(image):
        raise Invalid("Give one of imageId and image.", fields={"image": ["Give one of imageId and image."]})
    if image_id:
        yield images.get(image_id, character_id=character.pk)
        return
    content = _decode(image)
    known: Image | None = images.gallery(character.pk).filter(pixel_hash=_pixels(content)).first()
    chosen = known or images.add(character.pk, content)
    try:
        yield chosen
    except Problem:
        if not known:
            images.delete(chosen)
        raise


def _pixels(content: bytes) -> str:
    try:
        return picture.pixel_hash(content)
    except Invalid as problem:
        raise Invalid(problem.message, code=problem.code, fields={"image": [problem.message]}) from None


def _decode(text: str) -> bytes:
    """Base64 or a data URL. Raises `Invalid`."""
    payload = text.partition(",")[2] if text.startswith("data:") else text
    try:
        content = base64.b64decode("".join(payload.split()), validate=True)
    except (binascii.Error, ValueError):
        message = "The image is not base64 that can be read."
        raise Invalid(message, fields={"image": [message]}) from None
    return content


def _answer(request: ApiRequest, post_id: str) -> Answer:
    """The published post, or 202 when the caller or the server does not wait."""
    job_id = services.get(post_id).job_id
    later = 202, {"postId": post_id, "jobId": job_id}
    if request.json.get("wait", True) is False:
        return later
    with waiting_slot() as granted:
        if not granted:
            return later
        job = jobs.wait_for(job_id, seconds=WAIT_SECONDS)
    try:
        jobs.result_of(job)
    except Problem as problem:
        problem.details["postId"] = post_id
        raise
    return answer_of(post_id)


def answer_of(post_id: str) -> dict[str, Any]:
    """The body of a published post."""
    made = services.get(post_id)
    return {
        "postId": made.pk,
        "jobId": made.job_id,
        "id": made.remote_id,
        "permalink": made.permalink,
        "status": str(made.state),
        "sandbox": made.sandbox,
    }


def result_of(job: Job) -> dict[str, Any]:
    """The same, as the post's job shows it."""
    return answer_of(jobs.result_of(job)["postId"])


def _text(body: dict[str, Any], name: str, *, required: bool = False) -> str:
    value = body.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value):
        raise Invalid(f"{name} must be text.", fields={name: ["This must be text."]})
    return value


def _flag(body: dict[str, Any], name: str, *, default: bool) -> bool:
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise Invalid(f"{name} must be true or false.", fields={name: ["This must be true or false."]})
    return value
