"""Tab 4: checks, jobs, settings."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "monitoring"
