"""The configuration: every environment variable, read once and checked."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dotenv import dotenv_values

from influencer.clients.bucket_address import SHAPE, BucketAddress

PROJECT = Path(__file__).resolve().parent.parent
SANDBOX = ("auto", "on", "off")
LOG_LEVELS = ("info", "debug", "warning", "error", "critical")
SDKS = ("google-genai", "google-generativeai")
GEMINI_URL = "https://generativelanguage.googleapis.com"
X_URL = "https://api.x.com"
MODEL, MODEL_WORD = "gemini-3.5-flash-lite", r"(models/)?[A-Za-z0-9][A-Za-z0-9._-]*"
VERSION, VERSION_WORD = "v25.0", r"v\d{1,3}\.\d{1,2}"
BACKUPS = 7
LATER = ("DATABASE_URL", "REDIS_URL")


class ConfigError(Exception):
    """A value that can't be used; the message names the variable and what it may be."""


@dataclass(frozen=True)
class Reader:
    """Turns text into values. Every method raises `ConfigError` that begins with the name."""

    texts: Mapping[str, str]

    def text(self, name: str, default: str = "") -> str:
        return self.texts.get(name, "").strip() or default

    def items(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.text(name).split(",") if part.strip())

    def starting_with(self, *prefixes: str) -> dict[str, str]:
        return {name: value for name, value in self.texts.items() if name.startswith(prefixes)}

    def flag(self, name: str) -> bool:
        return self.choice(name, ("off", "on")) == "on"

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, choices[0]).lower()
        if value not in choices:
            raise ConfigError(f"{name} is '{value}'; it may be {', '.join(choices)}.")
        return value

    def port(self, name: str, default: int) -> int:
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdigit() and len(value) < 6 and 0 < int(value) < 65536):
            raise ConfigError(f"{name} is '{value}'; it must be a port from 1 to 65535.")
        return int(value)

    def number(self, name: str, default: int, least: int, most: int) -> int:
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdigit() and len(value) < 9 and least <= int(value) <= most):
            raise ConfigError(f"{name} is '{value}'; it must be a number from {least} to {most}.")
        return int(value)

    def speed(self, name: str) -> float:
        value = self.text(name, "1")
        if not re.fullmatch(r"\d{1,5}(\.\d+)?", value, re.ASCII) or not 0 < float(value) <= 10_000:
            raise ConfigError(f"{name} is '{value}'; it must be a number above 0, at most 10000.")
        return float(value)

    def word(self, name: str, default: str, pattern: str) -> str:
        value = self.text(name, default)
        if not re.fullmatch(pattern, value):
            raise ConfigError(f"{name} is '{value}'; it must look like {default}.")
        return value

    def key(self, name: str) -> str:
        value = self.text(name)
        if not re.fullmatch(r"[!-~]*", value):
            raise ConfigError(f"{name} holds a character no key has. Copy the key again.")
        return value

    def url(self, name: str, default: str = "") -> str:
        value = self.text(name, default).rstrip("/")
        if value and not _is_web(value):
            raise ConfigError(f"{name} must start with http:// or https://.")
        return value

    def loose_url(self, name: str) -> str:
        return self.text(name).rstrip("/")

    def urls(self, name: str) -> tuple[str, ...]:
        values = tuple(value.rstrip("/") for value in self.items(name))
        if not all(map(_is_web, values)):
            raise ConfigError(f"{name} must hold addresses that start with http:// or https://.")
        return values

    def bucket(self, name: str) -> str:
        value = self.text(name)
        try:
            if value:
                BucketAddress.parse(value)
            return value
        except ValueError as error:
            raise ConfigError(f"{name} must look like {SHAPE}.") from error

    def with_its(self, other: str, name: str) -> str:
        """A value that makes no sense without the other one."""
        value = self.text(name)
        if value and not self.text(other):
            raise ConfigError(f"{other} is missing: {name} needs it.")
        return value

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


@dataclass(frozen=True)
class Settable:
    """Marks a field that the Settings page may set as well: the variable that wins, and how its text is read.

    An `address` is asked things, or leads to us, and with `login` may hold user and password; a `secret`
    is sealed, and never shown. In `settings.json` a value `takes` this type as well as text.
    """

    variable: str
    read: Callable[[Reader, str], Any]
    takes: type = str
    address: bool = False
    login: bool = False
    secret: bool = False


