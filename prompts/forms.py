"""What a person or a program may say about a prompt, cleaned once for HTML and JSON alike."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from characters.models import Character
from influencer.clients import captions
from influencer.clients.platform import Platform
from influencer.clients.writers.interface import MOST_SCENES
from influencer.jsondb.forms import RecordForm, text_fields
from influencer.web.filters import Filter
from prompts.models import Prompt, Source

TEXTS = ("prompt", "caption", "alt_text", "instagram_caption", "x_caption")
# Which platform's rules a caption has to keep; the common one keeps Instagram's, which are the wider.
RULES = {
    "caption": Platform.INSTAGRAM,
    "instagram_caption": Platform.INSTAGRAM,
    "x_caption": Platform.X,
}
DIALOG = ("character_id", *TEXTS, "used")
GONE = "There is no such character."


class PromptForm(RecordForm):
    """All a person may say about a prompt."""

    class Meta:
        model = Prompt
        fields = (*DIALOG, "narrative_id", "source")
        field_classes = text_fields(Prompt)
        labels: ClassVar = {"alt_text": "Alt text"}
        widgets: ClassVar = {name: forms.Textarea(attrs={"rows": 2}) for name in TEXTS[2:]} | {
            "prompt": forms.Textarea(attrs={"rows": 4}),
            "caption": forms.Textarea(attrs={"rows": 3}),
            "character_id": forms.Select,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "character_id" in self.fields:
            self.fields["character_id"].required = True
            self.fields["character_id"].widget.choices = self._characters()

    def _characters(self) -> list[tuple[str, str]]:
        """Those to choose from; the one it belongs to stays, also when it is gone."""
        found = list(Character.objects.order_by("name").values_list("pk", "name"))
        own = self.instance.character_id
        if own and own not in dict(found):
            found.append((own, f"{self.instance.character_name or own} (deleted)"))
        return [("", "Choose a character"), *found] if not own else found

    def clean_character_id(self) -> str:
        pk = str(self.cleaned_data["character_id"])
        if pk != self.instance.character_id and not Character.objects.filter(pk=pk).exists():
            raise ValidationError(GONE)
        return pk

    def clean_prompt(self) -> str:
        text = str(self.cleaned_data["prompt"])
        if not any(map(str.isalnum, text)):
            raise ValidationError("A prompt needs words.")
        return text

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name, platform in RULES.items():
            if name in self.changed_data and name in cleaned:
                for finding in captions.check(platform, cleaned[name]):
                    if finding.level == "error":
                        self.add_error(name, finding.message)
        return cleaned


class WriteForm(forms.Form):
    """How many prompts to write, for whom, about which chapter."""

    character_id = forms.ChoiceField(label="Character")
    narrative_id = forms.ChoiceField(label="Story", required=False)
    count = forms.IntegerField(min_value=1, max_value=MOST_SCENES, initial=10, label="How many")
    wish = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="A place, a mood, an occasion: what all of them should share.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = list(Character.objects.order_by("name").values_list("pk", "name"))
        self.fields["character_id"].choices = names  # type: ignore[attr-defined]
        self.fields["narrative_id"].choices = [("", "All of it"), *self._chapters(names)]  # type: ignore[attr-defined]

    def _chapters(self, names: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """The chapters of the character chosen so far, else of the first."""
        chosen = self.data.get("character_id") or self.initial.get("character_id")
        chosen = chosen or (names[0][0] if names else "")
        character: Character | None = Character.objects.filter(pk=chosen).first()
        chapters = character.narratives.all() if character else []
        return [(chapter.pk, chapter.title) for chapter in chapters]


class PromptFilter(Filter):
    """Search, filters and sort of the library."""

    USED = (("", "Used and unused"), ("no", "Unused"), ("yes", "Used"))
    SOURCE = (
        ("", "Anyone"),
        (Source.AI.value, "Written by AI"),
        (Source.TEMPLATES.value, "Written without AI"),
        (Source.HAND.value, "Written by hand"),
    )
    SORT = (("-created_at", "Newest"), ("created_at", "Oldest"), ("character_name", "Character"))

    q = forms.CharField(required=False, max_length=200)
    character = forms.CharField(required=False, max_length=120)
    used = forms.ChoiceField(required=False, choices=USED)
    source = forms.ChoiceField(required=False, choices=SOURCE)
    sort = forms.ChoiceField(required=False, choices=SORT)


def partial_form(names: tuple[str, ...] | list[str]) -> type[PromptForm]:
    """A form that reads and changes only `names`."""
    form: type[PromptForm] = forms.modelform_factory(Prompt, form=PromptForm, fields=names)  # type: ignore[assignment]
    return form
