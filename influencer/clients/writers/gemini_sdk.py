"""google-genai behind our own questions and answers; imported only by `gemini.py`."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpx2
from google.genai import Client, types
from google.genai.errors import APIError

from influencer.clients.writers import errors
from influencer.clients.writers.asking import NoAnswer, Refused, Reply, Request
from influencer.clients.writers.interface import Model

# v1 has refused fields that every documented example uses; the "-latest" names are v1beta only.
API_VERSION = "v1beta"
PAGE = 50
# What the SDK raises on a 200 whose body it does not expect; pydantic's error is a ValueError too.
UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, RecursionError)

# At INFO they write lines of their own for each request.
for _talker in ("httpx2", "google_genai"):
    logging.getLogger(_talker).setLevel(logging.WARNING)


@cache
def _tls() -> ssl.SSLContext:
    return httpx2.create_ssl_context()


class Sdk:
    """A `google.genai.Client` that follows no redirect, retries nothing and heeds no environment."""

    def __init__(self, key: str, *, base_url: str, seconds: float) -> None:
        options = types.HttpOptions(
            base_url=base_url,
            api_version=API_VERSION,
            timeout=round(seconds * 1000),
            retry_options=types.HttpRetryOptions(attempts=1),
            client_args={"verify": _tls(), "follow_redirects": False, "trust_env": False},
            # Never used, but the SDK would build its own three times over, 50 ms each.
            async_client_args={"verify": _tls(), "ssl": _tls()},
        )
        self._client = Client(api_key=key, vertexai=False, http_options=options)

    def generate(self, model: str, request: Request) -> Reply:
        parts = [types.Part.from_text(text=request.prompt)]
        if request.image is not None:
            parts.append(types.Part.from_bytes(data=request.image, mime_type="image/webp"))
        config = types.GenerateContentConfig(
            system_instruction=request.system,
            response_mime_type="application/json",
            response_json_schema=dict(request.schema),
            max_output_tokens=request.max_tokens,
        )
        contents = [types.Content(role="user", parts=parts)]
        with _translated():
            answer = self._client.models.generate_content(model=model, contents=contents, config=config)
            return _reply(answer)

    def models(self) -> list[Model]:
        with _translated():
            pager = self._client.models.list(config={"page_size": PAGE})
            return [_model(row) for row in pager if "generateContent" in (row.supported_actions or [])]

    def model(self, name: str) -> Model:
        with _translated():
            return _model(self._client.models.get(model=name))

    def close(self) -> None:
        self._client.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except APIError as error:
        raise Refused(error.code, error.details) from error
    except httpx2.HTTPError as error:
        raise NoAnswer(_rule_for(error)) from error
    except httpx2.InvalidURL as error:
        raise NoAnswer(errors.UNREACHABLE) from error
    except UNREADABLE as error:
        raise NoAnswer(errors.GARBLED) from error


def _rule_for(error: httpx2.HTTPError) -> errors.Rule:
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.UnsupportedProtocol):
        return errors.UNREACHABLE
    if isinstance(error, httpx2.TimeoutException):
        return errors.SILENT
    return errors.GARBLED if isinstance(error, httpx2.DecodingError) else errors.LOST


def _reply(answer: types.GenerateContentResponse) -> Reply:
    candidate = answer.candidates[0] if answer.candidates else None
    parts = candidate.content.parts if candidate and candidate.content else None
    usage, feedback = answer.usage_metadata, answer.prompt_feedback
    return Reply(
        text="".join(part.text for part in parts or [] if part.text and not part.thought),
        finish=_name(candidate.finish_reason) if candidate else "",
        block=_name(feedback.block_reason) if feedback else "",
        tokens=(usage.total_token_count if usage else 0) or 0,
        model=answer.model_version or "",
        id=answer.response_id or "",
    )


def _name(member: Any) -> str:
    """An enum's name as Google spells it; newer ones than the SDK knows come through as well."""
    return str(getattr(member, "value", member) or "")


def _model(row: types.Model) -> Model:
    name = (row.name or "").removeprefix("models/")
    return Model(name, row.display_name or "", row.input_token_limit or 0, row.output_token_limit or 0)
