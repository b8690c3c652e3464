"""The Characters tab."""

from django.apps import AppConfig

from influencer.web import tabs


class CharactersConfig(AppConfig):
    name = "characters"

    def ready(self) -> None:
        tabs.register(tabs.Tab(order=1, name="Characters", url_name="characters:list", icon="users"))
