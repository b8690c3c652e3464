"""Scheduled tasks."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from characters import panels
from influencer.jobs import kinds, references
from influencer.web import tabs


class SchedulingConfig(AppConfig):
    name = "scheduling"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        tab = tabs.Tab(
            order=2,
            name="Scheduling",
            url_name="scheduling:list",
            icon="calendar-days",
            waiting="scheduling.runs.waiting_for_someone",
        )
        tabs.register(tab)
        panels.register_panel("next_post", "scheduling.on_characters.next_posts")
        panels.register_section(
            panels.Section(
                order=5,
                slug="schedule",
                label="Schedule",
                template="scheduling/_section.html",
                context="scheduling.on_characters.section",
            )
        )
        panels.register_delete_listener("scheduling.services.pause_tasks_of")
        panels.register_sample("scheduling.services.add_samples")
        references.register("scheduling.runs.jobs_of_last_runs")
        references.register("scheduling.runs.parts_of_open_runs")
        _register_kinds()
        # By name: they need models, which can't be loaded before.
        for connect in ("scheduling.clock_turn.connect", "scheduling.children.connect"):
            import_string(connect)()


def _register_kinds() -> None:
    kinds.register(
        kinds.Kind(
            name="run_task",
            label="Task run",
            handler="scheduling.running.run",
            steps=("prompt", "image", "caption", "publish"),
            cancellable_until="publish",
            on_finished="scheduling.running.finished",
        )
    )
    kinds.register(
        kinds.Kind(
            name="train_task",
            label="LoRA training on schedule",
            handler="scheduling.teaching.run",
            steps=("images", "train"),
            link="characters.training.running.link",
        )
    )
    kinds.register(
        kinds.Kind(
            name="backup",
            label="Backup",
            handler="scheduling.backup.run",
            steps=("copy", "check", "keep"),
        )
    )
