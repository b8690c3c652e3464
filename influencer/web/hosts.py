"""Which names the product answers to, and whose forms it takes: the public address counts as it is now."""

from __future__ import annotations

from collections.abc import Iterator

from django.middleware.csrf import CsrfViewMiddleware

from influencer import effective


class AllowedHosts(list[str]):
    """What the environment allows, and the public address behind it."""

    def __iter__(self) -> Iterator[str]:
        yield from super().__iter__()
        if public := effective.config().public_host:
            yield public


class CsrfMiddleware(CsrfViewMiddleware):
    """Django's own. The public dashboard is behind TLS, which we don't see: its origin is named."""

    @property
    def allowed_origins_exact(self) -> set[str]:
        config = effective.config()
        if config.public_dashboard and config.public_base_url.startswith("https://"):
            return {config.public_base_url}
        return set()
