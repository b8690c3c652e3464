"""What was asked: a request in either casing, enums as names or numbers, base64 in either alphabet."""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from influencer.sandbox.gemini import problems
from influencer.sandbox.gemini.problems import invalid

FIELDS = {
    "contents", "systemInstruction", "generationConfig", "safetySettings", "tools", "toolConfig",
    "cachedContent", "model", "labels",
}  # fmt: skip
CONFIG_FIELDS = {
    "candidateCount", "stopSequences", "maxOutputTokens", "temperature", "topP", "topK", "seed",
    "responseMimeType", "responseSchema", "responseJsonSchema", "presencePenalty", "frequencyPenalty",
    "thinkingConfig", "responseModalities", "mediaResolution", "responseLogprobs", "logprobs",
}  # fmt: skip
PENALTIES = ("presencePenalty", "frequencyPenalty")
IMAGES = {"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"}
# `Type` of the API's protocol buffers; JSON may carry the number.
TYPES = {1: "string", 2: "number", 3: "integer", 4: "boolean", 5: "array", 6: "object", 7: "null"}

_SNAKE = re.compile(r"_([a-z0-9])")


@dataclass(frozen=True)
class Question:
    """A request reduced to what the answer depends on; `schema` is None where any text will do."""

    system: str
    text: str
    images: int
    schema: Mapping[str, Any] | None
    max_tokens: int
    length: int = field(default=0)


def read(body: Any) -> Question:
    """Raises `Refused` (400) for what Gemini would not take."""
    if not isinstance(body, dict):
        raise invalid("Invalid JSON payload received. Expected an object.")
    request = _named(body, FIELDS, "")
    config = _named(request.get("generationConfig") or {}, CONFIG_FIELDS, "generation_config")
    if any(config.get(name) for name in PENALTIES):
        raise invalid("Penalty is not enabled for this model")
    text, images = _contents(request.get("contents"))
    system, _ = _parts(request.get("systemInstruction") or {})
    return Question(system, text, images, _schema(config), _whole(config.get("maxOutputTokens"), 65536))


def _named(given: Any, known: set[str], place: str) -> dict[str, Any]:
    """The fields in camelCase; one that is not known is refused."""
    if not isinstance(given, dict):
        raise invalid(f"Invalid value at '{place}'")
    fields = {camel(name): value for name, value in given.items()}
    for name in fields:
        if name not in known:
            raise problems.unknown_field(name, place)
    return fields


def camel(name: str) -> str:
    return _SNAKE.sub(lambda match: match[1].upper(), name)


def _contents(contents: Any) -> tuple[str, int]:
    if not isinstance(contents, list) or not contents:
        raise invalid("* GenerateContentRequest.contents: contents is not specified\n")
    texts, images = [], 0
    for content in contents:
        text, count = _parts(content)
        texts.append(text)
        images += count
    if contents[-1].get("role", "user") != "user":
        raise invalid("Please ensure that the last content has the role user.")
    return "\n".join(texts), images


def _parts(content: Any) -> tuple[str, int]:
    parts = content.get("parts") if isinstance(content, dict) else None
    texts, images = [], 0
    for part in parts if isinstance(parts, list) else []:
        fields = {camel(name): value for name, value in part.items()} if isinstance(part, dict) else {}
        if "inlineData" in fields:
            _check_image(fields["inlineData"])
            images += 1
        elif not isinstance(fields.get("text"), str):
            raise invalid("* GenerateContentRequest.contents[0].parts: contents.parts must not be empty.\n")
        else:
            texts.append(fields["text"])
    return "\n".join(texts), images


def _check_image(given: Any) -> None:
    blob = {camel(name): value for name, value in given.items()} if isinstance(given, dict) else {}
    if blob.get("mimeType") not in IMAGES:
        raise invalid(f"Unsupported MIME type: {blob.get('mimeType')}")
    encoded = str(blob.get("data", "")).translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        content = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise invalid("Invalid value at 'contents[0].parts[1].inline_data.data' (TYPE_BYTES)") from None
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.verify()
    except (OSError, SyntaxError, ValueError):
        raise invalid("Unable to process input image. Please retry or report the problem.") from None


def _schema(config: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schema the answer must fit, in JSON Schema's names."""
    wants_json = config.get("responseMimeType") == "application/json"
    given = config.get("responseJsonSchema") or config.get("responseSchema")
    if "responseJsonSchema" in config and "responseSchema" in config:
        raise invalid("Only one of responseSchema and responseJsonSchema can be set.")
    if given and not wants_json:
        raise invalid("Response schema requires the response MIME type application/json.")
    return normal(given or {"type": "object"}) if wants_json else None


def normal(schema: Any) -> dict[str, Any]:
    """A schema with types as lower-case names, counts as numbers and keys in camelCase."""
    if not isinstance(schema, dict):
        raise invalid("Invalid value at 'generation_config.response_schema'")
    fields = {camel(name): value for name, value in schema.items()}
    kind = fields.get("type")
    shown = TYPES.get(kind, "") if isinstance(kind, int) else str(kind or "object").lower()
    if shown not in TYPES.values():
        raise invalid(f"Invalid value at 'generation_config.response_schema.type': \"{kind}\"")
    properties = {name: normal(inner) for name, inner in (fields.get("properties") or {}).items()}
    items = normal(fields["items"]) if shown == "array" and "items" in fields else None
    if shown == "array" and items is None:
        raise invalid("* GenerateContentRequest.generation_config.response_schema.items: missing field.\n")
    counts: dict[str, Any] = {
        name: _whole(fields[name], 0) for name in ("minItems", "maxItems") if name in fields
    }
    return {**fields, **counts, "type": shown, "properties": properties, "items": items}


def _whole(value: Any, default: int) -> int:
    """A number; 64-bit ones come as text from protocol buffers."""
    return int(value) if isinstance(value, int) or str(value or "").isdecimal() else default
