"""The calls of the X stand-in."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from influencer.sandbox.faults import Fault, Faults
from influencer.sandbox.log import Handler
from influencer.sandbox.store import DAY, Account, Store
from influencer.sandbox.trouble import Troubles
from influencer.sandbox.x import problems, tweets, uploads
from influencer.sandbox.x.access import (
    SERVICE,
    Caller,
    check_magic,
    day_headers,
    identify,
    next_cycle,
    rate_headers,
)
from influencer.sandbox.x.limits import posting_day, spend
from influencer.sandbox.x.problems import Refused, invalid

CALLS = ("upload", "alt_text", "tweet", "lookup", "timeline", "me", "delete")
WRITES = {"upload", "alt_text", "tweet", "delete"}
# A read that an app-only bearer may make.
PUBLIC = {"lookup", "timeline"}
# User fields of the specification that have no value here.
SILENT_USER = {"affiliation", "confirmed_email", "connection_status", "description", "entities", "location"}
SILENT_USER |= {
    "most_recent_tweet_id",
    "parody",
    "pinned_tweet_id",
    "profile_banner_url",
}
SILENT_USER |= {"receives_your_dm", "subscription", "url", "verified_followers_count", "withheld"}
USER_COUNTS = ("followers_count", "following_count", "tweet_count", "listed_count")

CALLER = web.RequestKey("caller", Caller)
BODY = web.RequestKey[Any]("body")

Answering = Callable[[web.Request, Account], Awaitable[web.Response]]


class X:
    """Handlers; each is wrapped by `call`, which knows tokens, limits and faults."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self.store = store
        self.troubles = Troubles(
            service=SERVICE,
            faults=faults,
            calls=CALLS,
            main="tweet",
            error=_error,
            refusals={
                "token_expired": lambda _: problems.unauthorized().response(),
                "credits": lambda _: problems.no_credits("0").response(),
                "spend_cap": lambda _: problems.spend_cap("0", next_cycle(store)).response(),
                "read_only": lambda _: problems.read_only_app().response(),
                "rate": _rate,
                "refuse": _refuse,
            },
            main_refusals={
                "quota": _quota,
                "duplicate": lambda _: problems.forbidden(problems.DUPLICATE).response(),
            },
        )
        self.troubles.declare()

    def call(self, name: str, answering: Answering) -> Handler:
        """The handler of the call `name`: credentials, rate limit, faults, then the answer."""

        async def wrapped(request: web.Request) -> web.StreamResponse:
            headers: dict[str, str] = {}
            try:
                caller = identify(request)
                rate = spend(self.store, caller, name)
                headers = rate.headers()
                self._check(caller, name)
                if rate.exceeded:
                    raise problems.too_many(headers)
                response = await self._answer(request, name, caller=caller, answering=answering)
            except Refused as refusal:
                response = refusal.response()
            if not response.prepared:
                response.headers.update({**headers, **response.headers})
            return response

        return wrapped

    def _check(self, caller: Caller, name: str) -> None:
        check_magic(caller, writes=name in WRITES, store=self.store)
        if not caller.account_id and name not in PUBLIC:
            raise problems.app_only()

    async def _answer(
        self, request: web.Request, name: str, *, caller: Caller, answering: Answering
    ) -> web.StreamResponse:
        account = self._account(caller)
        request[CALLER] = caller
        if name == "tweet":
            request[BODY] = await _json(request)
            self.store.note_call(account, "tweet", tweets.text_of(request[BODY]))

        async def answer(request: web.Request) -> web.Response:
            return await answering(request, account)

        return await self.troubles.around(name, answer)(request)

    def _account(self, caller: Caller) -> Account:
        if not caller.account_id:
            return Account(SERVICE, "", "")
        return self.store.claim(SERVICE, caller.token, caller.account_id)

    async def create_tweet(self, request: web.Request, account: Account) -> web.Response:
        posting_day(self.store, request[CALLER])
        post = tweets.create(self.store, account, request[BODY])
        headers = posting_day(self.store, request[CALLER], spent=True)
        return web.json_response(tweets.created_answer(post), status=201, headers=headers)

    async def delete_tweet(self, request: web.Request, account: Account) -> web.Response:
        return web.json_response(tweets.delete(self.store, account, request.match_info["id"]))

    async def read_tweet(self, request: web.Request, _account: Account) -> web.Response:
        post_id = request.match_info["id"]
        post = self.store.post(SERVICE, post_id)
        if post is None:
            return web.json_response(problems.missing(post_id))
        return web.json_response({"data": tweets.answer(post, request.query)})

    async def read_timeline(self, request: web.Request, _account: Account) -> web.Response:
        return web.json_response(tweets.timeline(self.store, request.match_info["id"], request.query))

    async def upload(self, request: web.Request, account: Account) -> web.Response:
        fields = await uploads.receive(request)
        return web.json_response({"data": await uploads.add_upload(self.store, account, fields)})

    async def set_alt_text(self, request: web.Request, account: Account) -> web.Response:
        return web.json_response({"data": uploads.set_alt_text(self.store, account, await _json(request))})

    async def read_me(self, request: web.Request, account: Account) -> web.Response:
        posted = sum(1 for _ in self.store.posts(SERVICE, "account = ?", account.id))
        more = {
            "verified": False,
            "verified_type": "none",
            "subscription_type": "None",
            "public_metrics": dict.fromkeys(USER_COUNTS, 0) | {"tweet_count": posted},
            "created_at": "2026-01-01T00:00:00.000Z",
            "profile_image_url": f"{request.url.origin()}/x/avatars/{account.username}.png",
            "protected": False,
        }
        asked = [name for name in request.query.get("user.fields", "").split(",") if name]
        for name in asked:
            if name not in {"id", "name", "username", *more, *SILENT_USER}:
                raise invalid(
                    f"The `user.fields` query parameter value [{name}] is not one of the known fields",
                    **{"user.fields": name},
                )
        name = account.username.replace("_", " ").title()
        data = {"id": account.id, "name": name, "username": account.username}
        return web.json_response({"data": data | {field: more[field] for field in asked if field in more}})


