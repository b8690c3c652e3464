"""What the Settings page shows, in its order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """One card: fields of `Config`, those under "More" apart. `tested`: it has a Test button."""

    name: str
    title: str
    fields: tuple[str, ...]
    more: tuple[str, ...] = ()
    about: str = ""
    tested: bool = False

    @property
    def all_fields(self) -> tuple[str, ...]:
        return (*self.fields, *self.more)


SECTIONS: Mapping[str, Section] = {
    section.name: section
    for section in (
        Section("comfyui", "ComfyUI", ("comfyui_urls", "comfyui_headers"), tested=True),
        Section(
            "gemini",
            "Gemini",
            ("gemini_api_key", "gemini_model"),
            more=("gemini_api_url", "gemini_sdk"),
            about="Writes captions and prompts. Without a key they are written from templates, without AI.",
            tested=True,
        ),
        Section(
            "public",
            "Public address",
            ("public_base_url",),
            about="Instagram fetches each image itself, so this product needs an address that opens from "
            "outside. Under it nothing is answered but the links of images that are being posted.",
            tested=True,
        ),
        Section(
            "instagram",
            "Instagram",
            ("instagram_graph_url", "instagram_api_version"),
            about="Accounts and their keys belong to each character. This is where all of them post.",
            tested=True,
        ),
        Section("x", "X", ("x_api_url",), tested=True),
        Section(
            "sandbox",
            "Sandbox",
            ("sandbox",),
            about="Stands in for ComfyUI and for accounts without credentials. Its images carry the word "
            "SANDBOX and can’t be posted to a real account.",
        ),
        Section("dashboard", "Dashboard", ("time_zone",)),
        Section("backups", "Backups", ("backups_kept",)),
    )
}
