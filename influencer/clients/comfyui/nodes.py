"""A server's own node definitions, and making a graph follow them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from influencer.clients.comfyui.values import Graph

Definition = Mapping[str, Any]


def options(definition: Definition, name: str) -> tuple[str, ...]:
    """The choices of a combo input, in either of the two shapes servers use; else ()."""
    spec = _inputs(definition).get(name) or [None]
    choices = _settings(spec).get("options") if spec[0] == "COMBO" else spec[0]
    return tuple(str(choice) for choice in choices) if isinstance(choices, list) else ()


def fit(graph: Graph, definitions: Mapping[str, Definition]) -> Graph:
    """The same graph with the inputs this server's nodes have.

    Inputs the server does not know are left out, required ones the graph lacks get the
    server's default. Nodes the server does not have stay: its answer will name them.
    """
    return {
        node_id: _fit_node(node, definitions.get(node["class_type"]) or {}) for node_id, node in graph.items()
    }


def _fit_node(node: dict[str, Any], definition: Definition) -> dict[str, Any]:
    known = _inputs(definition)
    if not known:
        return node
    # Growing inputs are called "inputs.input0": the definition has the part before the dot.
    inputs = {name: value for name, value in node["inputs"].items() if name.partition(".")[0] in known}
    defaults = {name: value for name, value in _defaults(definition) if name not in inputs}
    return {**node, "inputs": {**inputs, **defaults}}


def _inputs(definition: Definition) -> dict[str, list[Any]]:
    groups = definition.get("input") or {}
    return {**(groups.get("required") or {}), **(groups.get("optional") or {})}


def _defaults(definition: Definition) -> Iterator[tuple[str, Any]]:
    for name, spec in ((definition.get("input") or {}).get("required") or {}).items():
        settings = _settings(spec)
        if "default" in settings:
            yield name, settings["default"]
        elif choices := options(definition, name):
            yield name, choices[0]
        elif spec[0] == "STRING":
            yield name, ""


def _settings(spec: list[Any]) -> Mapping[str, Any]:
    return spec[1] if len(spec) > 1 and isinstance(spec[1], Mapping) else {}
