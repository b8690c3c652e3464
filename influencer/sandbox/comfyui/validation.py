"""Judges a graph as ComfyUI does, down to the wording of its refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from influencer.sandbox.comfyui.catalog import Catalog, Definition

Graph = dict[str, Any]
Reason = dict[str, Any]
CONVERT: dict[str, Callable[[Any], Any]] = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}
LONG_LIST = 20
TRACEBACK = [
    '  File "ComfyUI/execution.py", line 1068, in validate_prompt\n    m = await validate_inputs(…)\n'
]


@dataclass(frozen=True)
class Verdict:
    """`outputs` are the output nodes that may run; `error` is set when none may."""

    error: Reason | None = None
    outputs: list[str] = field(default_factory=list)
    node_errors: dict[str, Any] = field(default_factory=dict)


def reason(kind: str, message: str, details: str, **extra: Any) -> Reason:
    return {"type": kind, "message": message, "details": details, "extra_info": extra}


def validate(graph: Graph, catalog: Catalog, *, targets: list[str] | None = None) -> Verdict:
    """Check a whole graph; inputs given as text are converted in place, as ComfyUI does."""
    outputs = []
    for node_id, node in graph.items():
        if error := _class_error(node_id, node, catalog):
            return Verdict(error=error)
        definition = catalog.definition(node["class_type"])
        if definition and definition["output_node"] and (targets is None or node_id in targets):
            outputs.append(node_id)
    if not outputs:
        return Verdict(error=reason("prompt_no_outputs", "Prompt has no outputs", ""))
    return _Examination(graph, catalog).verdict(outputs)


def _class_error(node_id: str, node: Any, catalog: Catalog) -> Reason | None:
    name = node.get("class_type")
    if name is not None and catalog.definition(name):
        return None
    title = node.get("_meta", {}).get("title", name)
    message = f"Node '{title}' not found. The custom node may not be installed."
    if name is None:
        message = f"Node 'ID #{node_id}' has no class_type. "
        message += "The workflow may be corrupted or a custom node is missing."
    extra = {"node_id": node_id, "class_type": name, "node_title": title}
    return reason("missing_node_type", message, f"Node ID '#{node_id}'", **extra)


class _Examination:
    """One pass over a graph; every node is judged once."""

    def __init__(self, graph: Graph, catalog: Catalog) -> None:
        self.graph = graph
        self.catalog = catalog
        self.judged: dict[str, tuple[bool, list[Reason]]] = {}
        self.path: list[str] = []
        self.node_errors: dict[str, Any] = {}

    def verdict(self, outputs: list[str]) -> Verdict:
        good, complaints = [], []
        for output in outputs:
            valid, reasons = self._output(output)
            if valid:
                good.append(output)
            else:
                complaints += [f"{item['message']}: {item['details']}" for item in reasons]
                self._collect(output)
        if good:
            return Verdict(outputs=good, node_errors=self.node_errors)
        message = "Prompt outputs failed validation"
        error = reason("prompt_outputs_failed_validation", message, "\n".join(complaints))
        return Verdict(error=error, node_errors=self.node_errors)

    def _output(self, output: str) -> tuple[bool, list[Reason]]:
        try:
            return self._node(output)
        except (KeyError, IndexError, TypeError) as error:
            extra: dict[str, Any] = {"exception_type": type(error).__name__, "traceback": TRACEBACK}
            message = "Exception when validating node"
            self.judged[output] = (
                False,
                [reason("exception_during_validation", message, str(error), **extra)],
            )
            return self.judged[output]
        finally:
            self.path.clear()

    def _collect(self, output: str) -> None:
        """A node downstream of a bad one is bad without reasons of its own: leave it out."""
        for node_id, (valid, reasons) in self.judged.items():
            if valid or not reasons:
                continue
            entry = {
                "errors": reasons,
                "dependent_outputs": [],
                "class_type": self.graph[node_id]["class_type"],
            }
            self.node_errors.setdefault(node_id, entry)["dependent_outputs"].append(output)

    def _node(self, node_id: str) -> tuple[bool, list[Reason]]:
        if node_id in self.judged:
            return self.judged[node_id]
        if node_id in self.path:
            self.judged[node_id] = (False, [self._cycle(node_id)])
            return self.judged[node_id]
        self.path.append(node_id)
        inputs = self.graph[node_id]["inputs"]
        definition = self.catalog.definition(self.graph[node_id]["class_type"]) or {}
        reasons, upstream_good = [], True
        for name, config, required in _declared(definition):
            good, found = self._input(inputs, name, config, required=required)
            upstream_good &= good
            reasons += found
        reasons += self._custom(node_id, inputs)
        self.path.pop()
        self.judged.setdefault(node_id, (upstream_good and not reasons, reasons))
        return self.judged[node_id]

    def _cycle(self, node_id: str) -> Reason:
        ring = self.path[self.path.index(node_id) :]
        names = [f"{one} ({self.graph[one]['class_type']})" for one in [*ring, node_id]]
        extra = {"node_id": node_id, "cycle_nodes": ring}
        return reason("dependency_cycle", "Dependency cycle detected", " -> ".join(names), **extra)

    def _input(
        self, inputs: dict[str, Any], name: str, config: list[Any], *, required: bool
    ) -> tuple[bool, list[Reason]]:
        """(whether what is linked is good, the reasons against this input)"""
        if name not in inputs:
            missing = reason("required_input_missing", "Required input is missing", name, input_name=name)
            return True, [missing] if required else []
        if isinstance(inputs[name], list):
            return self._link(inputs[name], name, config)
        return True, _value(inputs, name, config)

    def _link(self, link: list[Any], name: str, config: list[Any]) -> tuple[bool, list[Reason]]:
        about = {"input_name": name, "input_config": config}
        if len(link) != 2:
            message = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
            return True, [reason("bad_linked_input", message, name, **about, received_value=link)]
        source = self.graph[link[0]]
        received = tuple((self.catalog.definition(source["class_type"]) or {})["output"])[link[1]]
        if not _fits(received, config[0]):
            details = f"{name}, received_type({received}) mismatch input_type({config[0]})"
            message = "Return type mismatch between linked nodes"
            more = {"received_type": received, "linked_node": link}
            return True, [reason("return_type_mismatch", message, details, **about, **more)]
        return self._upstream(link, about), []

    def _upstream(self, link: list[Any], about: dict[str, Any]) -> bool:
        depth = len(self.path)
        try:
            return self._node(link[0])[0]
        except (KeyError, IndexError, TypeError) as error:
            extra = {
                **about,
                "exception_message": str(error),
                "exception_type": type(error).__name__,
                "traceback": TRACEBACK,
                "linked_node": link,
            }
            inner = reason(
                "exception_during_inner_validation",
                "Exception when validating inner node",
                str(error),
                **extra,
            )
            self.judged[link[0]] = (False, [inner])
            del self.path[depth:]
            return False

    def _custom(self, node_id: str, inputs: dict[str, Any]) -> list[Reason]:
        name = inputs.get("image")
        if self.graph[node_id]["class_type"] != "LoadImage" or not isinstance(name, str):
            return []
        if self.catalog.has_image(name):
            return []
        details = f"image - Invalid image file: {name}"
        return [
            reason(
                "custom_validation_failed", "Custom validation failed for node", details, input_name="image"
            )
        ]


def _declared(definition: Definition) -> list[tuple[str, list[Any], bool]]:
    """(name, [type, options], whether required) of every input a node takes."""
    return [
        (name, [config[0], config[1] if len(config) > 1 else {}], section == "required")
        for section in ("required", "optional")
        for name, config in definition["input"].get(section, {}).items()
    ]


def _fits(received: str, wanted: Any) -> bool:
    if not isinstance(wanted, str):
        return received == wanted
    return "*" in (received, wanted) or set(received.split(",")) <= set(wanted.split(","))


def _value(inputs: dict[str, Any], name: str, config: list[Any]) -> list[Reason]:
    kind, options = config
    value = inputs[name]
    about = {"input_name": name, "input_config": config}
    if isinstance(value, dict) and "__value__" in value:
        value = value["__value__"]
    try:
        value = CONVERT[kind](value) if isinstance(kind, str) and kind in CONVERT else value
    except (ValueError, TypeError, OverflowError) as error:
        message = f"Failed to convert an input value to a {kind} value"
        more = {"received_value": value, "exception_message": str(error)}
        return [reason("invalid_input_type", message, f"{name}, {value}, {error}", **about, **more)]
    inputs[name] = value
    return _range(value, options, about) or _choice(value, config, about)


def _range(value: Any, options: dict[str, Any], about: dict[str, Any]) -> list[Reason]:
    if "min" in options and value < options["min"]:
        message = f"Value {value} smaller than min of {options['min']}"
        return [reason("value_smaller_than_min", message, about["input_name"], **about, received_value=value)]
    if "max" in options and value > options["max"]:
        message = f"Value {value} bigger than max of {options['max']}"
        return [reason("value_bigger_than_max", message, about["input_name"], **about, received_value=value)]
    return []


def _choice(value: Any, config: list[Any], about: dict[str, Any]) -> list[Reason]:
    kind, options = config
    choices = options.get("options", []) if kind == "COMBO" else kind
    # A file for LoadImage is judged by whether it exists, not by the list.
    if not isinstance(choices, list) or value in choices or options.get("image_upload"):
        return []
    known = str(choices) if len(choices) <= LONG_LIST else f"(list of length {len(choices)})"
    shown = config if len(choices) <= LONG_LIST else None
    details = f"{about['input_name']}: '{value}' not in {known}"
    extra = {"input_name": about["input_name"], "input_config": shown, "received_value": value}
    return [reason("value_not_in_list", "Value not in list", details, **extra)]
