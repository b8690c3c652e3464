"""The Characters tab."""

from django.apps import AppConfig

from characters import panels
from influencer.web import tabs


class CharactersConfig(AppConfig):
    name = "characters"

    def ready(self) -> None:
        tabs.register(tabs.Tab(order=1, name="Characters", url_name="characters:list", icon="users"))
        panels.register_section(
            panels.Section(
                order=2,
                slug="story",
                label="Story",
                template="characters/_story.html",
                context="characters.services.story_section",
            )
        )
