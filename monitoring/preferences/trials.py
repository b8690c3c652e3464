"""The Test buttons: what a service says to the settings in the form, in a sentence, within 3 s."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from influencer import endpoints
from influencer.clients import media_host, reach
from influencer.clients.platform import PlatformError
from influencer.clients.writers.asking import AskingWriter
from influencer.clients.writers.choice import writer_for
from influencer.clients.writers.interface import Model
from influencer.config import Config
from influencer.errors import Problem
from influencer.web import link_trial
from monitoring.checks import comfyui as servers
from monitoring.crew import Crew
from prompts import pen

SECONDS = 2.8
# A bit less, so that a service's own sentence comes first.
ASK_SECONDS = 2.2
LIST_SECONDS = 10.0
# The SDKs take a second to import, on a busy machine more; it goes on after the answer.
LOADING = "The library that speaks to Gemini is still being loaded. Test again in some seconds."
SDK_MODULES = {
    "google-genai": "influencer.clients.writers.gemini_sdk",
    "google-generativeai": "influencer.clients.writers.legacy_gemini_sdk",
}
GIB = 2**30
# Nothing is tried again by itself here.
AGAIN = "Check the address and this computer's network, then test again."


@dataclass(frozen=True)
class Said:
    """What a test found: good or bad, a sentence for each thing that answered or did not."""

    ok: bool
    sentences: tuple[str, ...]


def run(name: str, config: Config) -> Said:
    """Test a section with this configuration. Never raises: what is wrong is the answer, with its fix."""
    crew: Crew[Said] = Crew("test")
    found = crew.run({name: partial(_in_words, TRIALS[name], config)}, SECONDS)
    if name in found:
        return found[name]
    if name == "gemini" and not _is_loaded(SDK_MODULES[config.gemini_sdk]):
        return Said(False, (LOADING,))
    return Said(False, (f"No answer within {SECONDS:g} s. Check the address, and what stands in between.",))


def models(config: Config) -> tuple[Model, ...]:
    """The models that may write with this key. Raises a `Problem`."""
    writer = writer_for(pen.gemini(config), seconds=LIST_SECONDS)
    return writer.models() if isinstance(writer, AskingWriter) else ()


def comfyui(config: Config) -> Said:
    places = endpoints.comfyui(config)
    answers = servers.ask(places, Crew("comfyui test"))
    if places[0].sandbox:
        start = "The sandbox stands in, as no address is given" if not config.comfyui_urls else "The sandbox"
        return Said(all("error" not in one for one in answers), (f"{start}: {_server(answers[0])}",))
    return Said(
        all("error" not in one for one in answers),
        tuple(one.get("error") or f"{one['url']}: {_server(one)}" for one in answers),
    )


def gemini(config: Config) -> Said:
    writer = writer_for(pen.gemini(config), seconds=ASK_SECONDS)
    if not isinstance(writer, AskingWriter):
        return Said(False, ("There is no key. Make one at aistudio.google.com/apikey and enter it.",))
    began = time.monotonic()
    found = writer.models()
    wanted = pen.gemini(config).model.removeprefix("models/")
    if wanted not in {model.name for model in found}:
        writer.check()
    took = _took(began)
    return Said(True, (f"The key works for {len(found)} models, {wanted} among them; answered in {took}.",))


def instagram(config: Config) -> Said:
    began = time.monotonic()
    root = reach.graph(config.instagram_graph_url, config.instagram_api_version, seconds=ASK_SECONDS)
    return Said(True, (f"Graph {config.instagram_api_version} answers at {_host(root)} in {_took(began)}.",))


def x(config: Config) -> Said:
    began = time.monotonic()
    root = reach.x(config.x_api_url, seconds=ASK_SECONDS)
    return Said(True, (f"X answers at {_host(root)} in {_took(began)}.",))


def public(config: Config) -> Said:
    """Fetches a link of our own from there, and then judges the address as Instagram would have it."""
    base, graph_url = config.public_base_url, config.instagram_graph_url
    if not base:
        return Said(False, (media_host.fault("", graph_url=graph_url) or "There is no address to test.",))
    url, proof = link_trial.make(base)
    began = time.monotonic()
    try:
        page = reach.page(url, service="The public address", seconds=ASK_SECONDS)
    except PlatformError as error:
        lead = f"Check that the tunnel or proxy runs and leads to {config.own_url}."
        return Said(False, (f"{error.message} {lead}",))
    if page.location:
        return Said(False, (f"{_host(base)} leads on to {_host(page.location)}. Enter that address.",))
    if page.text.strip() != proof:
        answered = f"Something else answers at {_host(base)} (HTTP {page.status})."
        return Said(False, (f"{answered} Let the tunnel or proxy lead to {config.own_url}.",))
    came_back = f"A test link came back from {_host(base)} in {_took(began)}."
    fault = media_host.fault(base, graph_url=graph_url)
    return Said(not fault, (f"{came_back} {fault}".strip(),))


TRIALS: Mapping[str, Callable[[Config], Said]] = {
    "comfyui": comfyui,
    "gemini": gemini,
    "public": public,
    "instagram": instagram,
    "x": x,
}


def _is_loaded(module: str) -> bool:
    return hasattr(sys.modules.get(module), "Sdk")


def _in_words(trial: Callable[[Config], Said], config: Config) -> Said:
    try:
        return trial(config)
    except PlatformError as error:
        return Said(False, (f"{error.message} {AGAIN if error.retryable else error.fix}",))
    except Problem as problem:
        return Said(False, (problem.sentence,))


def _server(facts: Mapping[str, Any]) -> str:
    if error := facts.get("error"):
        return str(error)
    queue = facts["queue"]["running"] + facts["queue"]["pending"]
    parts = [
        f"version {facts['version'] or 'unknown'}",
        *(_device(device) for device in facts["devices"][:1]),
        f"{queue} in the queue" if queue else "nothing in the queue",
    ]
    return f"{', '.join(parts)}; answered in {facts['answerMs']} ms."


def _device(device: Mapping[str, Any]) -> str:
    total, free = (device[key] or 0 for key in ("vramTotal", "vramFree"))
    name = device["name"] or device["type"]
    return f"{name} with {free / GIB:.1f} of {total / GIB:.1f} GB free" if total else str(name)


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _took(began: float) -> str:
    return f"{(time.monotonic() - began) * 1000:.0f} ms"
