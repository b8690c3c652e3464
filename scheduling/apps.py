"""Scheduled tasks."""

from django.apps import AppConfig

from characters.panels import register_delete_listener, register_sample


class SchedulingConfig(AppConfig):
    name = "scheduling"

    def ready(self) -> None:
        register_delete_listener("scheduling.services.pause_tasks_of")
        register_sample("scheduling.services.add_samples")
