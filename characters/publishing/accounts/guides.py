"""What the guide asks for at its end: the credentials of one platform, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from characters.forms import CharacterForm, partial_form
from characters.models import INSTAGRAM_CREDENTIALS, X_CREDENTIALS
from influencer.clients.platform import Platform
from influencer.errors import NotFound


@dataclass(frozen=True)
class Way:
    """One way to connect an account."""

    slug: str
    label: str
    platform: Platform
    fields: tuple[str, ...]

    @property
    def template(self) -> str:
        return f"publishing/_guide_{self.slug}.html"

    @property
    def form(self) -> type[CharacterForm]:
        return partial_form(self.fields)


WAYS = (
    Way("instagram", "Instagram Login", Platform.INSTAGRAM, INSTAGRAM_CREDENTIALS),
    Way("facebook", "Facebook Login", Platform.INSTAGRAM, INSTAGRAM_CREDENTIALS),
    Way("x", "X", Platform.X, X_CREDENTIALS),
)


def way(slug: str) -> Way:
    """Raises `NotFound`."""
    found = next((one for one in WAYS if one.slug == slug), None)
    if found is None:
        raise NotFound(f"There is no guide called {slug}.")
    return found
