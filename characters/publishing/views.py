"""The composer, the posts of a character, and the links Instagram fetches."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from characters import services as characters
from characters.images import planning
from characters.images import services as images
from characters.images.models import Image
from characters.models import Character
from characters.publishing import accounts, posting, services, words
from characters.publishing.accounts import waiting
from characters.publishing.checks import asking, preflight
from characters.publishing.checks.checklist import Proposal
from characters.publishing.forms import ComposeForm, new_nonce
from characters.publishing.media import links, serving
from characters.publishing.models import Post, PostState
from influencer.clients import captions
from influencer.clients.platform import Platform
from influencer.errors import NotFound, Problem
from influencer.jobs import services as jobs
from influencer.web import htmx

PICKS = 11


@require_http_methods(["GET", "HEAD", "POST"])
def compose(request: HttpRequest, pk: str, platform: str) -> HttpResponse:
    """Write a post. `preview` shows it again, `switch` for this platform, `ask` once it was asked."""
    character, target = characters.get(pk), _platform(platform)
    if request.method != "POST":
        form = ComposeForm(initial=_initial(request, character, target))
        return _composer(request, character, target, form)
    form = ComposeForm(request.POST)
    valid = form.is_valid()
    if "ask" in request.POST:
        return _ask(request, character, target, form)
    if "preview" in request.POST or "switch" in request.POST:
        return _composer(request, character, target, form, part="#live" if "preview" in request.POST else "")
    if not valid:
        return _composer(request, character, target, form, status=422)
    try:
        jobs.require_worker("default")
        preflight.require_asked(_proposal(form, character, target))
        post = posting.start(character, form.intention(target), user_id=request.user.pk)
    except Problem as problem:
        form.refuse(problem)
        earlier = problem.details.get("postId") if problem.code == "duplicate" else None
        status = 422 if problem.status == 400 else problem.status
        return _composer(request, character, target, form, status=status, more={"earlier": earlier})
    htmx.flash(request, f"Posting {character.name} to {accounts.NAMES[target]}.")
    return htmx.redirect(request, reverse("publishing:show", args=[post.pk]))


def _initial(request: HttpRequest, character: Character, platform: Platform) -> dict[str, Any]:
    image_id = request.GET.get("image", "")
    image = _own_image(character, image_id)
    ready = words.ready_for(image, platform) if image else words.Words()
    return {
        "image": image_id,
        "caption": request.GET.get("caption", ready.caption),
        "alt_text": ready.alt_text,
        "prompt": planning.final_prompt(character),
        "ai_label": character.ai_label,
        "ai_label_reason": character.ai_label_reason,
        "nonce": new_nonce(),
    }


def _composer(
    request: HttpRequest,
    character: Character,
    platform: Platform,
    form: ComposeForm,
    *,
    status: int = 200,
    part: str = "",
    more: dict[str, Any] | None = None,
) -> HttpResponse:
    chosen, caption = _chosen(form, character), _value(form, "caption")
    fits, too_much = captions.fitting(platform, caption)
    proposal = _proposal(form, character, platform)
    found = preflight.checks(proposal)
    context = {
        "character": character,
        "platform": platform,
        "places": accounts.accounts_of([character])[character.pk],
        "account": proposal.account,
        "form": form,
        "chosen": chosen,
        "picks": _picks(character, chosen),
        "portrait": images.card_parts([character.pk])[character.pk].portrait,
        "fits": fits,
        "too_much": too_much,
        "count": captions.count(platform, caption),
        "checks": found,
        "asking": asking.pending(proposal),
        "to_fix": sum(check.level == "bad" for check in found),
        "to_check": sum(check.level == "warn" for check in found),
        "ai_label": bool(form["ai_label"].value()),
        "live": bool(part),
        **(more or {}),
    }
    return render(request, f"publishing/compose.html{part}", context, status=status)


def _ask(request: HttpRequest, character: Character, platform: Platform, form: ComposeForm) -> HttpResponse:
    """Ask account and image host; an open page then shows its list anew, with what it holds by then."""
    preflight.checks(_proposal(form, character, platform), ask=True)
    if htmx.is_htmx(request):
        return htmx.refresh(htmx.done(), "asked")
    return _composer(request, character, platform, form)


def _proposal(form: ComposeForm, character: Character, platform: Platform) -> Proposal:
    return Proposal(
        character,
        accounts.account(character, platform),
        _chosen(form, character),
        _value(form, "caption"),
        _value(form, "alt_text"),
        ai_label=bool(form["ai_label"].value()),
        force=bool(form["force"].value()),
    )


def _chosen(form: ComposeForm, character: Character) -> Image | None:
    return _own_image(character, _value(form, "image"))


def _own_image(character: Character, image_id: str) -> Image | None:
    found: Image | None = images.gallery(character.pk).filter(pk=image_id).first() if image_id else None
    return found


def _picks(character: Character, chosen: Image | None) -> list[Image]:
    latest = list(images.gallery(character.pk)[:PICKS])
    return latest if chosen is None or chosen in latest else [chosen, *latest[:-1]]


def _value(form: ComposeForm, name: str) -> str:
    return str(form[name].value() or "")


def _platform(name: str) -> Platform:
    try:
        return Platform(name)
    except ValueError:
        raise NotFound(f"There is no platform called {name}.") from None


@require_safe
def show(request: HttpRequest, post_id: str) -> HttpResponse:
    """One post: where it stands, what was tried, where it is."""
    context = post_context(services.get(post_id))
    part = "#body" if request.GET.get("part") == "body" else ""
    return render(request, f"publishing/post.html{part}", context)


def post_context(post: Post) -> dict[str, Any]:
    """What `publishing/post.html` needs."""
    character = Character.objects.filter(pk=post.character_id).first()
    job = jobs.get(post.job_id) if post.job_id else None
    return {
        "post": post,
        "row": services.rows([post])[0],
        "job": job,
        "waits_for_account": job is not None and waiting.waits(job),
        "character": character,
        "profile": services.profile_of(post, character) if post.state == PostState.UNKNOWN else "",
    }


@require_safe
def media(request: HttpRequest, name: str) -> HttpResponse:
    """The JPEG behind a public link; the one address that needs no sign-in and tells nothing else."""
    try:
        jpeg = links.open_jpeg(name)
    except NotFound:
        return HttpResponseNotFound("Not found.", content_type="text/plain")
    return serving.jpeg(request, jpeg)
