"""Django's admin over records: one form with its inlines is one write."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from .batching import batch
from .forms import RecordForm


class UnlessChangedMeanwhile(RecordForm):
    """Refuses to save over what someone else saved while this form was open; first among the bases."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hidden = forms.HiddenInput()
        self.fields["digest"] = forms.CharField(required=False, widget=hidden, initial=self.digest)

    def clean(self) -> Any:
        cleaned = super().clean()
        if not self.is_current(self.instance):
            name = self.instance._meta.verbose_name
            message = f"Someone saved this {name} while you were editing. Open it anew, then change it."
            raise forms.ValidationError(message, code="changed_since")
        return cleaned


class RecordAdmin(admin.ModelAdmin):
    """A `ModelAdmin` for records. The file is written before the log entry is committed."""

    show_facets = admin.ShowFacets.NEVER  # counting them needs SQL

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, extra_context)
        with transaction.atomic(), batch():
            return super().changeform_view(request, object_id, form_url, extra_context)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method != "POST":
            return super().changelist_view(request, extra_context)
        with transaction.atomic(), batch():
            return super().changelist_view(request, extra_context)
