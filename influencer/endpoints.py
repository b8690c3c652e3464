"""Which address a service has right now: the person's own, the sandbox's, or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from influencer import effective, paths, sandbox
from influencer.config import Config
from influencer.errors import Unavailable


@dataclass(frozen=True)
class Endpoint:
    """One address of one service; `sandbox` marks a stand-in."""

    url: str
    sandbox: bool
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def comfyui(config: Config | None = None) -> list[Endpoint]:
    """Every ComfyUI server to use, in the order the person gave; with `config` as it would have it.

    Raises `Unavailable` when there is none and the sandbox may not stand in.
    """
    config = config or effective.config()
    if config.comfyui_urls and config.sandbox != "on":
        return [Endpoint(url, False, config.comfyui_headers) for url in config.comfyui_urls]
    return [Endpoint(stand_in("ComfyUI").comfyui, True)]


def instagram_sandbox() -> Endpoint:
    return Endpoint(stand_in("Instagram").instagram, True)


def x_sandbox() -> Endpoint:
    return Endpoint(stand_in("X").x, True)


def sandbox_allowed() -> bool:
    return effective.config().sandbox != "off"


def sandboxed_services() -> list[str]:
    """The services that a stand-in answers for, as a person would name them."""
    config = effective.config()
    if config.sandbox == "off":
        return []
    if config.sandbox == "on":
        return ["ComfyUI", "Instagram", "X", "Gemini"]
    return ["Instagram", "X"] if config.comfyui_urls else ["ComfyUI", "Instagram", "X"]


def stand_in(service: str) -> sandbox.Sandbox:
    """The running sandbox. Raises `Unavailable` when it is off or does not run."""
    if not sandbox_allowed():
        raise Unavailable(
            f"{service} is not configured and the sandbox is off. {FIXES[service]}", code="not_configured"
        )
    found = sandbox.address(paths.run())
    if found is None:
        raise Unavailable(
            f"The sandbox that stands in for {service} does not run. Start it with `python3 manage.py up`.",
            code="sandbox_down",
            retryable=True,
        )
    return found


FIXES = {
    "ComfyUI": "Set COMFYUI_URL, or the address in the settings, to your ComfyUI server.",
    "Instagram": "Add Instagram credentials to the character.",
    "X": "Add X credentials to the character.",
    "Gemini": "Enter a key in the settings, or set GEMINI_API_KEY.",
}
