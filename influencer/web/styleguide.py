"""Sample values for the style guide: a form in its states, moments, colours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from influencer.web import icons

COLOURS = [
    *("canvas", "surface", "sunk", "ink", "ink-2", "ink-3", "hairline", "border", "accent", "accent-soft"),
    *("ok", "ok-soft", "warn", "warn-soft", "bad", "bad-soft"),
]
IMAGES = [f"img/{name}.webp" for name in ("luna-1", "nova-3", "kai-2", "iris-1", "theo-1", "mei-3")]


class SampleForm(forms.Form):
    name = forms.CharField()
    handle = forms.CharField(label="X handle", required=False)
    schedule = forms.CharField()
    model = forms.ChoiceField(choices=[("dreamshaper", "DreamShaper XL")])
    key = forms.CharField(
        help_text="Set on 3 May. Leave empty to keep it.", required=False, widget=forms.PasswordInput
    )
    address = forms.CharField(required=False)
    caption = forms.CharField(widget=forms.Textarea)
    active = forms.BooleanField(label="Active")
    chosen = forms.BooleanField(label="Chosen", help_text="Saved with the form.")
    shape = forms.ChoiceField(
        choices=[("4:5", "4:5"), ("1:1", "1:1"), ("9:16", "9:16")], widget=forms.RadioSelect
    )

    def clean_schedule(self) -> str:
        raise forms.ValidationError("Hour is 25. Use 0 to 23.")


def context() -> dict[str, Any]:
    """What the page shows."""
    now = timezone.now()
    form = SampleForm(
        {
            "name": "Luna the Mystic",
            "schedule": "0 25 * * *",
            "model": "dreamshaper",
            "address": "http://studio:8188",
            "caption": "Exploring the enchanted woods today.",
            "active": True,
            "chosen": True,
            "shape": "4:5",
        }
    )
    moments = [now - timedelta(**back) for back in ({"seconds": 12}, {"hours": 3}, {"days": 2}, {"days": 40})]
    return {
        "form": form,
        "colours": COLOURS,
        "icons": sorted(icons.shapes()),
        "images": IMAGES,
        "moments": [*moments, now + timedelta(minutes=5)],
    }
