"""The calls of the Gemini stand-in."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from influencer.sandbox.faults import Fault, Faults
from influencer.sandbox.gemini import answers, catalogue, problems, questions
from influencer.sandbox.gemini.problems import Refused
from influencer.sandbox.log import Handler
from influencer.sandbox.trouble import PAGE, Troubles

SERVICE = "gemini"
CALLS = ("generate", "models", "model")
# A prompt or a key that holds "GEMINI-CUT" gets what the fault `cut` orders, and so on.
MAGIC = "GEMINI-"
RATINGS = [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "HIGH", "blocked": True}]
DRIP_SECONDS = 0.1
# The API's enums as numbers, which `$alt=json;enum-encoding=int` asks for.
NUMBERS = {
    "finishReason": {
        name: number
        for number, name in enumerate(
            ("STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER", "LANGUAGE", "BLOCKLIST",
             "PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL", "IMAGE_SAFETY"),
            start=1,
        )
    },
    "blockReason": {"SAFETY": 1, "OTHER": 2, "BLOCKLIST": 3, "PROHIBITED_CONTENT": 4, "IMAGE_SAFETY": 5},
    "category": {"HARM_CATEGORY_HARASSMENT": 7},
    "probability": {"HIGH": 4},
    "modality": {"TEXT": 1, "IMAGE": 2},
}  # fmt: skip


class Gemini:
    """Handlers; each is wrapped by `call`, which knows keys, magic and faults."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.troubles = Troubles(
            service=SERVICE,
            faults=faults,
            calls=CALLS,
            main="generate",
            error=lambda fault: _other(fault).response(),
            refusals=REFUSALS,
            main_refusals=ANSWERS,
            further=("drip",),
        )
        self.troubles.declare()

    def call(self, name: str, answering: Callable[[web.Request], Awaitable[web.Response]]) -> Handler:
        """The handler of the call `name`: key, magic key, fault, then the answer."""

        async def wrapped(request: web.Request) -> web.StreamResponse:
            try:
                if magic := _magic(_key(request)):
                    return magic
                if name == "generate" and self.faults.take(SERVICE, "drip"):
                    return await _drip(request)
                return await self.troubles.around(name, answering)(request)
            except Refused as refusal:
                return refusal.response()

        return wrapped

    async def generate(self, request: web.Request) -> web.Response:
        model = catalogue.writing(request.match_info["model"], request.match_info["version"])
        try:
            body = await request.json()
        except ValueError:
            raise problems.invalid("Invalid JSON payload received.") from None
        question = questions.read(body)
        if magic := _magic(question.text):
            return magic
        return _shown(request, _answer(question, model))

    async def list_models(self, request: web.Request) -> web.Response:
        size = request.query.get("pageSize", "50")
        if not size.isdecimal():
            raise problems.invalid("Invalid value at 'page_size'")
        token = request.query.get("pageToken", "")
        return web.json_response(catalogue.page(int(size), token, request.match_info["version"]))

    async def read_model(self, request: web.Request) -> web.Response:
        return web.json_response(catalogue.find(request.match_info["model"], request.match_info["version"]))


async def unknown_path(_request: web.Request) -> web.Response:
    return problems.path_unknown().response()


def _key(request: web.Request) -> str:
    """From the header or the address. Raises `Refused` (403) without one."""
    key = request.headers.get("x-goog-api-key") or request.query.get("key", "")
    if not key:
        raise problems.key_missing()
    return key


def _magic(text: str) -> web.Response | None:
    for name, answer in {**REFUSALS, **ANSWERS}.items():
        if f"{MAGIC}{name.upper().replace('_', '-')}" in text:
            return answer(Fault(SERVICE, name))
    return None


def _answer(question: questions.Question, model: str) -> dict[str, Any]:
    text = answers.write(question)
    finish = "STOP"
    if answers.tokens(text) > question.max_tokens:
        text, finish = text[: question.max_tokens * 4], "MAX_TOKENS"
    asked = answers.tokens(question.system + question.text) + question.images * answers.IMAGE_TOKENS
    return _candidate(text, finish=finish) | {"usageMetadata": _usage(asked, text), "modelVersion": model}


def _candidate(text: str | None, *, finish: str = "STOP") -> dict[str, Any]:
    """An answer; None leaves the content out, as for one that was held back."""
    candidate: dict[str, Any] = {"finishReason": finish, "index": 0}
    if text is None:
        candidate["safetyRatings"] = RATINGS
    else:
        candidate["content"] = {"parts": [{"text": text}], "role": "model"}
    identity = hashlib.sha256(str(text).encode()).hexdigest()[:16]
    return {"candidates": [candidate], "usageMetadata": _usage(12, text or ""), "responseId": identity}


