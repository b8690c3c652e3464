"""Posts in the admin, to look at. Nothing leaves the ledger: it keeps a post from going out twice."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.html import format_html

from characters.admin import OfCharacter
from characters.images.models import Image
from characters.publishing import export, services
from characters.publishing.models import Attempt, Post
from characters.publishing.standing_models import AccountStanding
from influencer.errors import Problem
from influencer.jobs.admin import LookOnly


class AttemptInline(LookOnly, admin.TabularInline):
    model = Attempt
    fields = ("at", "step", "milliseconds", "http_status", "code", "message")


@admin.register(Post)
class PostAdmin(LookOnly, OfCharacter):
    list_display = ("picture", "words", "character", "platform", "standing", "link", "created_at")
    list_display_links = ("picture", "words")
    list_filter = ("platform", "state", "sandbox", "ai_label")
    search_fields = ("id", "caption", "alt_text", "remote_id", "account")
    date_hierarchy = "created_at"
    list_per_page = 50
    show_full_result_count = False
    inlines = (AttemptInline,)
    actions = ("retry_posts", "settle_published", "settle_not_published", "export_csv", "export_json")
    fields = (
        "id",
        "character",
        "platform",
        "account",
        "standing",
        "caption",
        "alt_text",
        "ai_label",
        "ai_label_reason",
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
    readonly_fields = ("character", "standing", "link")

    @admin.display(description="")
    def picture(self, post: Post) -> str:
        if not post.image_id:
            return ""
        address = Image(pk=post.image_id).thumbnail_url
        return format_html('<img class="thumb" src="{}" alt="" loading="lazy">', address)

    @admin.display(description="caption", ordering="caption")
    def words(self, post: Post) -> str:
        return post.caption[:80] or post.pk

    @admin.display(description="state", ordering="state")
    def standing(self, post: Post) -> str:
        """What happened in the sandbox never reads "published"."""
        return services.Row(post, None, None).chip[0]

    @admin.display(description="link")
    def link(self, post: Post) -> str:
        return format_html('<a href="{}">See the post</a>', post.permalink) if post.permalink else ""

    @admin.action(description="Retry the selected posts from the step that failed")
    def retry_posts(self, request: HttpRequest, queryset: QuerySet[Post]) -> None:
        for pk in list(queryset.values_list("pk", flat=True)):
            try:
                services.retry(pk)
                self.message_user(request, f"{pk} is tried again.")
            except Problem as problem:
                self.message_user(request, f"{pk}: {problem.message}", messages.WARNING)

    @admin.action(description="Export the selected posts as CSV")
    def export_csv(self, request: HttpRequest, queryset: QuerySet[Post]) -> StreamingHttpResponse:
        return export.response(queryset, "csv")

    @admin.action(description="Export the selected posts as JSON")
    def export_json(self, request: HttpRequest, queryset: QuerySet[Post]) -> StreamingHttpResponse:
        return export.response(queryset, "json")

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


@admin.register(AccountStanding)
class AccountStandingAdmin(LookOnly, admin.ModelAdmin):
    """How accounts stand, to look at; the character's page resumes and renews."""

    list_display = ("key", "username", "last_ok_at", "expires_at", "paused_at", "held_until", "checked_at")
    list_filter = ("pause_code", "hold_code")
    search_fields = ("key", "username")
    exclude = ("picture", "token_mark")
