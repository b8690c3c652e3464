"""What the storage tests share: files in the test's data folder, and the library as an installed app."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

Write = Callable[[str, Any], Path]

CONTRIB = ("admin", "auth", "contenttypes", "sessions", "messages")
MIDDLEWARE = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
)
PROCESSORS = (
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
)


@pytest.fixture
def write_file(data_dir: Path) -> Write:
    """Write a data file the way a person or another program would."""

    def write(name: str, content: Any) -> Path:
        path = data_dir / name
        path.write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))
        return path

    return write


@pytest.fixture
def read_file(data_dir: Path) -> Callable[[str], Any]:
    return lambda name: orjson.loads((data_dir / name).read_bytes())


@pytest.fixture
def library(settings: Any) -> Iterator[None]:
    """The library's models as an app, with Django's plain admin at /admin/."""
    from django.contrib.contenttypes.models import ContentType

    settings.INSTALLED_APPS = [
        "tests.influencer.jsondb.library",
        *(f"django.contrib.{name}" for name in CONTRIB),
    ]
    settings.MIDDLEWARE = list(MIDDLEWARE)
    settings.ROOT_URLCONF = "tests.influencer.jsondb.library.admin"
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": list(PROCESSORS)},
        }
    ]
    # Made within the test and rolled back with it, but remembered beyond.
    ContentType.objects.clear_cache()
    yield
    ContentType.objects.clear_cache()
