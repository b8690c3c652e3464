"""What a view says to a page that is already open: toasts, closed dialogs, refreshed parts."""

from __future__ import annotations

from typing import Literal, TypeVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils.html import format_html
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

Kind = Literal["ok", "warn", "bad"]
Link = tuple[str, str]
Answer = TypeVar("Answer", bound=HttpResponseBase)
LEVELS = {"ok": messages.SUCCESS, "warn": messages.WARNING, "bad": messages.ERROR}


def is_htmx(request: HttpRequest) -> bool:
    """True when htmx asks for a fragment; a boosted link wants the whole page."""
    details = getattr(request, "htmx", None)
    return details is not None and bool(details) and not details.boosted


def toast(response: Answer, message: str, kind: Kind = "ok", *, link: Link | None = None) -> Answer:
    """Have the open page show `message`; `link` is (text, address). Only for htmx answers."""
    detail = {"message": message, "kind": kind}
    if link:
        detail |= {"linkText": link[0], "linkUrl": link[1]}
    return trigger_client_event(response, "toast", detail)


def flash(request: HttpRequest, message: str, kind: Kind = "ok", *, link: Link | None = None) -> None:
    """Show `message` as a toast on the next page that is loaded."""
    text = format_html('{} <a href="{}">{}</a>', message, link[1], link[0]) if link else message
    messages.add_message(request, LEVELS[kind], text)


def redirect(request: HttpRequest, url: str) -> HttpResponse:
    """Leave for `url`: the whole page, also when htmx asked."""
    if is_htmx(request):
        return HttpResponseClientRedirect(url)
    return HttpResponseRedirect(url, status=303)


def refresh(response: Answer, *events: str) -> Answer:
    """Send events to the page; a part with `hx-trigger="<event> from:body"` loads itself anew."""
    for event in events:
        trigger_client_event(response, event)
    return response


def close_dialog(response: Answer) -> Answer:
    """Close the dialog the request came from."""
    return refresh(response, "dialog-close")


def done() -> HttpResponse:
    """The answer to a deed whose result is shown by a toast or a refreshed part: swaps nothing."""
    return HttpResponse(status=204)
