"""The Prompts tab."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from characters.panels import register_sample
from characters.publishing import words
from influencer.jobs import kinds
from influencer.web import tabs


class PromptsConfig(AppConfig):
    name = "prompts"

    def ready(self) -> None:
        tabs.register(tabs.Tab(order=3, name="Prompts", url_name="prompts:list", icon="book-open"))
        register_sample("prompts.services.add_samples")
        # By name: it needs models, which can't be loaded before.
        import_string("influencer.jobs.services.on_finished")("generate_image", "prompts.claiming.image_made")
        words.register("prompts.library.words_for")
        kinds.register(
            kinds.Kind(
                name="write_prompts",
                label="Prompts",
                handler="prompts.writing.run",
                steps=("write",),
                link="prompts.writing.link",
            )
        )
