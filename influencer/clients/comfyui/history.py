"""How a prompt ended, read from its entry in the server's history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from influencer.clients.comfyui import problems
from influencer.clients.comfyui.problems import first_line, trouble
from influencer.clients.comfyui.values import Ending, ImageRef, Outcome
from influencer.clients.errors import ServiceError

OUT_OF_MEMORY = ("outofmemory", "out of memory", "allocation on device")
# Sentences of the server or of torch, and what they mean for the person who asked.
SIGNS: tuple[tuple[str, str, str, str], ...] = (
    (
        "safetensorerror",
        "model_damaged",
        "A model file on the server is damaged",
        "Copy the file to the server again, or choose another.",
    ),
    (
        "clip input is invalid",
        "model_incomplete",
        "The model brings no text encoder of its own",
        "Choose an all-in-one checkpoint, or the same model under diffusion models.",
    ),
    (
        "shapes cannot be multiplied",
        "wrong_family",
        "The model does not fit the workflow of its family",
        "Correct the model's family, or choose another model.",
    ),
    (
        "no space left on device",
        "disk_full",
        "The server's disk is full",
        "Make room on the ComfyUI machine, then generate again.",
    ),
)


def outcome_of(entry: Mapping[str, Any]) -> Outcome:
    """Read one history entry (shapes of ComfyUI 0.28.0; a missing status is tolerated)."""
    status = entry.get("status") or {}
    messages = dict(_messages(status.get("messages")))
    seconds = _seconds(messages)
    if "execution_interrupted" in messages:
        return Outcome(Ending.INTERRUPTED, error=problems.interrupted(), seconds=seconds)
    if "execution_error" in messages or status.get("status_str") == "error":
        error = execution_failed(messages.get("execution_error", {}))
        return Outcome(Ending.FAILED, error=error, seconds=seconds)
    return Outcome(
        Ending.SUCCEEDED,
        images=tuple(_images(entry.get("outputs"))),
        cached=_was_cached(entry, messages),
        seconds=seconds,
    )


def execution_failed(payload: Mapping[str, Any]) -> ServiceError:
    """The failure behind an `execution_error` message; the prompt is never repeated in it."""
    node = str(payload.get("node_type") or "")
    said = first_line(payload.get("exception_message"))
    kind = str(payload.get("exception_type") or "")
    text = f"{kind} {payload.get('exception_message') or ''}".lower()
    details = {"node": node, "exception": kind, "message": said}
    if any(sign in text for sign in OUT_OF_MEMORY):
        return trouble(
            "The server ran out of graphics memory.",
            "out_of_memory",
            fix="Choose a smaller size or fewer images at once, or free memory on the server.",
            details=details,
        )
    for sign, code, message, fix in SIGNS:
        if sign in text:
            return trouble(f"{message}{_file_in(payload)}.", code, fix=fix, details=details)
    where = f" in {node}" if node else ""
    return trouble(
        f"ComfyUI failed{where}: {(said or kind or 'no reason given').rstrip('.')}.",
        "execution_failed",
        fix="Look at ComfyUI's console for the cause, then try again.",
        details=details,
    )


def _messages(messages: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for message in messages if isinstance(messages, list) else []:
        if isinstance(message, list) and len(message) == 2 and isinstance(message[1], Mapping):
            yield str(message[0]), message[1]


def _images(outputs: object) -> Iterator[ImageRef]:
    for output in outputs.values() if isinstance(outputs, Mapping) else []:
        for image in (output or {}).get("images") or []:
            if image.get("type") == "output" and image.get("filename"):
                yield ImageRef(str(image["filename"]), str(image.get("subfolder") or ""))


def _was_cached(entry: Mapping[str, Any], messages: Mapping[str, Mapping[str, Any]]) -> bool:
    cached = set(messages.get("execution_cached", {}).get("nodes") or [])
    outputs = set(entry.get("outputs") or {})
    return bool(outputs) and outputs <= cached


def _seconds(messages: Mapping[str, Mapping[str, Any]]) -> float | None:
    stamps = [at for payload in messages.values() if isinstance(at := payload.get("timestamp"), (int, float))]
    return (max(stamps) - min(stamps)) / 1000 if len(stamps) > 1 else None


def _file_in(payload: Mapping[str, Any]) -> str:
    """Name the file a loader node was given, when the server says so."""
    inputs = payload.get("current_inputs") or {}
    for name in ("lora_name", "ckpt_name", "unet_name", "vae_name", "clip_name"):
        if value := inputs.get(name):
            return f": '{value[0] if isinstance(value, list) else value}'"
    return ""
