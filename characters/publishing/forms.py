"""The composer's form: what goes out, and where."""

from __future__ import annotations

import secrets
from typing import Any

from django import forms

from characters.images.planning import Wish
from characters.publishing.posting import Intention
from influencer.clients.platform import Platform
from influencer.errors import Problem

FIELDS = {"caption": "caption", "altText": "alt_text"}


def new_nonce() -> str:
    return secrets.token_urlsafe(16)


class ComposeForm(forms.Form):
    """One post for one or both platforms. `image` is an image's id, or empty for a new one."""

    image = forms.CharField(required=False, max_length=60)
    prompt = forms.CharField(
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What the new image shows; the character's base prompt is in it already.",
    )
    caption = forms.CharField(
        required=False, max_length=10_000, strip=False, widget=forms.Textarea(attrs={"rows": 6})
    )
    alt_text = forms.CharField(
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Read aloud to people who can't see the image.",
    )
    ai_label = forms.BooleanField(required=False, label="Label as AI-generated")
    force = forms.BooleanField(required=False, label="Post the same again")
    nonce = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def refuse(self, problem: Problem) -> None:
        """Say what is wrong where it was written, the rest above the form."""
        fields = {name: messages for name, messages in problem.fields.items() if name in FIELDS}
        for name, messages in fields.items():
            self.add_error(FIELDS[name], messages)
        if not fields:
            self.add_error(None, problem.sentence)

    def intention(self, platform: Platform) -> Intention:
        values: dict[str, Any] = self.cleaned_data
        return Intention(
            platform=platform,
            caption=values["caption"],
            alt_text=values["alt_text"],
            ai_label=values["ai_label"],
            image_id=values["image"],
            wish=None if values["image"] else Wish(final_prompt=values["prompt"], shape="4:5"),
            force=values["force"],
            nonce=f"{values['nonce']}:{platform}",
        )
