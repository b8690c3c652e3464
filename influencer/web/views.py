"""Sign-in, set-up, and the pages that belong to no tab."""

from __future__ import annotations

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import reswap

from influencer import jsondb
from influencer.errors import NotFound, Problem, TooMany
from influencer.web import answers, setup, styleguide, tabs
from influencer.web.forms import SetupForm, SignInForm
from influencer.web.htmx import flash, is_htmx, toast
from influencer.web.htmx import redirect as leave
from influencer.web.problems import problem_page
from influencer.web.throttle import Throttle, client_address

per_user = Throttle("login", limit=5)
per_address = Throttle("login-address", limit=30)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """`/` leads to the first tab."""
    first = next(iter(tabs.all_tabs()), None)
    if first is None:
        raise Http404
    return redirect(first.url)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    after = _safe_next(request)
    if request.user.is_authenticated:
        return HttpResponseRedirect(after)
    form = SignInForm(request, data=request.POST or None)
    context = {"form": form, "next": after, "owner_missing": setup.owner_missing()}
    if request.method != "POST":
        return render(request, "web/login.html", context)
    try:
        if _signed_in(request, form):
            return HttpResponseRedirect(after, status=303)
    except TooMany as problem:
        # An unbound form: a bound one would look at the password after all.
        context |= {"form": SignInForm(request), "refused": problem.message}
        response = render(request, "web/login.html", context, status=429)
        response["Retry-After"] = str(problem.details["retryAfter"])
        return response
    return render(request, "web/login.html", context, status=422)


def _signed_in(request: HttpRequest, form: SignInForm) -> bool:
    """Count the attempt, then look at the password: parallel guesses gain nothing."""
    address, name = client_address(request), request.POST.get("username", "").casefold()[:150]
    per_address.attempt(address)
    per_user.attempt(name, address)
    if not form.is_valid():
        return False
    per_user.forgive(name, address)
    per_address.undo(address)
    auth.login(request, form.get_user())
    return True


def _safe_next(request: HttpRequest) -> str:
    """Where to go after sign-in: only addresses of this dashboard."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    hosts = {request.get_host()}
    if url_has_allowed_host_and_scheme(wanted, hosts, require_https=request.is_secure()):
        return wanted
    return reverse("web:home")


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    auth.logout(request)
    return leave(request, reverse("web:login"))


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: HttpRequest, token: str) -> HttpResponse:
    """The owner's account, from a one-time link."""
    if not setup.is_open(token):
        return _link_closed(request)
    form = SetupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            return _create_owner(request, token, form)
        except NotFound:
            return _link_closed(request)
        except Problem as problem:
            form.add_error(None, problem.message)
    status = 422 if form.errors else 200
    return render(request, "web/setup.html", {"form": form}, status=status)


def _create_owner(request: HttpRequest, token: str, form: SetupForm) -> HttpResponse:
    wanted = form.cleaned_data
    owner = setup.use_link(
        token,
        username=wanted["username"],
        password=wanted["password"],
        time_zone=wanted["time_zone"],
    )
    auth.login(request, owner, backend=settings.AUTHENTICATION_BACKENDS[0])
    if wanted["samples"]:
        _make_samples(request, owner)
    return redirect("web:home")


def _make_samples(request: HttpRequest, owner: User) -> None:
    """The account stands already: what goes wrong here is told on the next page."""
    try:
        for hook in setup.after_setup:
            hook(owner)
    except Problem as problem:
        flash(request, problem.message, "bad")


def _link_closed(request: HttpRequest) -> HttpResponse:
    if not setup.owner_missing():
        message = "There is an account already, so this link does nothing. Sign in with the account."
    else:
        message = "This link is older than an hour, or not whole. Start `up` again: it prints a new one."
    return problem_page(request, 410, message=message)


@require_http_methods(["GET", "HEAD", "POST"])
def restore(request: HttpRequest, file: str) -> HttpResponse:
    """Put the last good copy of a damaged file back, after asking."""
    damage = next((one for one in jsondb.damage() if one.file == file), None)
    if damage is None:
        flash(request, f"{file} is in order; nothing to restore.")
        return leave(request, reverse("web:home"))
    if request.method == "POST":
        jsondb.restore(file)
        flash(request, f"Restored {file}. The damaged file is kept beside it.")
        return leave(request, reverse("web:home"))
    context = {
        "title": f"Restore {file}?",
        "text": f"The {damage.reading_from or 'backup'} takes its place. "
        "The damaged file is moved aside, in the same folder, with the time in its name.",
        "action": request.path,
        "back": reverse("web:home"),
        "verb": "Restore",
        "keep": "Cancel",
        "danger": False,
    }
    return render(request, "components/confirm.html", context)


@require_safe
def style_guide(request: HttpRequest) -> HttpResponse:
    """Every component in every state; only while developing."""
    if not settings.INFLUENCER.debug:
        raise Http404
    return render(request, "web/styleguide.html", styleguide.context())


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(static("icons/favicon.svg"))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was open too long, or came from elsewhere."""
    message = (
        "This page was open too long, or the form came from another address. Reload it and send it again."
    )
    if request.path.startswith("/api/"):
        return answers.failure(answers.Refused(403, "csrf", reason or message))
    if is_htmx(request):
        return reswap(toast(HttpResponse(status=403), message, "bad"), "none")
    return problem_page(request, 403, message=message)
