"""Tab 3: the prompt library."""

from django.apps import AppConfig


class PromptsConfig(AppConfig):
    name = "prompts"