def _blocked(reason: str) -> dict[str, Any]:
    feedback = {"blockReason": reason}
    return {"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 12, "totalTokenCount": 12}}


def _usage(asked: int, text: str) -> dict[str, Any]:
    written = answers.tokens(text)
    return {
        "promptTokenCount": asked,
        "candidatesTokenCount": written,
        "totalTokenCount": asked + written,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": asked}],
    }


def _shown(request: web.Request, body: dict[str, Any]) -> web.Response:
    as_numbers = "enum-encoding=int" in request.query.get("$alt", "")
    return web.json_response(_numbered(body) if as_numbers else body)


def _numbered(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _numbered(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_numbered(inner, name) for inner in value]
    return NUMBERS.get(name, {}).get(value, value) if isinstance(value, str) else value


async def _drip(request: web.Request) -> web.StreamResponse:
    """An answer that never ends, a space at a time; ends when the caller has hung up."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while request.transport and not request.transport.is_closing():
        await response.write(b" ")
        await asyncio.sleep(DRIP_SECONDS)
    return response


def _other(fault: Fault) -> Refused:
    status = int(fault.args.get("status", 503))
    return problems.overloaded() if status == 503 else problems.other(status)


def _seconds(fault: Fault) -> float:
    return float(fault.args.get("seconds", 34))


def _said(text: str) -> Callable[[Fault], web.Response]:
    return lambda _: web.json_response(_candidate(text))


def _ended(finish: str, text: str | None = None) -> Callable[[Fault], web.Response]:
    return lambda _: web.json_response(_candidate(text, finish=finish))


def _refused(refusal: Callable[[], Refused]) -> Callable[[Fault], web.Response]:
    return lambda _: refusal().response()


def _refuse(fault: Fault) -> web.Response:
    """Any error one likes: args `code`, `status`, `message`, `reason`."""
    reason = fault.args.get("reason")
    info = [{"@type": f"{problems.TYPES}.ErrorInfo", "reason": str(reason)}] if reason else []
    message = str(fault.args.get("message", "An error."))
    status = str(fault.args.get("status", "INVALID_ARGUMENT"))
    return Refused(int(fault.args.get("code", 400)), status, message, details=info).response()


REFUSALS: Mapping[str, Callable[[Fault], web.Response]] = {
    "key_invalid": _refused(problems.key_invalid),
    "key_expired": _refused(problems.key_expired),
    "key_leaked": _refused(problems.key_leaked),
    "region": _refused(problems.region),
    "minute": lambda fault: problems.per_minute(_seconds(fault)).response(),
    "day": lambda fault: problems.per_day(_seconds(fault)).response(),
    "overloaded": _refused(problems.overloaded),
    "refuse": _refuse,
    "page": lambda _: web.Response(text=PAGE, content_type="text/html"),
    "broken": lambda _: web.Response(text='{"candidates": [{"content"', content_type="application/json"),
    "list": lambda _: web.json_response([]),
    "moved": lambda _: web.Response(status=302, headers={"Location": "/elsewhere"}),
}
ANSWERS: Mapping[str, Callable[[Fault], web.Response]] = {
    "prohibited": lambda _: web.json_response(_blocked("PROHIBITED_CONTENT")),
    "blocked_image": lambda _: web.json_response(_blocked("IMAGE_SAFETY")),
    "safety": _ended("SAFETY"),
    "recitation": _ended("RECITATION"),
    "language": _ended("LANGUAGE"),
    "other": _ended("OTHER"),
    "cut": _ended("MAX_TOKENS", '{"caption": "The light over the har'),
    "no_candidates": lambda _: web.json_response({"usageMetadata": _usage(12, "")}),
    "no_text": _said(""),
    "nonsense": _said("Certainly! Here is your caption: lovely day."),
    "answer_html": _said("<!doctype html><html><body><p>Lovely day</p></body></html>"),
    "markup": _said('{"caption": "<p>Lovely day</p>", "altText": "", "hashtags": []}'),
    "wrong_types": _said('{"caption": 7, "altText": ["x"], "hashtags": "none", "prompts": "none"}'),
    "fenced": _said('```json\n{"caption": "Lovely day", "altText": "A harbour", "hashtags": ["sea"]}\n```'),
}
