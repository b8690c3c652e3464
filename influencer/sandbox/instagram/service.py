"""The calls of the Instagram stand-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from influencer.sandbox.config import SandboxSettings
from influencer.sandbox.faults import Fault, Faults
from influencer.sandbox.instagram import containers
from influencer.sandbox.instagram.access import (
    SERVICE,
    Params,
    Usage,
    account_for,
    account_of_token,
    check_magic,
    read_params,
    throttled,
    token_of,
)
from influencer.sandbox.instagram.answers import (
    DOWN,
    INVALID,
    NO_OBJECT,
    NO_PATH,
    QUOTA,
    RESTRICTED,
    REVOKED,
    SPAM,
    Reason,
    Refused,
    expired,
)
from influencer.sandbox.instagram.creating import Creator
from influencer.sandbox.instagram.nodes import container_values, media_values, pick, user_values
from influencer.sandbox.instagram.publishing import caption_to_publish, publish, quota, refuse_magic
from influencer.sandbox.instagram.tokens import LIFE_SECONDS, PAGE_TOKEN, Tokens
from influencer.sandbox.log import Handler
from influencer.sandbox.store import Account, Post, Store
from influencer.sandbox.trouble import Troubles

CALLS = ("container", "status", "publish", "permalink", "list", "limit", "me", "refresh", "exchange", "debug")
PARAMS = web.RequestKey("params", dict[str, Any])
TOKEN = web.RequestKey("token", str)
# How the ids of containers and media begin; an account's begins otherwise.
OUR_IDS = ("1788", "179")


class Instagram:
    """Handlers; each is wrapped by `call`, which knows tokens and turns refusals into answers."""

    def __init__(self, store: Store, settings: SandboxSettings, faults: Faults) -> None:
        self.store = store
        self.creator = Creator(store, settings, faults)
        self.usage = Usage()
        self.tokens = Tokens(store)
        self.troubles = Troubles(
            service=SERVICE,
            faults=faults,
            calls=CALLS,
            main="publish",
            error=_error,
            refusals={
                "token_expired": lambda _: expired(store.now()).reason.response(),
                "token_revoked": lambda _: REVOKED.response(),
                "rate": lambda _: throttled(account_of_token("")).response(),
                "restricted": lambda _: RESTRICTED.response(),
                "refuse": _refuse,
            },
            main_refusals={"quota": lambda _: QUOTA.response(), "spam": lambda _: SPAM.response()},
            further=("never_ready", "container_error"),
        )
        self.troubles.declare()

    def call(self, handler: Handler) -> Handler:
        """Check the token, run the handler, add the usage header."""

        async def wrapped(request: web.Request) -> web.StreamResponse:
            try:
                params = await read_params(request)
                token = token_of(request, params)
                check_magic(token, writes=request.method == "POST", store=self.store)
                self.tokens.check(token)
                request[PARAMS], request[TOKEN] = params, token
                response = await handler(request)
            except Refused as refusal:
                response = refusal.reason.response()
            if not response.prepared:
                response.headers.setdefault("X-App-Usage", self.usage.header())
            return response

        return wrapped

    async def create_container(self, request: web.Request) -> web.StreamResponse:
        account = self._account(request)

        async def create(request: web.Request) -> web.Response:
            container = await self.creator.create(account, _params(request))
            return web.json_response({"id": container.id})

        return await self.troubles.around("container", create)(request)

    async def publish(self, request: web.Request) -> web.StreamResponse:
        account, params = self._account(request), _params(request)
        self.store.note_call(account, "publish", caption_to_publish(self.store, params))

        async def post(_request: web.Request) -> web.Response:
            refuse_magic(request[TOKEN])
            return web.json_response({"id": publish(self.store, account, params)})

        return await self.troubles.around("publish", post)(request)

    async def publishing_limit(self, request: web.Request) -> web.StreamResponse:
        row = quota(self.store, self._account(request), token=request[TOKEN])
        values = {name: (lambda name=name: row[name]) for name in row}
        body = {"data": [pick(_params(request), "IGUser", values, default=("quota_usage",))]}
        return await self._answer(request, "limit", body)

    async def list_media(self, request: web.Request) -> web.StreamResponse:
        account, params = self._account(request), _params(request)
        limit, after = _whole(params, "limit", 25), _whole(params, "after", 0)
        found = list(
            self.store.posts(
                SERVICE, "account = ? AND (? = 0 OR seq < ?)", account.id, after, after, limit=limit + 1
            )
        )
        body: dict[str, Any] = {"data": [self._media(request, post) for post in found[:limit]]}
        if body["data"]:
            body["paging"] = {"cursors": {"before": str(found[0].seq), "after": str(found[:limit][-1].seq)}}
        if len(found) > limit:
            cursor = body["paging"]["cursors"]["after"]
            body["paging"]["next"] = str(
                request.url.update_query(after=cursor).without_query_params("access_token")
            )
        return await self._answer(request, "list", body)

    async def read_node(self, request: web.Request) -> web.StreamResponse:
        """A container, a media or an account, whichever has that id."""
        node, params = request.match_info["node"], _params(request)
        own = self.store.claimed(SERVICE, request[TOKEN])
        container = containers.load(self.store, node)
        if container and container.account in own:
            values = container_values(container, self.store.now())
            return await self._answer(request, "status", pick(params, "IGMediaBuilder", values))
        post = self.store.post(SERVICE, node)
        if post and post.account in own:
            return await self._answer(request, "permalink", self._media(request, post))
        if node.startswith(OUR_IDS):
            raise Refused(NO_OBJECT, method="get", id=node)
        base = f"{request.url.origin()}/instagram"
        values = user_values(self._account(request), self.store, base=base, as_me=node == "me")
        default = ("id", "user_id", "username") if node == "me" else ("id",)
        return await self._answer(request, "me", pick(params, "IGUser", values, default=default))

    async def refresh_token(self, request: web.Request) -> web.StreamResponse:
        _require_grant(_params(request), "ig_refresh_token")

        async def refresh(request: web.Request) -> web.Response:
            return web.json_response(self.tokens.refresh(request[TOKEN]))

        return await self.troubles.around("refresh", refresh)(request)

    async def lengthen_token(self, request: web.Request) -> web.StreamResponse:
        """Short for long: the token stays the same string."""
        params = _params(request)
        _require_grant(params, "ig_exchange_token")
        if not params.get("client_secret"):
            raise Refused(INVALID, text="The parameter client_secret is required")
        body = {"access_token": request[TOKEN], "token_type": "bearer", "expires_in": LIFE_SECONDS}
        return await self._answer(request, "refresh", body)

    def as_app(self, call: str, answer: Callable[[Params], dict[str, Any]]) -> Handler:
        """A call that an app makes about a token, without one in the header."""

        async def answered(request: web.Request) -> web.Response:
            return web.json_response(answer(_params(request)))

        async def wrapped(request: web.Request) -> web.StreamResponse:
            try:
                params = await read_params(request, bearer=True)
                request[PARAMS] = params
                return await self.troubles.around(call, answered)(request)
            except Refused as refusal:
                return refusal.reason.response()

        return wrapped

    def exchange(self, params: Params) -> dict[str, Any]:
        _require_grant(params, "fb_exchange_token")
        return self.tokens.exchange(params)

    async def list_pages(self, request: web.Request) -> web.StreamResponse:
        """One Page, whose Instagram account is the token's; its own token does not end by time."""
        account = account_for(self.store, request[TOKEN], "me")
        page = {
            "id": f"1{account.id[-14:]}",
            "name": account.username.replace("_", " ").title(),
            "access_token": f"{PAGE_TOKEN}-{account.id}",
            "instagram_business_account": {"id": account.id, "username": account.username},
        }
        values = {name: (lambda name=name: page[name]) for name in page}
        return await self._answer(request, "me", {"data": [pick(_params(request), "Page", values)]})

    async def unknown_path(self, request: web.Request) -> web.StreamResponse:
        raise Refused(NO_PATH, path=f"/{request.match_info['path']}")

    async def _answer(self, request: web.Request, call: str, body: dict[str, Any]) -> web.StreamResponse:
        """Answer a read with `body`, with the faults ordered for that call."""

        async def answer(_request: web.Request) -> web.Response:
            return web.json_response(body)

        return await self.troubles.around(call, answer)(request)

    def _account(self, request: web.Request) -> Account:
        return account_for(self.store, request[TOKEN], request.match_info["node"])

    def _media(self, request: web.Request, post: Post) -> dict[str, Any]:
        account = self.store.account(SERVICE, post.account)
        values = media_values(post, account, base=f"{request.url.origin()}/instagram")
        return pick(_params(request), "IGMedia", values)


def _params(request: web.Request) -> Params:
    params: dict[str, Any] = request[PARAMS]
    return params


def _require_grant(params: Params, grant: str) -> None:
    if params.get("grant_type") != grant:
        raise Refused(INVALID, text=f"Param grant_type must be one of {{{grant}}}")


def _whole(params: Params, name: str, default: int) -> int:
    value = str(params.get(name, default))
    if not value.isdecimal() or len(value) > 12:
        raise Refused(INVALID, text=f"Param {name} must be an integer.")
    return min(int(value), 100) if name == "limit" else int(value)


def _error(fault: Fault) -> web.Response:
    return web.json_response(DOWN.body(), status=int(fault.args.get("status", DOWN.status)))


def _refuse(fault: Fault) -> web.Response:
    """Any error one likes: args `code`, `subcode`, `message`, `status`."""
    subcode = fault.args.get("subcode")
    reason = Reason(
        code=int(fault.args.get("code", 1)),
        message=str(fault.args.get("message", "An unknown error occurred")),
        subcode=None if subcode is None else int(subcode),
        status=int(fault.args.get("status", 400)),
    )
    return reason.response()
