"""What must hold before Django reads its settings; loaded by `-p tests.environment`."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

# Emptied, not removed: a name that is set, even to nothing, wins over the project's `.env`.
CONFIGURABLE = (
    "C2PA_CERT",
    "C2PA_KEY",
    "COMFYUI_HEADERS",
    "COMFYUI_URL",
    "DATABASE_URL",
    "GEMINI_API_KEY",
    "GEMINI_API_URL",
    "GEMINI_MODEL",
    "GEMINI_SDK",
    "INFLUENCER_ADMIN_PASSWORD",
    "INFLUENCER_ALLOWED_HOSTS",
    "INFLUENCER_BACKUPS_KEPT",
    "INFLUENCER_DEBUG",
    "INFLUENCER_HOST",
    "INFLUENCER_LOG_LEVEL",
    "INFLUENCER_OLD_SECRET_KEYS",
    "INFLUENCER_PORT",
    "INFLUENCER_PUBLIC_DASHBOARD",
    "INFLUENCER_SANDBOX",
    "INFLUENCER_SANDBOX_SPEED",
    "INFLUENCER_SECRET_KEY_FILE",
    "INFLUENCER_STORE",
    "INFLUENCER_TRUSTED_PROXY",
    "INSTAGRAM_API_VERSION",
    "INSTAGRAM_APP_ID",
    "INSTAGRAM_APP_SECRET",
    "INSTAGRAM_GRAPH_URL",
    "MEDIA_S3_URL",
    "PUBLIC_BASE_URL",
    "REDIS_URL",
    "X_API_URL",
)
FREE_OF_SETTINGS = dict.fromkeys(CONFIGURABLE, "")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")

# The whole run's folder; each test gets a data folder of its own on top (see `conftest.py`).
FOLDER = Path(tempfile.mkdtemp(prefix="influencer-tests-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def prepare() -> None:
    """Give this test process its own data folder and key, and no one's settings."""
    os.environ.update(FREE_OF_SETTINGS)
    os.environ["INFLUENCER_SECRET_KEY"] = "only-for-tests-" + "0123456789" * 4
    os.environ["INFLUENCER_DATA_DIR"] = str(FOLDER / "data")
    # Posts of one account follow each other at once; what spaces them is tested by itself.
    os.environ["INFLUENCER_PUBLISHING"] = '{"gap": 0}'
    os.environ["INFLUENCER_TIME_ZONE"] = os.environ["TZ"] = "UTC"
    for name in PROXIES:
        os.environ.pop(name, None)
        os.environ.pop(name.lower(), None)
    time.tzset()
    (FOLDER / "data").mkdir()


def stay_on_this_machine() -> None:
    """Refuse every connection in this process that leaves the machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_local(str(address[0])):
            raise OSError(f"Tests don't leave this machine: {address[0]} was asked for.")
        connect(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign]


def _is_local(host: str) -> bool:
    return host.startswith("127.") or host in {"localhost", "::1", "0.0.0.0"}


prepare()
stay_on_this_machine()
