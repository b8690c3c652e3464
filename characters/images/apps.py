"""Images of a character: generate, gallery, uploads."""

from django.apps import AppConfig

from characters import panels
from influencer.jobs import kinds


class ImagesConfig(AppConfig):
    name = "characters.images"
    label = "images"

    def ready(self) -> None:
        panels.register_panel("images", "characters.images.services.card_parts")
        panels.register_panel("job", "characters.images.services.jobs_of")
        panels.register_sample("characters.images.samples.add_samples")
        panels.register_section(
            panels.Section(
                order=1,
                slug="gallery",
                label="Gallery",
                template="images/_gallery.html",
                context="characters.images.services.section",
            )
        )
        kinds.register(
            kinds.Kind(
                name="generate_image",
                label="Image",
                handler="characters.images.generation.run",
                cluster="gpu",
                steps=("prepare", "generate", "save"),
                answer="characters.images.api.result_of",
            )
        )
