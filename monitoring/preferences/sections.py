"""What the Settings page shows, in its order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from influencer.config import Config


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


@dataclass(frozen=True)
class Outside:
    """What only the environment sets: told, so that nobody looks for a field."""

    variables: tuple[str, ...]
    about: str
    is_set: Callable[[Config], object]


OUTSIDE = (
    Outside(
        ("MEDIA_S3_URL",),
        "a bucket for the images of real posts, in place of the public address",
        lambda config: config.media_s3_url,
    ),
    Outside(
        ("INSTAGRAM_APP_ID", "INSTAGRAM_APP_SECRET"),
        "your Meta app, to renew tokens of Facebook Login",
        lambda config: (
            config.credentials.get("INSTAGRAM_APP_ID") and config.credentials.get("INSTAGRAM_APP_SECRET")
        ),
    ),
    Outside(
        ("C2PA_CERT", "C2PA_KEY"),
        "the certificate and key that sign labelled images",
        lambda config: config.c2pa_cert,
    ),
)
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
