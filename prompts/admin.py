"""Prompts in the admin, through the same forms and services as everywhere."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from characters.admin import ByCharacter
from influencer.jsondb.admin import RecordAdmin, UnlessChangedMeanwhile
from prompts import claiming, services
from prompts.forms import DIALOG, PromptForm
from prompts.models import Prompt


class PromptAdminForm(UnlessChangedMeanwhile, PromptForm):
    pass


class OwnerFilter(ByCharacter):
    owners = staticmethod(services.owners)


@admin.register(Prompt)
class PromptAdmin(RecordAdmin):
    form = PromptAdminForm
    list_display = ("short", "character_name", "caption_start", "used", "source", "created_at")
    list_filter = ("used", OwnerFilter)
    search_fields = ("prompt", "caption", "character_name")
    readonly_fields = (
        "id",
        "character_name",
        "caption_source",
        "used_at",
        "used_by",
        "created_at",
        "updated_at",
    )
    actions = ("mark_used", "mark_unused")
    fieldsets: ClassVar = (
        (None, {"fields": (*DIALOG, "narrative_id", "source", "digest")}),
        ("Record", {"fields": readonly_fields}),
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        # Those of the record only: the form adds the others itself.
        kwargs["fields"] = PromptForm.Meta.fields
        return super().get_form(request, obj, change, **kwargs)

    @admin.display(description="prompt", ordering="prompt")
    def short(self, prompt: Prompt) -> str:
        return str(prompt)

    @admin.display(description="caption")
    def caption_start(self, prompt: Prompt) -> str:
        return prompt.caption[:60]

    def save_model(self, request: HttpRequest, obj: Prompt, form: Any, change: bool) -> None:
        if change:
            services.update(obj.pk, form, still=form.is_current)
        else:
            services.create(form)

    def delete_model(self, request: HttpRequest, obj: Prompt) -> None:
        services.delete(obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Prompt]) -> None:
        services.delete_many(list(queryset.values_list("pk", flat=True)))

    @admin.action(description="Mark the selected prompts as used")
    def mark_used(self, request: HttpRequest, queryset: QuerySet[Prompt]) -> None:
        for pk in list(queryset.values_list("pk", flat=True)):
            claiming.mark_used(pk)

    @admin.action(description="Put the selected prompts back among the unused")
    def mark_unused(self, request: HttpRequest, queryset: QuerySet[Prompt]) -> None:
        for pk in list(queryset.values_list("pk", flat=True)):
            claiming.mark_unused(pk)
