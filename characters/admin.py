"""Characters in the admin, through the same forms and services as everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from characters import services
from characters.forms import INSTAGRAM, LOOK, PERSONA, CharacterForm, NarrativeForm, X, remove_name
from characters.models import SECRETS, Character, Narrative
from influencer.jsondb.admin import RecordAdmin, UnlessChangedMeanwhile


class CharacterAdminForm(UnlessChangedMeanwhile, CharacterForm):
    pass


class NarrativeInline(admin.StackedInline):
    model = Narrative
    form = NarrativeForm
    extra = 0


class ByCharacter(admin.SimpleListFilter):
    """Records of one character; `owners` gives `(id, name)` of those to choose from."""

    title = "character"
    parameter_name = "character"
    owners: Callable[[], list[tuple[str, str]]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return self.owners()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(character_id=self.value()) if self.value() else queryset


class ModelFilter(admin.SimpleListFilter):
    title = "model"
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in services.models_in_use()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(preferred_model=self.value()) if self.value() else queryset


@admin.register(Character)
class CharacterAdmin(RecordAdmin):
    form = CharacterAdminForm
    inlines = (NarrativeInline,)
    list_display = (
        "name",
        "instagram_handle",
        "twitter_handle",
        "is_active",
        "preferred_model",
        "updated_at",
    )
    list_filter = ("is_active", ModelFilter)
    search_fields = ("name", "instagram_handle", "twitter_handle")
    readonly_fields = ("id", "created_at", "updated_at")
    actions = ("activate", "deactivate")
    fieldsets: ClassVar = (
        ("Persona", {"fields": (*PERSONA, "is_active", "digest")}),
        ("Look", {"fields": (*LOOK, "avatar_image_id")}),
        ("Instagram", {"fields": INSTAGRAM}),
        ("X", {"fields": X}),
        ("Publishing", {"fields": ("ai_label", "ai_label_reason", "practise_in_sandbox")}),
        ("Record", {"fields": readonly_fields}),
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        # Those of the record only: the form adds the others itself.
        kwargs["fields"] = CharacterForm.Meta.fields
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Beside each stored secret a box to take it away."""
        return [(title, {"fields": _with_boxes(fields["fields"], obj)}) for title, fields in self.fieldsets]

    def save_model(self, request: HttpRequest, obj: Character, form: Any, change: bool) -> None:
        if change:
            services.update(obj.pk, form, still=form.is_current)
        else:
            services.create(form)

    def delete_model(self, request: HttpRequest, obj: Character) -> None:
        services.delete(obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Character]) -> None:
        for pk in list(queryset.values_list("pk", flat=True)):
            services.delete(pk)

    @admin.action(description="Activate the selected characters")
    def activate(self, request: HttpRequest, queryset: QuerySet[Character]) -> None:
        self._switch(request, queryset, active=True)

    @admin.action(description="Pause the selected characters")
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Character]) -> None:
        self._switch(request, queryset, active=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Character], *, active: bool) -> None:
        pks = list(queryset.values_list("pk", flat=True))
        for pk in pks:
            services.set_active(pk, active=active)
        self.message_user(request, f"{'Activated' if active else 'Paused'} {len(pks)}.")


def _with_boxes(names: Any, character: Character | None) -> list[str]:
    stored = {name for name in SECRETS if character is not None and getattr(character, name)}
    lines = [(name, remove_name(name)) if name in stored else (name,) for name in names]
    return [name for line in lines for name in line]


class OfCharacter(admin.ModelAdmin):
    """What belongs to a character by id: its name in the list, and found by it."""

    @admin.display(description="character", ordering="character_id")
    def character(self, record: Any) -> str:
        found = Character.objects.filter(pk=record.character_id).first()
        if found is None:
            return str(record.character_id)
        # Quoted, as an id may hold what the admin reads as an escape ("_40").
        address = reverse("admin:characters_character_change", args=[quote(found.pk)])
        return format_html('<a href="{}">{}</a>', address, found.name)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found, may_double = super().get_search_results(request, queryset, search_term)
        if not search_term:
            return found, may_double
        named = Character.objects.filter(Q(name__icontains=search_term)).values_list("pk", flat=True)
        return found | queryset.filter(character_id__in=list(named)), may_double
