"""The configuration: every environment variable, read once and checked."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dotenv import dotenv_values

PROJECT = Path(__file__).resolve().parent.parent
LATER = ("DATABASE_URL", "REDIS_URL", "MEDIA_S3_URL")


class ConfigError(Exception):
    """A value that can't be used; the message names the variable and what it may be."""


@dataclass(frozen=True)
class Config:
    """All settings a person can give from outside (see `docs/operations.md`)."""

    data_dir: Path
    master_key: str = field(repr=False)
    old_master_keys: tuple[str, ...] = field(default=(), repr=False)
    host: str = "127.0.0.1"
    port: int = 8000
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxy: str = ""
    sandbox: str = "auto"
    comfyui_urls: tuple[str, ...] = ()
    comfyui_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    instagram_graph_url: str = ""
    instagram_api_version: str = "v25.0"
    x_api_url: str = "https://api.x.com"
    gemini_api_key: str = field(default="", repr=False)
    gemini_model: str = "gemini-3.5-flash-lite"
    gemini_api_url: str = "https://generativelanguage.googleapis.com"
    gemini_sdk: str = "google-genai"
    public_base_url: str = ""
    public_dashboard: bool = False
    time_zone: str = "UTC"
    time_zone_fixed: bool = False
    admin_password: str = field(default="", repr=False)
    debug: bool = False
    # What a stored credential may name instead of holding a key.
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def own_url(self) -> str:
        """Where this product answers on its own machine."""
        everywhere = self.host in {"0.0.0.0", "::", ""}  # noqa: S104 - compared, not bound
        host = "127.0.0.1" if everywhere else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def media_base_url(self) -> str:
        """The address under which signed media links are reachable."""
        return self.public_base_url or self.own_url

    @property
    def public_host(self) -> str:
        return urlsplit(self.public_base_url).hostname or ""


def load(environment: Mapping[str, str] | None = None, project: Path = PROJECT) -> Config:
    """Read the environment, with `.env` in the project folder behind it.

    Raises `ConfigError` naming the variable that can't be used.
    """
    if environment is None:
        environment = {**_dotenv(project / ".env"), **os.environ}
    read = _Reader(environment)
    read.refuse_unbuilt()
    data_dir = Path(read.text("INFLUENCER_DATA_DIR", "data"))
    return Config(
        data_dir=(project / data_dir).resolve(),
        master_key=read.master_key(project),
        old_master_keys=read.items("INFLUENCER_OLD_SECRET_KEYS"),
        host=read.text("INFLUENCER_HOST", "127.0.0.1"),
        port=read.port("INFLUENCER_PORT", 8000),
        allowed_hosts=read.items("INFLUENCER_ALLOWED_HOSTS"),
        trusted_proxy=read.text("INFLUENCER_TRUSTED_PROXY"),
        sandbox=read.choice("INFLUENCER_SANDBOX", ("auto", "on", "off")),
        comfyui_urls=tuple(url.rstrip("/") for url in read.urls("COMFYUI_URL")),
        comfyui_headers=read.headers("COMFYUI_HEADERS"),
        instagram_graph_url=read.url("INSTAGRAM_GRAPH_URL"),
        instagram_api_version=read.text("INSTAGRAM_API_VERSION", "v25.0"),
        x_api_url=read.url("X_API_URL", "https://api.x.com"),
        gemini_api_key=read.text("GEMINI_API_KEY"),
        gemini_model=read.text("GEMINI_MODEL", "gemini-3.5-flash-lite"),
        gemini_api_url=read.url("GEMINI_API_URL", "https://generativelanguage.googleapis.com"),
        gemini_sdk=read.choice("GEMINI_SDK", ("google-genai", "google-generativeai")),
        # Unchecked on purpose: a wrong value is a warning in the status, not a refused start.
        public_base_url=read.text("PUBLIC_BASE_URL").rstrip("/"),
        public_dashboard=read.flag("INFLUENCER_PUBLIC_DASHBOARD"),
        time_zone=read.zone("INFLUENCER_TIME_ZONE"),
        time_zone_fixed=bool(read.text("INFLUENCER_TIME_ZONE")),
        admin_password=read.text("INFLUENCER_ADMIN_PASSWORD"),
        debug=read.flag("INFLUENCER_DEBUG"),
        credentials=read.starting_with("INSTAGRAM_", "TWITTER_"),
    )


