"""Tab 2: tasks, calendar, runs."""

from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    name = "scheduling"
