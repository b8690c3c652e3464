"""Rendering of the feed pages; every value is escaped unless it is `Html` already."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from string import Template

from influencer.sandbox.store import Picture, Post, Store

FOLDER = Path(__file__).parent
FIRST_PICTURE = (
    "seq = (SELECT min(seq) FROM posts"
    " WHERE service = ? AND account = ? AND pictures != '[]' AND deleted IS NULL)"
)
UNITS = ((60, 1, "s"), (3_600, 60, "min"), (86_400, 3_600, "h"))


class Html(str):
    """Text that is markup already."""


@dataclass(frozen=True)
class Service:
    """How one service's feed looks."""

    title: str
    icon: str
    template: str
    ai_label: str
    post_paths: tuple[str, ...]


SERVICES = {
    "instagram": Service(
        "Instagram", "i-instagram", "instagram.html", "AI info", (r"/p/{code:[A-Za-z0-9_-]{11}}/",)
    ),
    "x": Service(
        "X",
        "i-x",
        "x.html",
        "Made with AI",
        (r"/{username:[A-Za-z0-9._]{1,40}}/status/{code:[0-9]{1,19}}", r"/i/web/status/{code:[0-9]{1,19}}"),
    ),
}


class Pages:
    """The pages of both services."""

    def __init__(self, store: Store, app_url: str) -> None:
        self.store = store
        self.app_url = app_url
        self._templates = {path.name: Template(path.read_text()) for path in FOLDER.glob("*.html")}

    def feed(self, service: str, posts: Sequence[Post], *, newer: bool, older: int) -> str:
        """`newer`: this is not the first page; `older`: the last post's number when more follow."""
        if not posts:
            return self._page(service, self._fill("empty.html", service=SERVICES[service].title), "")
        cards = Html("".join(self._fill("item.html", card=self._card(post, whole=False)) for post in posts))
        pager = Html("")
        if newer or older:
            pager = self._fill("pager.html", newer=_newer(newer), older=_older(older))
        return self._page(service, self._fill("feed.html", service=service, cards=cards, pager=pager), "")

    def post(self, post: Post) -> str:
        username = self.store.account(post.service, post.account).username
        body = self._fill("post.html", service=post.service, card=self._card(post, whole=True))
        return self._page(post.service, body, f"{username} on ")

    def missing(self, service: str) -> str:
        return self._page(service, self._fill("missing.html", service=service), "Not found · ")

    def _page(self, service: str, body: Html, title: str) -> str:
        look = SERVICES[service]
        current = Html(' aria-current="page"')
        return self._fill(
            "layout.html",
            title=title + look.title,
            service=service,
            name=look.title,
            icon=look.icon,
            instagram=current if service == "instagram" else "",
            x=current if service == "x" else "",
            app_url=self.app_url,
            body=body,
        )

    def _card(self, post: Post, *, whole: bool) -> Html:
        look = SERVICES[post.service]
        username = self.store.account(post.service, post.account).username
        return self._fill(
            look.template,
            service=post.service,
            username=username,
            name=re.sub("[._]+", " ", username).strip().title(),
            avatar=self._avatar(post, username),
            ai_label=self._fill("label.html", text=look.ai_label) if post.ai_label else "",
            link=_link(post, username),
            pictures=self._pictures(post),
            alt=self._alt(post),
            text=post.text,
            clamp="" if whole else "clamp",
            moment=datetime.fromtimestamp(post.created, UTC).isoformat(timespec="seconds"),
            exact=datetime.fromtimestamp(post.created, UTC).strftime("%-d %B %Y, %H:%M UTC"),
            ago=ago(self.store.now() - post.created),
        )

    def _avatar(self, post: Post, username: str) -> Html:
        """The account's first image, as a portrait; its initial when it has none."""
        first = next(self.store.posts(post.service, FIRST_PICTURE, post.service, post.account), None)
        if first is None:
            return self._fill("initial.html", letter=username[:1].upper())
        return self._fill("avatar.html", service=post.service, file=first.pictures[0].file)

    def _pictures(self, post: Post) -> Html:
        images = [self._picture(post, picture) for picture in post.pictures]
        if not images:
            return Html("")
        count = "one" if len(images) == 1 else "several"
        return self._fill("pictures.html", count=count, images=Html("".join(images)))

    def _picture(self, post: Post, picture: Picture) -> Html:
        size = {"width": str(picture.width), "height": str(picture.height)}
        return self._fill("picture.html", service=post.service, file=picture.file, alt=picture.alt, **size)

    def _alt(self, post: Post) -> Html:
        words = [picture.alt for picture in post.pictures if picture.alt]
        return self._fill("alt.html", text="\n".join(words)) if words else Html("")

    def _fill(self, template: str, **values: str) -> Html:
        safe = {
            name: value if isinstance(value, Html) else html.escape(value) for name, value in values.items()
        }
        return Html(self._templates[template].substitute(safe))


def ago(seconds: float) -> str:
    """How long ago, the way the dashboard says it."""
    if seconds < 5:
        return "now"
    for below, unit, name in UNITS:
        if seconds < below:
            return f"{int(seconds // unit)} {name} ago"
    return f"{int(seconds // 86_400)} d ago"


def _link(post: Post, username: str) -> str:
    return f"/instagram/p/{post.code}/" if post.service == "instagram" else f"/x/{username}/status/{post.id}"


def _newer(there: bool) -> Html:
    return Html('<a class="btn" href="./">Newest</a>') if there else Html("<span></span>")


def _older(seq: int) -> Html:
    return Html(f'<a class="btn" href="?before={seq}">Older</a>') if seq else Html("<span></span>")
