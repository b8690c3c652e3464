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
NO_REASON = "Say why this post is not labelled as AI-generated."


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
    ai_label_reason = forms.CharField(
        required=False,
        max_length=200,
        label="Why is it not labelled?",
        help_text="Kept with the post.",
        # Enter in a line of its own would press the form's first button.
        widget=forms.Textarea(attrs={"rows": 1}),
    )
    force = forms.BooleanField(required=False, label="Post the same again")
    nonce = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if not values.get("ai_label") and not values.get("ai_label_reason"):
            self.add_error("ai_label_reason", NO_REASON)
        return values

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
            ai_label_reason=values["ai_label_reason"],
            image_id=values["image"],
            wish=None if values["image"] else Wish(final_prompt=values["prompt"], shape="4:5"),
            force=values["force"],
            nonce=f"{values['nonce']}:{platform}",
        )
