"""What the writer does for the Prompts tab and the composer, in the browser."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from characters import services as characters
from characters.publishing.forms import ComposeForm
from influencer.clients.platform import Platform
from influencer.clients.writers.interface import Written
from influencer.errors import NotFound
from influencer.jobs import services as jobs
from influencer.web import htmx
from prompts import captions, forms, library, pen, writing
from prompts.captions import Wish
from prompts.models import Source

WRITING = "prompts-writing"


@require_POST
def write_caption(request: HttpRequest, pk: str) -> HttpResponse:
    """Generate with AI: caption and alt text of one prompt, saved; the row takes the place of the old one."""
    prompt, written = captions.write_for(pk)
    if not htmx.is_htmx(request):
        htmx.flash(request, _said(written))
        return htmx.redirect(request, reverse("prompts:list"))
    row = render(request, "prompts/_row.html", {"row": library.row(prompt)})
    return htmx.toast(row, _said(written))


def _said(written: Written) -> str:
    if pen.source_of(written.writer) is Source.TEMPLATES:
        return f"Saved a caption. {written.note}".strip()
    return f"Saved a caption by {written.model}. {written.note}".strip()


@require_http_methods(["GET", "HEAD", "POST"])
def write(request: HttpRequest) -> HttpResponse:
    """Write prompts: the dialog, then the job above the list."""
    given = {"character_id": request.GET.get("character_id", ""), "count": request.GET.get("count") or 10}
    form = forms.WriteForm(request.POST or None, initial=given)
    if request.method != "POST" or not form.is_valid():
        part = "#chapters" if request.GET.get("part") == "chapters" else ""
        context = {"form": form, "without_ai": not pen.is_ai()}
        return render(request, f"prompts/write.html{part}", context, status=422 if form.is_bound else 200)
    wanted = form.cleaned_data
    character = characters.get(wanted["character_id"])
    jobs.require_worker("default")
    writing.start(
        character,
        count=wanted["count"],
        narrative=wanted["narrative_id"],
        wish=wanted["wish"],
        user_id=request.user.pk,
    )
    if htmx.is_htmx(request):
        return htmx.refresh(htmx.close_dialog(htmx.done()), WRITING, "job-started")
    return htmx.redirect(request, reverse("prompts:list"))


@require_safe
def at_work(request: HttpRequest) -> HttpResponse:
    """The jobs that are writing now."""
    return render(request, "prompts/_writing.html", {"writing": writing.open_jobs()})


@require_POST
def compose(request: HttpRequest, pk: str, platform: str) -> HttpResponse:
    """The composer's Generate with AI: caption and alt text into its fields, from what it holds so far."""
    if platform not in set(Platform):
        raise NotFound(f"There is no platform {platform}.")
    character, form = characters.get(pk), ComposeForm(request.POST)
    form.is_valid()
    held = form.cleaned_data
    wish = Wish(Platform(platform), image_id=held.get("image", ""))
    written = captions.write(character, held.get("prompt", ""), wish)
    filled = ComposeForm(initial={"caption": written.caption, "alt_text": written.alt_text})
    answer = render(request, "prompts/_composed.html", {"form": filled})
    return htmx.refresh(htmx.toast(answer, _said(written).replace("Saved", "Wrote")), "caption-written")
