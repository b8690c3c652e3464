"""Jobs and the queue's own tables in the admin: to look at; changes go through the services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django_q import admin as queue_admin
from django_q.models import Failure, OrmQ, Schedule, Success

from influencer.errors import Problem
from influencer.jobs import services
from influencer.jobs.models import Job, JobStep


class LookOnly(admin.options.BaseModelAdmin):
    """Nothing can be added, changed or deleted."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class StepInline(LookOnly, admin.TabularInline):
    model = JobStep
    fields = ("position", "name", "state", "started_at", "finished_at", "error")


@admin.register(Job)
class JobAdmin(LookOnly, admin.ModelAdmin):
    list_display = ("id", "kind", "character_id", "state", "step", "created_at", "finished_at", "attempts")
    list_filter = ("state", "kind", "cluster")
    search_fields = ("id", "character_id", "message")
    date_hierarchy = "created_at"
    inlines = (StepInline,)
    actions = ("cancel_jobs", "retry_jobs")
    show_full_result_count = False

    @admin.action(description="Cancel the selected jobs")
    def cancel_jobs(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._each(request, queryset, services.cancel)

    @admin.action(description="Retry the selected jobs from the step that failed")
    def retry_jobs(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._each(request, queryset, services.retry)

    def _each(self, request: HttpRequest, queryset: QuerySet[Job], verb: Callable[[str], Job]) -> None:
        for pk in queryset.values_list("pk", flat=True):
            try:
                job = verb(pk)
                self.message_user(request, f"{job} is {job.state}.")
            except Problem as problem:
                self.message_user(request, f"Job {pk}: {problem.message}", messages.WARNING)


class TaskAdmin(LookOnly, queue_admin.TaskAdmin):
    """A task the queue has done, without "Resubmit": retry goes through the job."""

    actions = ()

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return []


class FailureAdmin(LookOnly, queue_admin.FailAdmin):
    actions = ()

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return []


class MessageAdmin(LookOnly, queue_admin.QueueAdmin):
    """A message that lies in the queue."""


for model, look in ((Success, TaskAdmin), (Failure, FailureAdmin), (OrmQ, MessageAdmin), (Schedule, None)):
    admin.site.unregister(model)
    if look:
        admin.site.register(model, look)
