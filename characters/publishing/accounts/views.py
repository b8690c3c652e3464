"""The accounts of a character in the browser: check, resume, renew, and the guides to connect them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from characters import panels
from characters import services as characters
from characters.forms import CharacterForm
from characters.models import Character
from characters.publishing import accounts
from characters.publishing.accounts import connection, renewing, standing
from characters.publishing.accounts import guides as account_forms
from characters.publishing.accounts.connection import Checked
from characters.publishing.accounts.guides import Way
from influencer.clients.platform import Platform
from influencer.errors import Conflict, NotFound, Problem
from influencer.web import htmx

CHANGED = "accounts-changed"


@require_safe
def connections(request: HttpRequest, pk: str) -> HttpResponse:
    """Both accounts, as the character page shows them."""
    return _connections(request, characters.get(pk))


def _connections(request: HttpRequest, character: Character) -> HttpResponse:
    """The accounts, and the head of the page, which has their chips."""
    parts = panels.collect([character.pk])[character.pk]
    context = {"character": character, "parts": parts, "accounts": parts["accounts"], "anew": True}
    answer = render(request, "publishing/_connections.html", context)
    answer.write(render(request, "characters/_hero.html", context).content)
    return answer


@require_POST
def check(request: HttpRequest, pk: str, platform: str) -> HttpResponse:
    character = characters.get(pk)
    return _done(request, character, _checked(character, _platform(platform)))


def _checked(character: Character, platform: Platform) -> Checked:
    """A check that can't even begin has failed too."""
    try:
        return connection.check(character, platform)
    except Problem as problem:
        return Checked("bad", problem.sentence)


@require_POST
def renew(request: HttpRequest, pk: str) -> HttpResponse:
    character = characters.get(pk)

    def start() -> str:
        renewing.start(character, user_id=request.user.pk)
        return "Renewing the token."

    return _done(request, character, _attempted(start))


@require_http_methods(["GET", "HEAD", "POST"])
def resume(request: HttpRequest, pk: str, platform: str) -> HttpResponse:
    """Asks first: the reason for the pause may be one to rest for."""
    character, wanted = characters.get(pk), _platform(platform)
    target = accounts.account(character, wanted)
    if request.method != "POST":
        return _ask_to_resume(request, character, target)

    def resumed() -> str:
        standing.resume(target.key, sure=True)
        return f"{target.name} is open again for {character.name}."

    return _done(request, character, _attempted(resumed), close=True)


def _ask_to_resume(request: HttpRequest, character: Character, target: accounts.Account) -> HttpResponse:
    known = standing.of(target.key)
    reason = f"It was paused for this: {known.pause_reason}"
    context = {
        "title": f"Resume {target.name} for {character.name}?",
        "text": f"{reason} {standing.REST}" if known.rests else reason,
        "action": request.path,
        "verb": "Resume",
        "keep": "Leave it paused",
        "back": _page_of(character),
        "danger": known.rests,
    }
    return render(request, "components/confirm.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def connect(request: HttpRequest, pk: str, way: str) -> HttpResponse:
    """How to connect an account, step by step; what is entered at the end is saved, then tested."""
    character, chosen = characters.get(pk), account_forms.way(way)
    if request.method != "POST":
        return _guide(request, character, chosen, chosen.form(instance=character))
    form = chosen.form(request.POST, instance=character)
    if not form.is_valid():
        return _guide(request, character, chosen, form, status=422)
    if form.has_changed():
        try:
            character = characters.update(pk, form, still=form.is_current)
        except Conflict as conflict:
            form.add_error(None, conflict.message)
            return _guide(request, character, chosen, form, status=409)
    checked = _checked(character, chosen.platform)
    answer = _guide(request, character, chosen, chosen.form(instance=character), checked=checked)
    return htmx.refresh(answer, CHANGED) if htmx.is_htmx(request) else answer


def _guide(
    request: HttpRequest,
    character: Character,
    way: Way,
    form: CharacterForm,
    *,
    checked: Checked | None = None,
    status: int = 200,
) -> HttpResponse:
    found = accounts.accounts_of([character])[character.pk]
    context: dict[str, Any] = {
        "character": character,
        "way": way,
        "ways": account_forms.WAYS,
        "form": form,
        "checked": checked,
        "account": next(one for one in found if one.platform is way.platform),
        "secrets": form.instagram_secrets if way.platform is Platform.INSTAGRAM else form.x_secrets,
    }
    return render(request, "publishing/connect.html", context, status=status)


def _attempted(deed: Callable[[], str]) -> Checked:
    try:
        return Checked("ok", deed())
    except Conflict as conflict:
        return Checked("warn", conflict.message)


def _done(request: HttpRequest, character: Character, said: Checked, *, close: bool = False) -> HttpResponse:
    """The accounts as they stand now, and what came of it as a toast."""
    kind: htmx.Kind = "ok" if said.level == "ok" else "bad" if said.level == "bad" else "warn"
    if not htmx.is_htmx(request):
        htmx.flash(request, said.sentence, kind)
        return htmx.redirect(request, _page_of(character))
    if close:
        return htmx.close_dialog(htmx.refresh(htmx.toast(htmx.done(), said.sentence, kind), CHANGED))
    return htmx.toast(_connections(request, character), said.sentence, kind)


def _page_of(character: Character) -> str:
    return reverse("characters:detail", args=[character.pk]) + "#accounts"


def _platform(name: str) -> Platform:
    try:
        return Platform(name)
    except ValueError:
        raise NotFound(f"There is no platform called {name}.") from None
