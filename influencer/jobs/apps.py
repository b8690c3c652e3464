"""Jobs: everything slow, with its state, steps and errors."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import register
from django.utils.module_loading import import_string

from influencer.jobs import checks


class JobsConfig(AppConfig):
    name = "influencer.jobs"
    label = "jobs"
    verbose_name = "Jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        register(checks.check_queue)
        register(checks.check_kinds)
        import_string("influencer.jobs.signals.connect")()
