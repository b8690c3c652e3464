"""The project itself: commands and the ground floor."""

from django.apps import AppConfig
from django.utils.module_loading import import_string


class InfluencerConfig(AppConfig):
    name = "influencer"

    def ready(self) -> None:
        # Loaded by name: it needs models, which exist only once all apps are there.
        import_string("influencer.jobs.supervisor.clock_turn.connect")()
