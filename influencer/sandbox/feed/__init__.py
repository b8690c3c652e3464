"""The feed pages of the social stand-ins: where a post can be looked at."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from influencer.sandbox.config import SandboxSettings
from influencer.sandbox.feed.avatar import initial
from influencer.sandbox.feed.pages import SERVICES, Pages
from influencer.sandbox.store import Store

FOLDER = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
PAGE_HEADERS = HEADERS | {"Cache-Control": "no-store"}
IMAGE_HEADERS = HEADERS | {"Cache-Control": "private, max-age=31536000, immutable"}
PER_PAGE = 24


def feed_routes(store: Store, settings: SandboxSettings, service: str) -> list[web.RouteDef]:
    """`/feed/`, one page per post, its images, style sheet and icon, for one service's application."""
    feed = _Feed(store, service, Pages(store, settings.app_url))
    return [
        web.get("/", feed.home),
        web.get("/feed", feed.home),
        web.get("/feed/", feed.newest),
        web.get("/feed/{file:feed\\.css|icon\\.svg}", _static),
        web.get(r"/avatars/{name:[A-Za-z0-9._]{1,40}}.png", _avatar),
        web.get(r"/images/{name:[0-9a-f]{32}\.(?:jpg|png|gif|webp)}", feed.image),
        *(web.get(path, feed.post) for path in SERVICES[service].post_paths),
    ]


class _Feed:
    def __init__(self, store: Store, service: str, pages: Pages) -> None:
        self.store = store
        self.service = service
        self.pages = pages

    async def home(self, _request: web.Request) -> web.Response:
        raise web.HTTPFound(f"/{self.service}/feed/", headers=HEADERS)

    async def newest(self, request: web.Request) -> web.Response:
        before = request.query.get("before", "")
        seq = int(before) if before.isdecimal() and len(before) < 16 else 0
        found = list(self.store.posts(self.service, "? = 0 OR seq < ?", seq, seq, limit=PER_PAGE + 1))
        older = found[PER_PAGE - 1].seq if len(found) > PER_PAGE else 0
        return _page(self.pages.feed(self.service, found[:PER_PAGE], newer=seq > 0, older=older))

    async def post(self, request: web.Request) -> web.Response:
        """The page a permalink leads to."""
        code = request.match_info["code"]
        post = next(self.store.posts(self.service, "code = ?", code, limit=1), None)
        if post is None:
            return _page(self.pages.missing(self.service), status=404)
        return _page(self.pages.post(post))

    async def image(self, request: web.Request) -> web.StreamResponse:
        path = self.store.image(request.match_info["name"])
        if path is None:
            return web.Response(status=404, text="There is no such image.", headers=HEADERS)
        return web.FileResponse(path, headers=IMAGE_HEADERS)


async def _avatar(request: web.Request) -> web.Response:
    """What an account shows before it has a portrait: its initial on a colour of its own."""
    png = initial(request.match_info["name"])
    return web.Response(body=png, content_type="image/png", headers=IMAGE_HEADERS)


async def _static(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(
        FOLDER / request.match_info["file"], headers=HEADERS | {"Cache-Control": "no-cache"}
    )


def _page(body: str, *, status: int = 200) -> web.Response:
    return web.Response(text=body, content_type="text/html", headers=PAGE_HEADERS, status=status)
