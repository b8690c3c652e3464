"""The tabs in the header: each app adds its own in `AppConfig.ready`."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.module_loading import import_string


@dataclass(frozen=True, order=True)
class Tab:
    """One tab: `order` places it, `icon` names a Lucide icon shown on small screens.

    `also` are the beginnings of further addresses that belong to it. `waiting` names a function
    that counts what waits there for a person; the number stands beside the name.
    """

    order: int
    name: str
    url_name: str
    icon: str
    also: tuple[str, ...] = ()
    waiting: str = ""

    @property
    def url(self) -> str:
        return reverse(self.url_name)

    @property
    def count(self) -> int:
        """How much waits for a person there."""
        return int(import_string(self.waiting)()) if self.waiting else 0


_tabs: dict[str, Tab] = {}


def register(tab: Tab) -> None:
    """Add a tab; the same name twice replaces it."""
    _tabs[tab.name] = tab


def all_tabs() -> list[Tab]:
    return sorted(_tabs.values())


def current(path: str) -> str:
    """The name of the tab whose pages `path` belongs to, or an empty string."""
    return next((tab.name for tab in all_tabs() if path.startswith((tab.url, *tab.also))), "")
