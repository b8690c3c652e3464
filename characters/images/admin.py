"""Images in the admin: to look at, to search, to delete."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from characters.admin import OfCharacter
from characters.images import services
from characters.images.models import Image
from influencer.jobs.admin import LookOnly


@admin.register(Image)
class ImageAdmin(LookOnly, OfCharacter):
    list_display = ("picture", "words", "character", "model", "seed", "sandbox", "created_at")
    list_display_links = ("picture", "words")
    list_filter = ("source", "sandbox", "model")
    search_fields = ("id", "prompt", "model", "lora")
    date_hierarchy = "created_at"
    list_per_page = 50
    show_full_result_count = False
    fields = (
        "large_picture",
        "id",
        "character",
        "source",
        "sandbox",
        "prompt",
        "model",
        "lora",
        "seed",
        "width",
        "height",
        "file",
        "job_id",
        "duration_ms",
        "recipe",
        "created_at",
    )
    readonly_fields = ("large_picture", "character")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def delete_model(self, request: HttpRequest, obj: Image) -> None:
        services.delete(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Image]) -> None:
        for image in queryset:
            services.delete(image)

    @admin.display(description="")
    def picture(self, image: Image) -> str:
        return format_html('<img class="thumb" src="{}" alt="" loading="lazy">', image.thumbnail_url)

    @admin.display(description="prompt", ordering="prompt")
    def words(self, image: Image) -> str:
        return image.prompt[:80] or image.get_source_display()

    @admin.display(description="picture")
    def large_picture(self, image: Image) -> str:
        address = image.url, image.thumbnail_url
        return format_html('<a href="{}"><img class="thumb large" src="{}" alt="Full size"></a>', *address)
