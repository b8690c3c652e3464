"""What the tests themselves stand on."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from influencer import paths


def test_every_test_has_its_own_data_folder(data_dir: Path) -> None:
    assert paths.data_dir() == data_dir
    assert paths.media().is_dir()
    assert paths.run().is_dir()


def test_the_key_and_the_start_folder_belong_to_this_run() -> None:
    assert settings.INFLUENCER.master_key.startswith("only-for-tests-")
    assert settings.INFLUENCER.data_dir.parent.name.startswith("influencer-tests-")


def test_connections_that_leave_the_machine_are_refused() -> None:
    with pytest.raises(OSError, match="192.0.2.1"):
        socket.create_connection(("192.0.2.1", 9), timeout=1)


@pytest.mark.django_db
def test_the_test_database_is_a_file() -> None:
    assert User.objects.count() == 0
    assert Path(str(settings.DATABASES["default"]["NAME"])).suffix == ".sqlite3"
