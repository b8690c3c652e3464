"""The Monitoring tab: shown at once, current by itself, asked anew by its button."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from influencer.web import tabs
from monitoring import checks, standing
from monitoring.models import Event
from monitoring.report import Check, Finding, State
from monitoring.watch import Watch
from tests.monitoring.page import part, whole, words

pytestmark = pytest.mark.django_db(transaction=True)


class Counting:
    """Checks that say what they are told to, and count."""

    def __init__(self) -> None:
        self.ran: list[bool] = []
        self.states: dict[str, State] = {}

    def check(self, name: str, label: str) -> Check:
        def run(fresh: bool) -> Finding:
            if name == "comfyui":
                self.ran.append(fresh)
            state = self.states.get(name, State.OK)
            return Finding(state, f"{label} is {state}. Mend it.")

        return Check(name, label, run)


@pytest.fixture(autouse=True)
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    counting = Counting()
    lines = [counting.check(check.name, check.label) for check in checks.CHECKS]
    monkeypatch.setattr(checks, "everything", Watch(lines, keep=10, seconds=20))
    return counting


def test_it_is_the_last_tab() -> None:
    assert tabs.all_tabs()[-1].name == "Monitoring"
    assert tabs.current("/monitoring/") == "Monitoring"


def test_it_is_for_those_who_signed_in(client: Client) -> None:
    assert client.get(reverse("monitoring:page")).status_code == 302


def test_before_anything_is_known_it_is_shown_at_once_and_fills_in(owner: Client, counting: Counting) -> None:
    html = whole(owner)
    assert counting.ran == []
    assert 'hx-trigger="load, every 5s"' in html
    assert words(html).count("checking") == 6
    filled = part(owner, "status")
    assert counting.ran == [False]
    assert 'hx-trigger="every 5s"' in filled
    assert "Everything works" in filled


def test_what_is_known_is_shown_without_asking_again(owner: Client, counting: Counting) -> None:
    counting.states["comfyui"] = State.DOWN
    part(owner, "status")
    html = whole(owner)
    assert counting.ran == [False]
    assert "ComfyUI is down. Mend it." in html
    assert 'hx-trigger="every 5s"' in html


def test_refresh_status_asks_fresh_with_and_without_scripts(owner: Client, counting: Counting) -> None:
    assert "Refresh Status" in words(whole(owner))
    answer = part(owner, "status", fresh="1", said="Everything works")
    assert "Checked just now: Everything works" in words(answer)
    assert "Everything works" in whole(owner, fresh="1")
    assert counting.ran == [True, True]


def test_a_service_that_hangs_blocks_no_page(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, asked = threading.Event(), threading.Event()

    def hanging(fresh: bool) -> Finding:
        asked.set()
        go_on.wait(30)
        return Finding(State.OK, "late")

    lines = [Check(check.name, check.label, hanging) for check in checks.CHECKS]
    watch = Watch(lines, keep=10, seconds=30)
    monkeypatch.setattr(checks, "everything", watch)
    looking = threading.Thread(target=lambda: watch.report(fresh=True), daemon=True)
    looking.start()
    assert asked.wait(10)
    assert words(whole(owner)).count("checking") == 6, "while another request waits for the checks"
    go_on.set()
    looking.join(20)


def test_though_all_hang_the_fragment_comes_and_says_so(
    owner: Client, monkeypatch: pytest.MonkeyPatch, hang: threading.Event
) -> None:
    def hanging(fresh: bool) -> Finding:
        hang.wait(30)
        return Finding(State.OK, "late")

    lines = [Check(check.name, check.label, hanging) for check in checks.CHECKS]
    monkeypatch.setattr(checks, "everything", Watch(lines, keep=10, seconds=0.1))
    assert "could not be checked within 0.1 s" in part(owner, "status", fresh="1")


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    go_on = threading.Event()
    yield go_on
    go_on.set()


def test_screen_readers_hear_news_only(owner: Client, counting: Counting) -> None:
    part(owner, "status")
    assert "status-said" not in part(owner, "status", said="Everything works")
    counting.states["comfyui"] = State.DOWN
    answer = part(owner, "status", fresh="1", said="Everything works")
    assert '<span id="status-said" hx-swap-oob="innerHTML">Checked just now: ComfyUI is down</span>' in answer


def test_outside_services_that_go_down_and_come_back_are_in_the_log(
    owner: Client, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "settled", lambda: True)
    for state in (State.DOWN, State.DOWN, State.OK):
        counting.states = {"x": state, "comfyui": state}
        part(owner, "status", fresh="1")
    told = list(Event.objects.order_by("pk").values_list("text", flat=True))
    assert told == ["X: X is down. Mend it.", "X: all well again."], "ComfyUI is the clock's to tell"


def test_a_filter_stands_in_the_address_and_a_poll_leaves_it_alone(owner: Client) -> None:
    headers = {"HX-Request": "true", "HX-Target": "jobs"}
    address = reverse("monitoring:page")
    chosen = owner.get(address, {"state": "failed", "q": "", "period": "30d"}, headers=headers)
    assert chosen["HX-Replace-Url"] == "/monitoring/?state=failed&period=30d"
    polled = owner.get(address, {"state": "failed", "seen": "x"}, headers=headers)
    assert "HX-Replace-Url" not in polled
    assert "no-store" in polled["Cache-Control"]


def test_an_unknown_part_gets_the_whole_page(owner: Client) -> None:
    answer = owner.get(reverse("monitoring:page"), headers={"HX-Request": "true", "HX-Target": "nonsense"})
    assert answer.status_code == 200
    assert owner.post(reverse("monitoring:page")).status_code == 405
