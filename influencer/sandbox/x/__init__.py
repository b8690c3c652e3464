"""The X stand-in: API v2 as `api.x.com` speaks it, and its feed."""

from __future__ import annotations

from aiohttp import web

from influencer.sandbox.config import SandboxSettings
from influencer.sandbox.control import SET_SPEED
from influencer.sandbox.faults import Faults
from influencer.sandbox.feed import feed_routes
from influencer.sandbox.store import Store
from influencer.sandbox.x.service import X, gone, unknown_path


def build(settings: SandboxSettings, faults: Faults) -> web.Application:
    """The stand-in as an application; what was posted lies in `settings.data`."""
    store = Store(settings)
    app = web.Application()
    app.add_routes(feed_routes(store, settings, "x"))
    app.add_routes(_api(X(store, faults)))
    app.add_routes([web.post("/1.1/media/upload.json", gone), web.route("*", "/{path:.*}", unknown_path)])
    app[SET_SPEED] = store.set_speed

    async def close(_app: web.Application) -> None:
        store.close()

    app.on_cleanup.append(close)
    return app


def _api(x: X) -> list[web.RouteDef]:
    tweet, user = "/2/tweets/{id:[0-9]{1,19}}", "/2/users/{id:[0-9]{1,19}}"
    return [
        web.post("/2/tweets", x.call("tweet", x.create_tweet)),
        web.get(tweet, x.call("lookup", x.read_tweet), allow_head=False),
        web.delete(tweet, x.call("delete", x.delete_tweet)),
        web.post("/2/media/upload", x.call("upload", x.upload)),
        web.post("/2/media/metadata", x.call("alt_text", x.set_alt_text)),
        web.get("/2/users/me", x.call("me", x.read_me), allow_head=False),
        web.get(f"{user}/tweets", x.call("timeline", x.read_timeline), allow_head=False),
    ]
