"""Tab 4: how everything stands, jobs, charts, the log of events."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from influencer.web import tabs


class MonitoringConfig(AppConfig):
    name = "monitoring"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        tabs.register(tabs.Tab(order=4, name="Monitoring", url_name="monitoring:page", icon="activity"))
        # By name: they need models, which can't be loaded before.
        import_string("influencer.jobs.services.on_finished")("*", "monitoring.events.job_ended")
        import_string("scheduling.backup.made").connect(
            import_string("monitoring.events.backup_made"), dispatch_uid="monitoring.backup_made"
        )
        import_string("characters.publishing.accounts.happenings.happened").connect(
            import_string("monitoring.events.account_happened"), dispatch_uid="monitoring.account_happened"
        )
        import_string("monitoring.clock_turn.connect")()
