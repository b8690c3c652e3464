"""The set-up link: once, for an hour, while nobody is there."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from influencer import jsondb
from influencer.errors import Conflict, Invalid, NotFound, Unavailable
from influencer.web import setup, zone
from influencer.web.models import SetupLink
from tests.influencer.web.addresses import make_user

pytestmark = pytest.mark.django_db
GOOD = {"username": "mira", "password": "moths above the harbour", "time_zone": "Asia/Tokyo"}


@pytest.fixture(autouse=True)
def free_zone(settings: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, fixed=frozenset())


def send(client: Client, token: str, **changes: Any) -> Any:
    return client.post(f"/setup/{token}/", GOOD | changes)


def test_the_link_makes_the_owner_and_signs_them_in() -> None:
    token, client = setup.make_link(), Client()
    assert client.get(f"/setup/{token}/").status_code == 200
    assert send(client, token)["Location"] == "/"
    owner = User.objects.get()
    assert (owner.username, owner.is_superuser, owner.is_staff) == ("mira", True, True)
    assert client.get("/page/").status_code == 200


def test_the_chosen_zone_is_kept_in_the_settings_file() -> None:
    send(Client(), setup.make_link())
    assert jsondb.Document("settings.json").read()["timeZone"] == "Asia/Tokyo"
    assert zone.current().key == "Asia/Tokyo"


def test_a_zone_fixed_by_the_environment_wins(settings: Any) -> None:
    zone.choose("Asia/Tokyo")
    settings.INFLUENCER = dataclasses.replace(
        settings.INFLUENCER, time_zone="Europe/Madrid", fixed=frozenset({"time_zone"})
    )
    assert zone.current().key == "Europe/Madrid"


def test_the_token_is_long_and_only_its_hash_is_stored() -> None:
    token = setup.make_link()
    assert len(token) >= 43
    assert token not in str(list(SetupLink.objects.values()))


def test_the_link_works_once() -> None:
    token = setup.make_link()
    send(Client(), token)
    User.objects.all().delete()
    assert send(Client(), token).status_code == 410
    assert not User.objects.exists()


def test_looking_at_the_link_does_not_use_it_up() -> None:
    token = setup.make_link()
    for _ in range(3):
        assert Client().get(f"/setup/{token}/").status_code == 200
    assert send(Client(), token).status_code == 302


def test_a_refused_form_leaves_the_link_open() -> None:
    token, client = setup.make_link(), Client()
    refused = send(client, token, password="tooshort77")
    assert refused.status_code == 422
    assert "at least 12 characters" in refused.content.decode()
    assert b"tooshort77" not in refused.content
    assert send(client, token).status_code == 302


def test_after_an_hour_it_is_closed() -> None:
    token = setup.make_link()
    SetupLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    closed = Client().get(f"/setup/{token}/")
    assert closed.status_code == 410
    assert "older than an hour" in closed.content.decode()


def test_a_new_link_closes_the_older_one() -> None:
    old, new = setup.make_link(), setup.make_link()
    assert Client().get(f"/setup/{old}/").status_code == 410
    assert Client().get(f"/setup/{new}/").status_code == 200


def test_a_made_up_link_is_closed() -> None:
    assert Client().get("/setup/guess/").status_code == 410


def test_with_a_user_there_is_no_set_up() -> None:
    token = setup.make_link()
    make_user()
    assert send(Client(), token).status_code == 410
    with pytest.raises(Conflict):
        setup.make_link()
    with pytest.raises(Conflict):
        setup.create_owner(username="second", password="moths above the harbour")
    assert User.objects.count() == 1


def test_an_owner_can_be_made_without_the_browser() -> None:
    owner = setup.create_owner(username=setup.OWNER, password="moths above the harbour")
    assert Client().login(username="owner", password="moths above the harbour")
    assert owner.get_username() == "owner"


@pytest.mark.parametrize("password", ["elevenchars", "passwordpassword"[:8], "owner-owner-1"])
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(Invalid) as refused:
        setup.create_owner(username="owner-owner", password=password)
    assert refused.value.fields["password"]


def test_a_second_use_at_the_same_moment_makes_no_second_owner() -> None:
    token = setup.make_link()
    setup.use_link(token, **GOOD)
    User.objects.all().delete()
    with pytest.raises(NotFound):
        setup.use_link(token, **GOOD)


def test_sample_characters_are_asked_for_only_when_ticked(monkeypatch: pytest.MonkeyPatch) -> None:
    seeded: list[Any] = []
    monkeypatch.setattr(setup, "after_setup", [seeded.append])
    send(Client(), setup.make_link())
    assert seeded == []
    User.objects.all().delete()
    send(Client(), setup.make_link(), samples="on")
    assert [owner.username for owner in seeded] == ["mira"]


def test_the_form_offers_the_zone_of_this_machine_first(settings: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, time_zone="America/Bogota")
    content = Client().get(f"/setup/{setup.make_link()}/").content.decode()
    assert '<option value="America/Bogota" selected>' in content


def test_an_unknown_zone_is_refused() -> None:
    token = setup.make_link()
    assert send(Client(), token, time_zone="Mars/Olympus").status_code == 422
    with pytest.raises(Invalid):
        zone.choose("Mars/Olympus")


def test_a_settings_file_nobody_can_read_leaves_the_machines_zone(data_dir: Any) -> None:
    (data_dir / "settings.json").write_text("{ not json")
    assert zone.current().key == "UTC"


def test_the_token_of_a_refused_request_is_not_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    token = setup.make_link()
    assert send(Client(), token, password="tooshort77").status_code == 422
    assert "/setup/…" in caplog.text
    assert token not in caplog.text


def test_a_zone_fixed_by_the_environment_is_shown_locked(settings: Any, data_dir: Path) -> None:
    settings.INFLUENCER = dataclasses.replace(
        settings.INFLUENCER, time_zone="Europe/Madrid", fixed=frozenset({"time_zone"})
    )
    token = setup.make_link()
    content = Client().get(f"/setup/{token}/").content.decode()
    assert "Fixed by <code>INFLUENCER_TIME_ZONE</code>" in content
    assert send(Client(), token).status_code == 302
    assert not (data_dir / "settings.json").exists()


def test_samples_that_fail_do_not_lose_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(owner: Any) -> None:
        raise Unavailable("The disk is full. Make room, then try again.")

    monkeypatch.setattr(setup, "after_setup", [full])
    client = Client()
    assert send(client, setup.make_link(), samples="on")["Location"] == "/"
    assert "The disk is full." in client.get("/page/").content.decode()