def _settable(default: Any, variable: str, read: Callable[[Reader, str], Any], **more: bool) -> Any:
    marked = {"settable": Settable(variable, read, type(default), **more)}
    shown = not (more.get("secret") or more.get("address"))  # an address may hold a password
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), repr=shown, metadata=marked)
    return field(default=default, repr=shown, metadata=marked)


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
    sandbox: str = _settable("auto", "INFLUENCER_SANDBOX", lambda read, name: read.choice(name, SANDBOX))
    comfyui_urls: tuple[str, ...] = _settable((), "COMFYUI_URL", Reader.urls, address=True, login=True)
    comfyui_headers: Mapping[str, str] = _settable({}, "COMFYUI_HEADERS", Reader.headers, secret=True)
    instagram_graph_url: str = _settable("", "INSTAGRAM_GRAPH_URL", Reader.url, address=True)
    instagram_api_version: str = _settable(
        VERSION, "INSTAGRAM_API_VERSION", lambda read, name: read.word(name, VERSION, VERSION_WORD)
    )
    x_api_url: str = _settable(X_URL, "X_API_URL", lambda read, name: read.url(name, X_URL), address=True)
    gemini_api_key: str = _settable("", "GEMINI_API_KEY", Reader.key, secret=True)
    gemini_model: str = _settable(
        MODEL, "GEMINI_MODEL", lambda read, name: read.word(name, MODEL, MODEL_WORD)
    )
    gemini_api_url: str = _settable(
        GEMINI_URL, "GEMINI_API_URL", lambda read, name: read.url(name, GEMINI_URL), address=True
    )
    gemini_sdk: str = _settable(SDKS[0], "GEMINI_SDK", lambda read, name: read.choice(name, SDKS))
    # In the environment unchecked on purpose: a wrong value is a warning in the status, not a refused start.
    public_base_url: str = _settable("", "PUBLIC_BASE_URL", Reader.loose_url, address=True)
    media_s3_url: str = field(default="", repr=False)
    c2pa_cert: str = ""
    c2pa_key: str = ""
    public_dashboard: bool = False
    time_zone: str = _settable("UTC", "INFLUENCER_TIME_ZONE", Reader.zone)
    backups_kept: int = _settable(
        BACKUPS, "INFLUENCER_BACKUPS_KEPT", lambda read, name: read.number(name, BACKUPS, 1, 999)
    )
    admin_password: str = field(default="", repr=False)
    debug: bool = False
    log_level: str = "INFO"
    sandbox_speed: float = 1.0
    # What a stored credential may name instead of holding a key.
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    # Fields the environment has set: no one else may.
    fixed: frozenset[str] = frozenset()

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
        try:
            return urlsplit(self.public_base_url).hostname or ""
        except ValueError:
            return ""


# Every field that may be set on the Settings page, by its name.
SETTABLE: Mapping[str, Settable] = {
    one.name: one.metadata["settable"] for one in fields(Config) if "settable" in one.metadata
}


def load(environment: Mapping[str, str] | None = None, project: Path = PROJECT) -> Config:
    """Read the environment, with `.env` in the project folder behind it.

    Raises `ConfigError` naming the variable that can't be used.
    """
    if environment is None:
        environment = {**_dotenv(project / ".env"), **os.environ}
    read = Reader(environment)
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
        media_s3_url=read.bucket("MEDIA_S3_URL"),
        c2pa_cert=read.with_its("C2PA_KEY", "C2PA_CERT"),
        c2pa_key=read.with_its("C2PA_CERT", "C2PA_KEY"),
        public_dashboard=read.flag("INFLUENCER_PUBLIC_DASHBOARD"),
        admin_password=read.text("INFLUENCER_ADMIN_PASSWORD"),
        debug=read.flag("INFLUENCER_DEBUG"),
        log_level=read.choice("INFLUENCER_LOG_LEVEL", LOG_LEVELS).upper(),
        sandbox_speed=read.speed("INFLUENCER_SANDBOX_SPEED"),
        credentials=read.starting_with("INSTAGRAM_", "TWITTER_"),
        fixed=frozenset(name for name, known in SETTABLE.items() if read.text(known.variable)),
        **{name: known.read(read, known.variable) for name, known in SETTABLE.items()},
    )


def _is_web(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


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
