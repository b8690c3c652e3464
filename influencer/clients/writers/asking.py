"""What both ways to Gemini share: one question, one answer, everything checked."""

from __future__ import annotations

import logging
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol, TypeVar

from influencer.clients import addresses, network, picture
from influencer.clients.platform import Call
from influencer.clients.writers import errors, gemini_errors, instructions, schema
from influencer.clients.writers.deadline import TimeIsUp, within
from influencer.clients.writers.errors import Context, Rule, WriterError
from influencer.clients.writers.interface import Ask, Model, Written, WrittenScenes
from influencer.clients.writers.schema import Unusable

log = logging.getLogger(__name__)

SERVICE = "Gemini"
URL = "https://generativelanguage.googleapis.com"
MODEL = "gemini-3.5-flash-lite"
# Import and preparation come on top; a person waits for 30 s at most.
SECONDS = 25.0
IMAGE_SIDE = 1024
# What a model thinks before it writes counts too.
CAPTION_TOKENS, SCENE_TOKENS = 8192, 1024

_KEY = re.compile(r"[!-~]+")
# It becomes part of the address.
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Request:
    """One question. `image` is a WebP; `schema` the JSON Schema of the answer."""

    system: str
    prompt: str
    schema: Mapping[str, Any]
    max_tokens: int
    image: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Reply:
    """An answer with status 200; `finish` and `block` are Google's names, "" when not given."""

    text: str = ""
    finish: str = ""
    block: str = ""
    tokens: int = 0
    model: str = ""
    id: str = ""


class Refused(Exception):
    """An answer with another status than 200; `body` is its JSON, if it was any."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class NoAnswer(Exception):
    """No usable HTTP answer came; `rule` says in which way."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(rule.code)
        self.rule = rule


class Connection(Protocol):
    """One SDK's client for one key. Calls raise `Refused` and `NoAnswer`."""

    def generate(self, model: str, request: Request) -> Reply: ...

    def models(self) -> list[Model]:
        """Those that write text."""
        ...

    def model(self, name: str) -> Model: ...

    def close(self) -> None:
        """Break off what is still under way."""
        ...


class AskingWriter(ABC):
    """A writer with a model behind it. One call is one request; nothing is repeated by itself."""

    writer: ClassVar[str]
    at_once = 10

    def __init__(
        self, key: str, *, model: str = MODEL, base_url: str = URL, seconds: float = SECONDS
    ) -> None:
        """`seconds` is how long a call may take in all. Raises `WriterError` for impossible ones."""
        if not key or not _KEY.fullmatch(key):
            raise WriterError(errors.ODD_KEY if key else errors.NO_KEY, Context(SERVICE))
        self._key = key
        self._model = model.strip().removeprefix("models/") or MODEL
        if not _MODEL.fullmatch(self._model):
            raise WriterError(errors.NO_MODEL, Context(SERVICE, self._model))
        self._base_url = base_url.rstrip("/")
        self._seconds = seconds

    # What a writer does

    def write_caption(self, ask: Ask) -> Written:
        """One caption for one platform. Raises `WriterError`, and `Invalid` for an unreadable image."""
        request = Request(
            instructions.caption_system(ask),
            instructions.caption_prompt(ask),
            schema.CAPTION,
            CAPTION_TOKENS,
            picture.thumbnail(ask.image, IMAGE_SIDE) if ask.image is not None else None,
        )
        reply, fitted = self._ask("caption", request, lambda text: schema.read_caption(text, ask))
        return Written(
            fitted.caption,
            fitted.alt_text,
            fitted.hashtags,
            self.writer,
            reply.model or self._model,
            reply.tokens,
        )

    def write_scenes(self, ask: Ask) -> WrittenScenes:
        """New prompts for pictures. Raises `WriterError`."""
        request = Request(
            instructions.scenes_system(ask),
            instructions.scenes_prompt(ask),
            schema.scenes(ask.count),
            CAPTION_TOKENS + SCENE_TOKENS * ask.count,
        )
        reply, scenes = self._ask("prompts", request, lambda text: schema.read_scenes(text, ask))
        return WrittenScenes(scenes, self.writer, reply.model or self._model, reply.tokens)

    def models(self) -> tuple[Model, ...]:
        """The models this key may write with, by name. Raises `WriterError`."""
        found = self._called("models", lambda connection: connection.models())
        return tuple(sorted(found, key=lambda model: model.name))

    def check(self) -> Model:
        """Prove that address, key and model work, without writing anything. Raises `WriterError`."""
        return self._called("check", lambda connection: connection.model(self._model))

    @abstractmethod
    def _connect(self) -> Connection:
        """Import the SDK and build its client. Raises `WriterError` when it is not installed."""

    # Between the two

    def _ask(self, name: str, request: Request, read: Callable[[str], Result]) -> tuple[Reply, Result]:
        def work(connection: Connection) -> tuple[Reply, Result]:
            reply = connection.generate(self._model, request)
            return reply, self._checked(reply, read)

        return self._called(name, work, identity=lambda result: result[0].id)

    def _checked(self, reply: Reply, read: Callable[[str], Result]) -> Result:
        if reply.block:
            raise self._error(gemini_errors.blocked(reply.block), reason=reply.block)
        if rule := gemini_errors.ending(reply.finish):
            raise self._error(rule, reason=reply.finish)
        if not reply.text.strip():
            raise self._error(gemini_errors.EMPTY)
        try:
            return read(reply.text)
        except Unusable as error:
            raise self._error(errors.UNUSABLE, reason=str(error)) from error

    def _called(
        self,
        name: str,
        work: Callable[[Connection], Result],
        *,
        identity: Callable[[Result], str] = lambda _: "",
    ) -> Result:
        connection = self._connect()
        call, started = Call(SERVICE, name, seconds=self._seconds), time.monotonic()
        try:
            result = self._in_time(connection, work)
        except WriterError as error:
            network.log_call(log, call, started, error.code)
            raise
        network.log_call(log, call, started, f"ok {identity(result)}".strip())
        return result

    def _in_time(self, connection: Connection, work: Callable[[Connection], Result]) -> Result:
        try:
            return within(self._seconds, lambda: self._worked(connection, work))
        except TimeIsUp as error:
            raise self._error(errors.SILENT) from error
        except NoAnswer as error:
            raise self._error(error.rule) from error
        except Refused as error:
            raise self._refusal(error) from error
        finally:
            connection.close()

    def _worked(self, connection: Connection, work: Callable[[Connection], Result]) -> Result:
        if fault := addresses.fault(self._base_url):
            raise self._error(errors.UNREACHABLE if fault == addresses.ODD else errors.FORBIDDEN)
        return work(connection)

    def _refusal(self, error: Refused) -> WriterError:
        answer = gemini_errors.refusal(error.status, error.body)
        rule = gemini_errors.rule_for(answer)
        return WriterError(
            rule,
            Context(
                SERVICE,
                self._model,
                self._seconds,
                status=answer.status,
                retry_after=gemini_errors.rest(rule, answer, datetime.now(UTC)),
                said=network.harmless(answer.said, self._key),
            ),
        )

    def _error(self, rule: Rule, *, reason: str = "") -> WriterError:
        return WriterError(rule, Context(SERVICE, self._model, self._seconds, reason))
