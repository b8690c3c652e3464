"""google-generativeai behind our own questions and answers; imported only by `legacy_gemini.py`."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests

from influencer.clients.writers import errors
from influencer.clients.writers.asking import NoAnswer, Refused, Reply, Request
from influencer.clients.writers.interface import Model

with warnings.catch_warnings():
    # They say that support has ended, which nobody who starts the product can change.
    warnings.simplefilter("ignore", FutureWarning)
    import google.generativeai as genai
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from google.generativeai import client as clients
    from google.protobuf.json_format import Error as JsonError

PAGE = 50
WRITES = "generateContent"
# What the SDK raises on a 200 whose body it does not expect.
UNREADABLE = (JsonError, ValueError, TypeError, AttributeError, LookupError, RecursionError)
SCHEMA_NAMES = {"minItems": "min_items", "maxItems": "max_items"}

# `configure` is for the whole process: what it makes is taken before another thread comes.
_configuring = threading.Lock()


class Sdk:
    """The SDK over REST. It follows no redirect, retries nothing and heeds no proxy settings."""

    _answer: requests.Response | None = None

    def __init__(self, key: str, *, base_url: str, seconds: float) -> None:
        # Without `retry` set to None a 503 is repeated for ten minutes, whatever the timeout.
        self._options = {"retry": None, "timeout": seconds}
        with _configuring:
            genai.configure(api_key=key, transport="rest", client_options={"api_endpoint": base_url})
            self._writing = clients.get_default_generative_client()
            self._listing = clients.get_default_model_client()
        for session in self._sessions():
            session.trust_env = False
            session.hooks["response"] += [self._remember, _refuse]

    def generate(self, model: str, request: Request) -> Reply:
        writing = genai.GenerativeModel(model, system_instruction=request.system)
        writing._client = self._writing
        parts: list[dict[str, Any]] = [{"text": request.prompt}]
        if request.image is not None:
            parts.append({"inline_data": {"mime_type": "image/webp", "data": request.image}})
        config = {
            "response_mime_type": "application/json",
            "response_schema": _schema(request.schema),
            "max_output_tokens": request.max_tokens,
        }
        with _translated():
            return _reply(
                writing.generate_content(
                    [{"role": "user", "parts": parts}],
                    generation_config=config,
                    request_options=self._options,
                )
            )

    def models(self) -> list[Model]:
        with _translated():
            rows = genai.list_models(page_size=PAGE, client=self._listing, request_options=self._options)
            return [_model(row) for row in rows if WRITES in row.supported_generation_methods]

    def model(self, name: str) -> Model:
        with _translated():
            return _model(
                genai.get_model(f"models/{name}", client=self._listing, request_options=self._options)
            )

    def close(self) -> None:
        for session in self._sessions():
            session.close()
        # A session forgets the connections in use.
        if self._answer is not None:
            self._answer.close()

    def _remember(self, response: requests.Response, **_: Any) -> None:
        self._answer = response

    def _sessions(self) -> list[Any]:
        return [client.transport._session for client in (self._writing, self._listing)]


def _refuse(response: requests.Response, **_: Any) -> None:
    """Raise `Refused` before the SDK follows a redirect with the key, or repeats a 401."""
    if response.status_code == requests.codes.ok:
        return
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    raise Refused(response.status_code, body)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except requests.Timeout as error:
        connected = not isinstance(error, requests.ConnectTimeout)
        raise NoAnswer(errors.SILENT if connected else errors.UNREACHABLE) from error
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
        raise NoAnswer(_rule_for(error)) from error
    except (requests.RequestException, GoogleAuthError, GoogleAPIError) as error:
        raise NoAnswer(errors.GARBLED) from error
    except UNREADABLE as error:
        raise NoAnswer(errors.GARBLED) from error


def _rule_for(error: requests.RequestException) -> errors.Rule:
    never_sent = "NewConnectionError" in repr(error) or "NameResolutionError" in repr(error)
    never_sent = never_sent or isinstance(error, requests.exceptions.SSLError)
    return errors.UNREACHABLE if never_sent else errors.LOST


def _schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Schema in the names of the SDK's own."""
    return {
        SCHEMA_NAMES.get(name, name): _schema(value) if isinstance(value, Mapping) else value
        for name, value in schema.items()
    }


def _reply(answer: Any) -> Reply:
    candidate = answer.candidates[0] if answer.candidates else None
    return Reply(
        text="".join(part.text for part in candidate.content.parts) if candidate else "",
        finish=_name(candidate.finish_reason) if candidate else "",
        block=_name(answer.prompt_feedback.block_reason),
        tokens=answer.usage_metadata.total_token_count,
        model=answer.model_version,
    )


def _name(member: Any) -> str:
    """An enum's name; a number newer than the SDK has none."""
    name = str(getattr(member, "name", member))
    return "" if name.endswith("_UNSPECIFIED") else name


def _model(row: Any) -> Model:
    name = row.name.removeprefix("models/")
    return Model(name, row.display_name, row.input_token_limit, row.output_token_limit)
