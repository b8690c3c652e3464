"""The Instagram stand-in: the Graph API as `graph.instagram.com` speaks it, and its feed.

Every path works with a version before it and without. Stricter than the real API in one
thing: a parameter the call does not know is refused, so that a misspelt one is noticed.
"""

from __future__ import annotations

from aiohttp import web

from influencer.sandbox.config import SandboxSettings
from influencer.sandbox.control import SET_SPEED
from influencer.sandbox.faults import Faults
from influencer.sandbox.feed import feed_routes
from influencer.sandbox.instagram.service import Instagram
from influencer.sandbox.store import Store

VERSION = r"/{version:v[0-9]{1,2}\.[0-9]}"
NODE = "/{node:[0-9]{1,30}|me}"


def build(settings: SandboxSettings, faults: Faults) -> web.Application:
    """The stand-in as an application; what was posted lies in `settings.data`."""
    store = Store(settings)
    service = Instagram(store, settings, faults)
    app = web.Application()
    app.add_routes(feed_routes(store, settings, "instagram"))
    for prefix in ("", VERSION):
        app.add_routes(_api(service, prefix))
    app.add_routes([web.route("*", "/{path:.*}", service.call(service.unknown_path))])
    app[SET_SPEED] = store.set_speed

    async def close(_app: web.Application) -> None:
        store.close()

    app.on_cleanup.append(close)
    return app


def _api(service: Instagram, prefix: str) -> list[web.RouteDef]:
    call = service.call
    return [
        web.post(f"{prefix}{NODE}/media", call(service.create_container)),
        web.get(f"{prefix}{NODE}/media", call(service.list_media), allow_head=False),
        web.post(f"{prefix}{NODE}/media_publish", call(service.publish)),
        web.get(f"{prefix}{NODE}/content_publishing_limit", call(service.publishing_limit), allow_head=False),
        web.get(f"{prefix}/refresh_access_token", call(service.refresh_token), allow_head=False),
        web.get(f"{prefix}/access_token", call(service.lengthen_token), allow_head=False),
        web.route("*", f"{prefix}/oauth/access_token", service.as_app("exchange", service.exchange)),
        web.get(f"{prefix}/debug_token", service.as_app("debug", service.tokens.described), allow_head=False),
        web.get(f"{prefix}/me/accounts", call(service.list_pages), allow_head=False),
        web.get(prefix + NODE, call(service.read_node), allow_head=False),
    ]
