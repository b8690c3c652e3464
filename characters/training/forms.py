"""What may be asked of a training, for the dialog and for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from influencer.clients.comfyui.settings import LARGEST_SEED
from influencer.clients.comfyui.training_graph import LIMITS

GRID = 64


@dataclass(frozen=True)
class Wish:
    """What is asked for; empty or None means what the character or the family suggests.

    With `attach` the character uses the LoRA as soon as it is proven.
    """

    base_model: str = ""
    trigger_word: str = ""
    name: str = ""
    steps: int | None = None
    rank: int | None = None
    learning_rate: float | None = None
    resolution: int | None = None
    seed: int | None = None
    attach: bool = True
    rights_confirmed: bool = False


def _limits(name: str) -> dict[str, Any]:
    low, high = LIMITS[name]
    return {"min_value": low, "max_value": high, "required": False}


class TrainingForm(forms.Form):
    """The fields of one training, all optional."""

    base_model = forms.CharField(required=False, max_length=300)
    trigger_word = forms.CharField(required=False, max_length=120)
    name = forms.CharField(required=False, max_length=120)
    steps = forms.IntegerField(**_limits("steps"))
    rank = forms.IntegerField(**_limits("rank"))
    learning_rate = forms.FloatField(**_limits("learning_rate"))
    resolution = forms.IntegerField(**_limits("resolution"))
    seed = forms.IntegerField(required=False, min_value=0, max_value=LARGEST_SEED)
    attach = forms.BooleanField(required=False)
    rights_confirmed = forms.BooleanField(
        required=False, label="I have the right to use these images of this person."
    )

    def clean_resolution(self) -> int | None:
        side: int | None = self.cleaned_data["resolution"]
        if side and side % GRID:
            raise forms.ValidationError(f"Ensure this value is a multiple of {GRID}.")
        return side

    def clean_trigger_word(self) -> str:
        word = " ".join(str(self.cleaned_data["trigger_word"]).split())
        if "," in word:
            raise forms.ValidationError("A trigger word has no comma: commas part the words of a caption.")
        return word

    def wish(self) -> Wish:
        """What a valid form asks for."""
        given = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        return Wish(**given)


class DialogForm(TrainingForm):
    """The same for a person: models to choose from, and the confirmation is required."""

    base_model = forms.CharField(required=False, max_length=300, widget=forms.Select, label="Base model")
    attach = forms.BooleanField(required=False, label="Use the LoRA as soon as it is proven")
    rights_confirmed = forms.BooleanField(
        label="I have the right to use these images of this person.",
        error_messages={"required": "Training needs this confirmation."},
    )

    def offer(self, models: Sequence[tuple[str, str]]) -> None:
        """Say which models there are, as (name, words)."""
        self.fields["base_model"].widget.choices = models
