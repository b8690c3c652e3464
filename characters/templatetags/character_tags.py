"""How models and stories are named on screen."""

from __future__ import annotations

from functools import cache
from pathlib import PurePosixPath

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from influencer.web import zone

register = template.Library()


@register.filter
def model_name(file: str) -> str:
    """`sdxl/dreamshaper.safetensors` → `dreamshaper`: a file as a person calls it."""
    path = PurePosixPath(str(file).replace("\\", "/"))
    return path.stem if path.suffix in {".safetensors", ".ckpt", ".pt", ".sft", ".gguf"} else path.name


@register.filter
def seconds(milliseconds: int | None) -> str:
    """13840 → `13.8 s`."""
    return "" if milliseconds is None else f"{milliseconds / 1000:.1f} s"


@register.simple_tag
@cache
def zone_options() -> SafeString:
    """Every time zone as an option, for a datalist; they are the same on every page."""
    return format_html_join("", "<option>{}</option>", ((name,) for name in zone.names()))
