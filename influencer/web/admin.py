"""API tokens in the admin; its sign-in is the dashboard's own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from influencer.web.models import ApiToken


def sign_in(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """One sign-in for all, with one throttle: the admin's own form stays closed."""
    if request.user.is_authenticated and not admin.site.has_permission(request):
        raise PermissionDenied
    return HttpResponseRedirect(reverse("admin:index"))


admin.site.login = sign_in  # type: ignore[method-assign]
admin.site.site_header = "Admin"
admin.site.site_title = "Influencer"
admin.site.index_title = "Admin"
admin.site.enable_nav_sidebar = False


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):
    """Tokens are made by `manage.py api_token`, which shows them once; here they are seen and revoked."""

    list_display = ["name", "user", "created_at", "last_used_at", "expires_at", "revoked_at"]
    list_filter = ["user"]
    search_fields = ["name"]
    readonly_fields = ["name", "user", "created_at", "last_used_at", "expires_at", "revoked_at"]
    actions = ["revoke"]

    @admin.action(description="Revoke the chosen tokens")
    def revoke(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        count = tokens.filter(revoked_at=None).update(revoked_at=timezone.now())
        self.message_user(request, f"Revoked {count}.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
