"""The prompt library."""

from django.apps import AppConfig

from characters.panels import register_sample


class PromptsConfig(AppConfig):
    name = "prompts"

    def ready(self) -> None:
        register_sample("prompts.services.add_samples")
