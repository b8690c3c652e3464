"""Posts in the admin, to look at. Nothing leaves the ledger: it keeps a post from going out twice."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from characters.admin import OfCharacter
from characters.images.models import Image
from characters.publishing import services
from characters.publishing.models import Attempt, Post
from influencer.errors import Problem
from influencer.jobs.admin import LookOnly


class AttemptInline(LookOnly, admin.TabularInline):
    model = Attempt
    fields = ("at", "step", "milliseconds", "http_status", "code", "message")


@admin.register(Post)
class PostAdmin(LookOnly, OfCharacter):
    list_display = ("picture", "words", "character", "platform", "sandbox", "state", "link", "created_at")
    list_display_links = ("picture", "words")
    list_filter = ("platform", "state", "sandbox")
    search_fields = ("id", "caption", "alt_text", "remote_id", "account")
    date_hierarchy = "created_at"
    list_per_page = 50
    show_full_result_count = False
    inlines = (AttemptInline,)
    actions = ("settle_published", "settle_not_published")
    fields = (
        "id",
        "character",
        "platform",
        "account",
        "sandbox",
        "state",
        "caption",
        "alt_text",
        "ai_label",
        "image_id",
        "link",
        "remote_id",
        "error",
        "attempts",
        "job_id",
        "due_at",
        "created_at",
        "publishing_at",
        "published_at",
    )
    readonly_fields = ("character", "link")

    @admin.display(description="")
    def picture(self, post: Post) -> str:
        image = Image(pk=post.image_id)
        if not post.image_id:
            return ""
        return format_html('<img src="{}" alt="" height="60" loading="lazy">', image.thumbnail_url)

    @admin.display(description="caption", ordering="caption")
    def words(self, post: Post) -> str:
        return post.caption[:80] or post.pk

    @admin.display(description="link")
    def link(self, post: Post) -> str:
        return format_html('<a href="{0}">{0}</a>', post.permalink) if post.permalink else ""

    @admin.action(description="Unknown outcome: it was published")
    def settle_published(self, request: HttpRequest, queryset: QuerySet[Post]) -> None:
        self._settle(request, queryset, published=True)

    @admin.action(description="Unknown outcome: it was not published")
    def settle_not_published(self, request: HttpRequest, queryset: QuerySet[Post]) -> None:
        self._settle(request, queryset, published=False)

    def _settle(self, request: HttpRequest, queryset: QuerySet[Post], *, published: bool) -> None:
        for pk in list(queryset.values_list("pk", flat=True)):
            try:
                self.message_user(request, f"{pk} is {services.resolve(pk, published=published).state}.")
            except Problem as problem:
                self.message_user(request, f"{pk}: {problem.message}", messages.WARNING)
