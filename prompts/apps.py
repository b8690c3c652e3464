"""The Prompts tab."""

from django.apps import AppConfig

from characters.panels import register_sample
from influencer.jobs import kinds
from influencer.web import tabs


class PromptsConfig(AppConfig):
    name = "prompts"

    def ready(self) -> None:
        tabs.register(tabs.Tab(order=3, name="Prompts", url_name="prompts:list", icon="book-open"))
        register_sample("prompts.services.add_samples")
        kinds.register(
            kinds.Kind(
                name="write_prompts",
                label="Prompts",
                handler="prompts.writing.run",
                steps=("write",),
                link="prompts.writing.link",
            )
        )
