"""Template tags of the design: icon, chip, field, when, toast icons."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, RadioSelect, Select
from django.template.loader_tags import BLOCK_CONTEXT_KEY
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from influencer.web import icons, moments

register = template.Library()


@register.simple_tag
def icon(name: str, css: str = "icon") -> SafeString:
    """`{% icon "plus" %}` or `{% icon "circle-check" "icon ok" %}`: inline, `aria-hidden`."""
    return icons.svg(name, css)


@register.simple_tag
def chip(text: str, kind: str = "", icon: str = "", label: str = "") -> SafeString:
    """A fact, or with kind ok, warn, bad, live, sandbox or glass a state.

    `label` is read before the text by screen readers only ("Instagram: ").
    """
    shape = icons.svg(icon, "icon") if icon else ""
    spoken = format_html('<span class="visually-hidden">{}</span>', label) if label else ""
    return format_html('<span class="{}">{}{}{}</span>', f"chip {kind}".strip(), shape, spoken, text)


@register.simple_tag
def when(moment: datetime | None, otherwise: str = "") -> SafeString | str:
    """`{% when job.created_at %}`: relative, the exact time on hover; `otherwise` for None."""
    if moment is None:
        return otherwise
    words = moments.relative(moment, timezone.now())
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', moment.isoformat(), moments.exact(moment), words
    )


@register.simple_tag(takes_context=True)
def block_again(context: template.Context, name: str) -> SafeString:
    """What the block `name` holds, once more: a page's title as its heading."""
    block = context.render_context[BLOCK_CONTEXT_KEY].get_block(name)
    return block.nodelist.render(context)


@register.filter
def grouped(number: int | None) -> str:
    """1204 → "1 204", with a narrow space that does not break."""
    return "" if number is None else f"{number:,}".replace(",", "\u202f")


@register.inclusion_tag("components/field.html")
def field(
    bound: BoundField, shape: str = "", *, optional: bool = False, locked: str = "", **attrs: Any
) -> dict[str, Any]:
    """A form field with label, control, help or error. See `components/field.html`."""
    shape = shape or _shape(bound)
    extra = {name.replace("_", "-"): value for name, value in attrs.items()}
    described = f"{bound.auto_id}_error" if bound.errors else f"{bound.auto_id}_helptext"
    if bound.errors or bound.help_text or locked:
        extra["aria-describedby"] = described
    if shape == "switch":
        extra["role"] = "switch"
    if locked:
        extra["readonly"] = True
    control = bound.as_widget(attrs=extra) if shape != "segments" else ""
    return {"bound": bound, "shape": shape, "control": control, "optional": optional, "locked": locked}


def _shape(bound: BoundField) -> str:
    widget = bound.field.widget
    if isinstance(widget, CheckboxInput):
        return "check"
    if isinstance(widget, RadioSelect):
        return "segments"
    if isinstance(widget, Select) and not widget.allow_multiple_selected:
        return "select"
    return "plain"