@dataclass(frozen=True)
class _Reader:
    environment: Mapping[str, str]

    def text(self, name: str, default: str = "") -> str:
        return self.environment.get(name, "").strip() or default

    def items(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.text(name).split(",") if part.strip())

    def starting_with(self, *prefixes: str) -> dict[str, str]:
        return {name: value for name, value in self.environment.items() if name.startswith(prefixes)}

    def flag(self, name: str) -> bool:
        return self.choice(name, ("off", "on")) == "on"

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, choices[0]).lower()
        if value not in choices:
            raise ConfigError(f"{name} is '{value}'; it may be {', '.join(choices)}.")
        return value

    def port(self, name: str, default: int) -> int:
        value = self.text(name, str(default))
        if not value.isdigit() or not 0 < int(value) < 65536:
            raise ConfigError(f"{name} is '{value}'; it must be a port from 1 to 65535.")
        return int(value)

    def url(self, name: str, default: str = "") -> str:
        value = self.text(name, default).rstrip("/")
        if value and urlsplit(value).scheme not in {"http", "https"}:
            raise ConfigError(f"{name} must start with http:// or https://.")
        return value

    def urls(self, name: str) -> tuple[str, ...]:
        values = self.items(name)
        for value in values:
            if urlsplit(value).scheme not in {"http", "https"}:
                raise ConfigError(f"{name} must hold addresses that start with http:// or https://.")
        return values

    def headers(self, name: str) -> dict[str, str]:
        try:
            value = json.loads(self.text(name, "{}"))
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise ConfigError(f'{name} must be a JSON object, like {{"Authorization": "Bearer …"}}.')
        return {str(key): str(item) for key, item in value.items()}

    def zone(self, name: str) -> str:
        value = self.text(name) or _host_zone()
        try:
            ZoneInfo(value)
        except (OSError, ValueError, KeyError) as error:
            raise ConfigError(f"{name} is '{value}', which is no time zone; try Europe/Madrid.") from error
        return value

    def master_key(self, project: Path) -> str:
        """The one secret everything else is derived from, made on the first start."""
        if key := self.text("INFLUENCER_SECRET_KEY"):
            return key
        named = self.text("INFLUENCER_SECRET_KEY_FILE")
        path = Path(named) if named else project / ".secret-key"
        if not path.exists() and not named:
            _create_key(path)
        try:
            key = path.read_text().strip()
        except OSError as error:
            raise ConfigError(f"The secret key can't be read from {path}: {error.strerror}.") from error
        if len(key) < 32:
            raise ConfigError(f"The secret key in {path} is shorter than 32 characters.")
        return key

    def refuse_unbuilt(self) -> None:
        set_ones = [name for name in LATER if self.text(name)]
        if self.text("INFLUENCER_STORE", "json") != "json":
            set_ones.append("INFLUENCER_STORE")
        if set_ones:
            raise ConfigError(f"{set_ones[0]} is set, but this version keeps everything in data/. Unset it.")


def _dotenv(path: Path) -> dict[str, str]:
    return {name: value for name, value in dotenv_values(path).items() if value is not None}


def _create_key(path: Path) -> None:
    """Write a new key without ever showing a half-written one to a second process."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _host_zone() -> str:
    """The host's zone by name, UTC when it has none that Python knows."""
    try:
        target = Path("/etc/localtime").resolve(strict=True)
    except OSError:
        return "UTC"
    name = str(target).partition("zoneinfo/")[2]
    return name or "UTC"
