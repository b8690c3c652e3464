"""ComfyUI's validation errors as sentences a person can act on.

Shapes as recorded from ComfyUI 0.28.0; older servers' `invalid_prompt` is read too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from influencer.clients.comfyui.problems import first_line, trouble
from influencer.clients.errors import ServiceError

SHOWN = 3
OUR_FAULT = "Update ComfyUI; if that does not help, report this with the job's id."


@dataclass(frozen=True)
class Finding:
    """One fault of one node input."""

    code: str
    message: str
    fix: str
    node: str = ""
    input: str = ""


@dataclass(frozen=True)
class Choice:
    """An input chosen from a list the server gives."""

    code: str
    what: str
    fix: str


_MODEL = Choice("model_missing", "The model", "Refresh models or choose another.")
_ENCODER = Choice(
    "model_missing", "The text encoder", "Put it into the server's models/text_encoders folder."
)
CHOICES = {
    "ckpt_name": _MODEL,
    "unet_name": _MODEL,
    "lora_name": Choice("lora_missing", "The LoRA", "Refresh models or choose another LoRA."),
    "vae_name": Choice("model_missing", "The VAE", "Put it into the server's models/vae folder."),
    "sampler_name": Choice("sampler_unknown", "The sampler", "Choose another sampler."),
    "scheduler": Choice("scheduler_unknown", "The scheduler", "Choose another scheduler."),
    "clip_name": _ENCODER,
    "clip_name1": _ENCODER,
    "clip_name2": _ENCODER,
    "image": Choice("image_missing", "The image", "Upload it again."),
}
LABELS = {
    "cfg": "CFG",
    "steps": "Steps",
    "seed": "Seed",
    "width": "Width",
    "height": "Height",
    "batch_size": "The number of images",
    "strength_model": "The LoRA's strength",
    "strength_clip": "The LoRA's strength",
}


def rejected(body: object) -> ServiceError:
    """The failure behind the body of a 400 answer to `POST /prompt`."""
    answer = body if isinstance(body, Mapping) else {}
    if answer.get("node_errors"):
        return from_node_errors(answer["node_errors"])
    error = answer.get("error")
    finding = _whole_graph(error) if isinstance(error, Mapping) else _unreadable(first_line(error))
    return _as_error([finding])


def from_node_errors(node_errors: object) -> ServiceError:
    """The failure behind `node_errors`, which a 200 answer may carry as well."""
    found = list(dict.fromkeys(_findings(node_errors)))
    return _as_error(found or [_unreadable("")])


def _as_error(found: list[Finding]) -> ServiceError:
    messages = list(dict.fromkeys(finding.message for finding in found))
    fixes = list(dict.fromkeys(finding.fix for finding in found))
    return trouble(
        " ".join(messages[:SHOWN]),
        found[0].code,
        fix=" ".join(fixes[:SHOWN]),
        http_status=400,
        details={"findings": [asdict(finding) for finding in found]},
    )


def _findings(node_errors: object) -> Iterator[Finding]:
    if not isinstance(node_errors, Mapping):
        return
    for node, report in node_errors.items():
        for error in report.get("errors") or []:
            yield _input_finding(error, node=str(node), class_type=str(report.get("class_type") or ""))


def _input_finding(error: Mapping[str, Any], *, node: str, class_type: str) -> Finding:
    info = error.get("extra_info") or {}
    name = str(info.get("input_name") or "")
    kind = str(error.get("type") or "")
    details = str(error.get("details") or "")
    if kind == "value_not_in_list":
        code, message, fix = _not_in_list(name, _received(info, details))
    elif kind in {"value_smaller_than_min", "value_bigger_than_max", "invalid_input_type"}:
        code, message, fix = _out_of_range(name, kind, info)
    elif kind == "custom_validation_failed" and name == "image":
        code, message, fix = _not_in_list(name, details.rpartition(": ")[2])
    else:
        said = first_line(error.get("message")) or kind
        code, fix = "invalid_graph", OUR_FAULT
        message = f"The node {class_type} was not accepted: {said} ({first_line(details)})."
    return Finding(code, message, fix, node=node, input=name)


def _received(info: Mapping[str, Any], details: str) -> str:
    if "received_value" in info:
        return str(info["received_value"])
    quoted = re.search(r": '(.*?)' not in ", details)
    return quoted[1] if quoted else ""


def _not_in_list(name: str, value: str) -> tuple[str, str, str]:
    choice = CHOICES.get(name)
    if choice is None:
        return "invalid_value", f"This server does not know {name} '{value}'.", "Choose another value."
    if not value:
        return choice.code, f"{choice.what} is not chosen.", choice.fix
    return choice.code, f"{choice.what} '{value}' is not on this server.", choice.fix


def _out_of_range(name: str, kind: str, info: Mapping[str, Any]) -> tuple[str, str, str]:
    label = LABELS.get(name, name or "A value")
    value = info.get("received_value")
    limits = _limits(info.get("input_config"))
    if kind == "value_smaller_than_min":
        rule = f"must be at least {limits.get('min')}"
    elif kind == "value_bigger_than_max":
        rule = f"must be at most {limits.get('max')}"
    else:
        rule = "must be a number"
    return "invalid_value", f"{label} {rule}; it is {value}.", f"Change {label[0].lower() + label[1:]}."


def _limits(config: object) -> Mapping[str, Any]:
    if isinstance(config, list) and len(config) > 1 and isinstance(config[1], Mapping):
        return config[1]
    return {}


def _whole_graph(error: Mapping[str, Any]) -> Finding:
    info = error.get("extra_info") or {}
    message = first_line(error.get("message"))
    old_style = re.search(r"node (\S+) does not exist", message)
    class_type = info.get("class_type") or (old_style[1] if old_style else "")
    if class_type and (error.get("type") == "missing_node_type" or old_style):
        return Finding(
            "node_missing",
            f"This server has no node '{class_type}'.",
            "Update ComfyUI, or install the custom node it belongs to.",
            node=str(info.get("node_id") or ""),
        )
    return _unreadable(message)


def _unreadable(said: str) -> Finding:
    quoted = f": {said}" if said else ""
    return Finding("invalid_graph", f"ComfyUI did not accept the workflow{quoted.rstrip('.')}.", OUR_FAULT)
