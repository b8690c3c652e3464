"""The Settings page: for the owner, one form a section, each with Save and, where there is one, Test."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from influencer import effective, endpoints
from influencer.errors import Conflict, Invalid, Problem
from influencer.web import htmx
from monitoring.preferences import services, trials
from monitoring.preferences.forms import LABELS, SectionForm
from monitoring.preferences.sections import OUTSIDE, SECTIONS, Outside, Section

View = Callable[..., HttpResponse]


def owner_only(view: View) -> View:
    """Whoever may set a service's address may read what is sent there."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_superuser:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


@require_safe
@owner_only
def show(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
@sensitive_post_parameters()
@owner_only
def save(request: HttpRequest, name: str) -> HttpResponse:
    """Save one section where it stands."""
    form, seen = _form(name, request.POST), request.POST.get("seen", "")
    if not form.is_valid():
        return _section(request, form, seen=seen, status=422)
    try:
        services.save(form.section, form.changes(), seen=seen, by=request.user.get_username())
    except Invalid as invalid:
        for field, messages in invalid.fields.items():
            form.add_error(field, messages)
        return _section(request, form, seen=seen, status=422)
    except Conflict as conflict:
        if conflict.code != services.CHANGED:
            raise
        return _told(request, form, seen)
    return _saved(request, form.section)


@require_POST
@sensitive_post_parameters()
@owner_only
def test(request: HttpRequest, name: str) -> HttpResponse:
    """Try what is in the form; nothing is saved."""
    form = _form(name, request.POST)
    if not form.section.tested:
        raise Http404
    said = trials.run(name, form.config()) if form.is_valid() else _faults(form)
    if htmx.is_htmx(request):
        return render(request, "settings/_said.html", {"said": said})
    return _section(request, form, seen=request.POST.get("seen", ""), said=said)


@require_POST
@sensitive_post_parameters()
@owner_only
def models(request: HttpRequest) -> HttpResponse:
    """The models the key in the form may write with, each to choose with one click."""
    form = _form("gemini", request.POST)
    listing = _listing(form)
    if htmx.is_htmx(request):
        return render(request, "settings/_models.html", listing)
    return _section(request, form, seen=request.POST.get("seen", ""), listing=listing)


def _listing(form: SectionForm) -> dict[str, Any]:
    if not form.is_valid():
        return {"said": _faults(form)}
    try:
        return {"models": trials.models(form.config())}
    except Problem as problem:
        return {"said": trials.Said(False, (problem.sentence,))}


def _faults(form: SectionForm) -> trials.Said:
    return trials.Said(False, tuple(str(error) for errors in form.errors.values() for error in errors))


def _form(name: str, data: Any = None) -> SectionForm:
    if name not in SECTIONS:
        raise Http404
    return SectionForm(SECTIONS[name], effective.stored(), data)


def _told(request: HttpRequest, form: SectionForm, seen: str) -> HttpResponse:
    """Someone else saved first: what they changed, above what was typed here, which a second Save keeps."""
    section, stored = form.section, effective.stored()
    theirs = SectionForm(section, stored)
    changed = [
        (LABELS[name], theirs[name].initial) for name in services.changed_fields(section, stored, seen)
    ]
    return _section(request, form, seen=services.marks(section, stored), status=409, theirs=changed)


def _saved(request: HttpRequest, section: Section) -> HttpResponse:
    message = f"Saved {section.title}."
    if htmx.is_htmx(request):
        form = _form(section.name)
        answer = _section(request, form, seen=services.marks(section, form.document))
        return htmx.toast(answer, message)
    htmx.flash(request, message)
    return htmx.redirect(request, f"{reverse('settings:show')}#{section.name}")


def _section(
    request: HttpRequest, form: SectionForm, *, seen: str, status: int = 200, **more: Any
) -> HttpResponse:
    """The section alone for htmx, else the whole page with it."""
    context = {**_shown(form, seen), **more}
    if not htmx.is_htmx(request):
        return _page(request, context, status=status)
    # htmx puts in place what comes with 422.
    return render(request, "settings/_section.html", context, status=422 if status >= 400 else status)


def _shown(form: SectionForm, seen: str) -> dict[str, Any]:
    section = form.section
    stands_in = section.title in endpoints.sandboxed_services()
    return {"section": section, "form": form, "seen": seen, "stands_in": stands_in}


def _outside() -> list[tuple[Outside, bool]]:
    """What only the environment sets, each with whether it is set."""
    return [(one, bool(one.is_set(settings.INFLUENCER))) for one in OUTSIDE]


def _page(request: HttpRequest, one: dict[str, Any] | None = None, *, status: int = 200) -> HttpResponse:
    stored, cards = effective.stored(), []
    for section in SECTIONS.values():
        if one and one["section"] is section:
            cards.append(one)
        else:
            cards.append(_shown(SectionForm(section, stored), services.marks(section, stored)))
    context = {
        "cards": cards,
        "faults": effective.faults(),
        "sections": SECTIONS.values(),
        "outside": _outside(),
    }
    return render(request, "settings/page.html", context, status=status)