async def gone(_request: web.Request) -> web.Response:
    """The upload of version 1.1, which X has taken down."""
    return problems.plain(
        410, "Gone", "This endpoint is no longer available. Use /2/media/upload."
    ).response()


async def unknown_path(_request: web.Request) -> web.Response:
    return problems.not_found().response()


async def _json(request: web.Request) -> Any:
    if request.content_type != "application/json":
        raise invalid("The `Content-Type` must be application/json.")
    try:
        return await request.json()
    except ValueError as error:
        raise invalid("The JSON body can't be read.") from error


def _error(fault: Fault) -> web.Response:
    status = int(fault.args.get("status", 503))
    return problems.unavailable().response() if status == 503 else problems.plain(status, "Error").response()


def _rate(fault: Fault) -> web.Response:
    reset = time.time() + float(fault.args.get("seconds", 900))
    return problems.too_many(rate_headers(limit=100, remaining=0, reset=reset)).response()


def _quota(fault: Fault) -> web.Response:
    reset = time.time() + float(fault.args.get("seconds", DAY))
    return problems.too_many(day_headers(limit=17, remaining=0, reset=reset)).response()


def _refuse(fault: Fault) -> web.Response:
    """Any error one likes: args `status`, `title`, `detail`, `type`, `reason`; or `message`, for a 400."""
    if message := fault.args.get("message"):
        return invalid(str(message)).response()
    title = str(fault.args.get("title", "Forbidden"))
    kind = str(fault.args.get("type", "about:blank"))
    detail = str(fault.args.get("detail", problems.NOT_PERMITTED))
    refusal = problems.plain(int(fault.args.get("status", 403)), title, detail, kind=kind)
    if reason := fault.args.get("reason"):
        refusal.body["reason"] = str(reason)
    return refusal.response()
