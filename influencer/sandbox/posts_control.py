"""Control of the social stand-ins: what was posted, limits, the clock."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aiohttp import web

from influencer.sandbox.config import SandboxSettings
from influencer.sandbox.store import LIMITS, Post, Store

SERVICES = ("instagram", "x")


def control_routes(settings: SandboxSettings) -> list[web.RouteDef]:
    """Routes for the control application, which asks for the key."""
    control = _PostsControl(Store(settings))
    return [
        web.get("/posts", control.read_posts),
        web.delete("/posts", control.forget_posts),
        web.get("/limits", control.read_limits),
        web.post("/limits", control.set_limits),
        web.post("/clock", control.advance_clock),
    ]


class _PostsControl:
    def __init__(self, store: Store) -> None:
        self.store = store

    async def read_posts(self, request: web.Request) -> web.Response:
        """`?service=&text=`: live posts newest first, and how often each text was asked to be published."""
        service, text = request.query.get("service", ""), request.query.get("text")
        if service and service not in SERVICES:
            return _refusal(f"There are no posts of '{service}'; there are {', '.join(SERVICES)}.")
        wanted = (service,) if service else SERVICES
        posts = [self._shown(post) for name in wanted for post in self.store.posts(name)]
        calls = self.store.calls(service)
        if text is not None:
            posts = [post for post in posts if post["text"] == text]
            calls = [call for call in calls if call["text"] == text]
        return web.json_response({"posts": posts, "calls": calls})

    async def forget_posts(self, _request: web.Request) -> web.Response:
        self.store.forget()
        return web.json_response({"posts": [], "calls": []})

    async def read_limits(self, _request: web.Request) -> web.Response:
        return web.json_response({"limits": self.store.limits()})

    async def set_limits(self, request: web.Request) -> web.Response:
        """Body `{"instagram_quota": 2, …}`; names as `GET /control/limits` lists them."""
        wishes = await _numbers(request)
        for name, value in wishes.items():
            if name not in LIMITS or value < 0:
                return _refusal(f"'{name}' can't be set to {value}; there are {', '.join(LIMITS)}.")
        for name, value in wishes.items():
            self.store.set_limit(name, value)
        return web.json_response({"limits": self.store.limits()})

    async def advance_clock(self, request: web.Request) -> web.Response:
        """Body `{"advance": seconds}`: containers expire, windows pass."""
        wishes = await _numbers(request)
        if set(wishes) != {"advance"} or wishes["advance"] < 0:
            return _refusal("'advance' must be a number of seconds.")
        self.store.advance(wishes["advance"])
        return web.json_response({"ahead": self.store.clock_ahead()})

    def _shown(self, post: Post) -> dict[str, Any]:
        username = self.store.account(post.service, post.account).username
        return asdict(post) | {"username": username}


async def _numbers(request: web.Request) -> dict[str, float]:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or not all(_is_number(value) for value in body.values()):
        text = '{"error": "The body must be a JSON object of numbers."}'
        raise web.HTTPBadRequest(text=text, content_type="application/json")
    return {name: float(value) for name, value in body.items()}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refusal(message: str) -> web.Response:
    return web.json_response({"error": message}, status=400)
