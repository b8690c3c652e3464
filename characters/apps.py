"""The Characters tab."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.utils.module_loading import import_string

from characters import addresses, panels
from influencer.jobs import names
from influencer.web import tabs


class CharactersConfig(AppConfig):
    name = "characters"

    def ready(self) -> None:
        addresses.register()
        mine = ("/posts/", "/images/")
        tab = tabs.Tab(order=1, name="Characters", url_name="characters:list", icon="users", also=mine)
        tabs.register(tab)
        names.register("characters.services.names")
        panels.register_section(
            panels.Section(
                order=2,
                slug="story",
                label="Story",
                template="characters/_story.html",
                context="characters.story.section",
            )
        )
        # By name: both need models, which exist only once all apps are there.
        import_string("influencer.web.setup.after_setup").append(add_samples)


def add_samples(_owner: Any) -> None:
    """What "Start with three sample characters" does at set-up."""
    import_string("characters.services.add_samples")()
