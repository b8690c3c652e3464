"""What may be asked of a generation or an upload, for the dialog and for JSON."""

from __future__ import annotations

from typing import Any

from django import forms

from characters.images.planning import SHAPES, Wish
from influencer.clients.comfyui.settings import LARGEST_SEED, MOST_IMAGES

LONGEST_PROMPT = 20_000
COUNTS = (1, 2, 4, 8)


class WishForm(forms.Form):
    """The fields of one generation; empty means the character's own, else the family's."""

    prompt = forms.CharField(required=False, max_length=LONGEST_PROMPT)
    final_prompt = forms.CharField(
        required=False,
        max_length=LONGEST_PROMPT,
        label="Prompt",
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    negative_prompt = forms.CharField(required=False, max_length=LONGEST_PROMPT)
    model = forms.CharField(required=False, max_length=300)
    lora = forms.CharField(required=False, max_length=300, label="LoRA")
    lora_strength = forms.FloatField(required=False, min_value=-2, max_value=2, label="LoRA weight")
    width = forms.IntegerField(required=False, min_value=64, max_value=2048)
    height = forms.IntegerField(required=False, min_value=64, max_value=2048)
    shape = forms.ChoiceField(required=False, choices=[("", "Own"), *((name, name) for name in SHAPES)])
    steps = forms.IntegerField(required=False, min_value=1, max_value=150)
    cfg = forms.FloatField(required=False, min_value=0, max_value=30, label="CFG scale")
    sampler = forms.CharField(required=False, max_length=60)
    scheduler = forms.CharField(required=False, max_length=60)
    seed = forms.IntegerField(required=False, min_value=0, max_value=LARGEST_SEED)
    count = forms.IntegerField(required=False, min_value=1, max_value=MOST_IMAGES)
    from_prompt = forms.CharField(
        required=False, max_length=120, label="Id of the prompt it is made from", widget=forms.HiddenInput
    )

    def wish(self) -> Wish:
        """What a valid form asks for. A text that was sent empty is meant empty."""
        given: dict[str, Any] = {
            name: value for name, value in self.cleaned_data.items() if value not in (None, "")
        }
        for name in ("negative_prompt", "lora"):
            if name in self.data:
                given[name] = self.cleaned_data[name]
        return Wish(**given)
