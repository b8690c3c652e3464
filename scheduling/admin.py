"""Tasks and their history in the admin, through the same form and services as everywhere."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from characters.admin import ByCharacter
from influencer.errors import Problem
from influencer.jobs import services as jobs
from influencer.jobs.admin import LookOnly
from influencer.jsondb.admin import RecordAdmin, UnlessChangedMeanwhile
from scheduling import deeds, hand, outcomes, runs, services, tasklist, timetable
from scheduling.forms import TaskForm
from scheduling.models import Fired, NextDue, Task, TaskType
from scheduling.timetable import Clocks

RECORD = ("id", "character_name", "created_at", "updated_at")


class TaskAdminForm(UnlessChangedMeanwhile, TaskForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["run_at"].widget = forms.TextInput()
        if moment := self.instance.run_at:
            self.initial["run_at"] = moment.isoformat()


class OwnerFilter(ByCharacter):
    owners = staticmethod(tasklist.owners)


class TypeFilter(admin.SimpleListFilter):
    title = "type"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(name), str(label)) for name, label in TaskType.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(type=self.value()) if self.value() else queryset


@admin.register(Task)
class TaskAdmin(RecordAdmin):
    form = TaskAdminForm
    list_display = ("deed", "character_name", "in_words", "active", "next_run", "created_at")
    list_filter = ("active", OwnerFilter, TypeFilter)
    search_fields = ("character_name", "schedule", "type")
    readonly_fields = RECORD
    actions = ("pause", "resume", "run_now")
    fieldsets: ClassVar = (
        (None, {"fields": (*TaskForm.Meta.fields, "digest")}),
        ("Record", {"fields": RECORD}),
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        # Those of the record only: the form adds the others itself.
        kwargs["fields"] = TaskForm.Meta.fields
        return super().get_form(request, obj, change, **kwargs)

    @admin.display(description="does", ordering="type")
    def deed(self, task: Task) -> str:
        return deeds.of(task)

    @admin.display(description="when", ordering="schedule")
    def in_words(self, task: Task) -> str:
        return timetable.describe(task, Clocks.now())

    @admin.display(description="next run")
    def next_run(self, task: Task) -> Any:
        row = NextDue.objects.filter(pk=task.pk).first()
        return (row.due or row.problem or None) if row else None

    def save_model(self, request: HttpRequest, obj: Task, form: Any, change: bool) -> None:
        if change:
            services.update_task(obj.pk, form, still=form.is_current)
        else:
            obj.pk = services.add_task(form).pk

    def delete_model(self, request: HttpRequest, obj: Task) -> None:
        services.delete_task(obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        for pk in list(queryset.values_list("pk", flat=True)):
            services.delete_task(pk)

    @admin.action(description="Pause the selected tasks")
    def pause(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        for pk in list(queryset.values_list("pk", flat=True)):
            services.toggle_task(pk, active=False)

    @admin.action(description="Resume the selected tasks")
    def resume(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        for pk in list(queryset.values_list("pk", flat=True)):
            services.toggle_task(pk, active=True)

    @admin.action(description="Run the selected tasks now")
    def run_now(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        for task in list(queryset):
            try:
                jobs.require_worker("default")
                [started] = hand.run_now(task.pk, user_id=request.user.pk)
                going = "is still going" if started.already_running else "runs"
                self.message_user(request, f"{task} {going}: job {started.job_id}.")
            except Problem as problem:
                self.message_user(request, f"{task}: {problem.message}", messages.WARNING)


@admin.register(Fired)
class FiredAdmin(LookOnly, admin.ModelAdmin):
    """The run history, to look at."""

    list_display = ("due", "task_id", "character_id", "state", "kind", "result", "why", "job_id")
    list_filter = ("state", "kind")
    search_fields = ("task_id", "character_id", "job_id", "why")
    date_hierarchy = "due"
    show_full_result_count = False

    @admin.display(description="result")
    def result(self, fired: Fired) -> str:
        return outcomes.of(runs.with_jobs([fired])[0]).text
