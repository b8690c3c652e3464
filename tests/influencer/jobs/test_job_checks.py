from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from django.core.management import call_command

from influencer.jobs import checks, kinds


def found(settings: Any, change: Any) -> list[str]:
    queue = deepcopy(settings.Q_CLUSTER)
    change(queue)
    settings.Q_CLUSTER = queue
    return [message.id for message in checks.check_queue()]


def test_the_settings_as_they_are_pass() -> None:
    assert checks.check_queue() == []
    assert checks.check_kinds() == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda queue: queue.update(name="app"), "jobs.E001"),
        (lambda queue: queue.update(scheduler=True), "jobs.E002"),
        (lambda queue: queue.update(ack_failures=False), "jobs.E003"),
        (lambda queue: queue.update(orm="queue"), "jobs.E004"),
        (lambda queue: queue["ALT_CLUSTERS"]["gpu"].update(timeout=2.5), "jobs.E010"),
        (lambda queue: queue["ALT_CLUSTERS"]["gpu"].update(timeout=None), "jobs.E010"),
        (lambda queue: queue["ALT_CLUSTERS"]["gpu"].update(guard_cycle=4), "jobs.E011"),
        (lambda queue: queue["ALT_CLUSTERS"]["gpu"].update(retry=2700), "jobs.E012"),
        (lambda queue: queue.update(queue_limit=4), "jobs.E012"),
    ],
)
def test_a_value_that_loses_or_doubles_work_is_refused(settings: Any, change: Any, expected: str) -> None:
    assert expected in found(settings, change)


def test_deferred_transactions_are_refused(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {**settings.DATABASES["default"]["OPTIONS"], "transaction_mode": "DEFERRED"}
    monkeypatch.setitem(settings.DATABASES["default"], "OPTIONS", options)
    assert [message.id for message in checks.check_queue()] == ["jobs.E005"]


def test_a_cluster_of_unknown_name_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("Q_CLUSTER_NAME", "gpus")
    assert [message.id for message in checks.check_queue()] == ["jobs.E006"]


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"cluster": "gpus"}, "jobs.E020"),
        ({"steps": ("a", "a")}, "jobs.E021"),
        ({"steps": ("a",), "cancellable_until": "b"}, "jobs.E022"),
    ],
)
def test_a_kind_that_would_fail_in_silence_is_refused(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any], expected: str
) -> None:
    monkeypatch.setattr(kinds, "_kinds", {})
    kinds.register(kinds.Kind(name="k", label="K", handler="x.y", **wrong))
    assert [message.id for message in checks.check_kinds()] == [expected]


def test_two_kinds_of_one_name_are_refused_and_the_same_twice_is_not() -> None:
    kind = kinds.Kind(name="test_twice", label="K", handler="x.y")
    kinds.register(kind)
    kinds.register(kind)
    with pytest.raises(ValueError, match="test_twice"):
        kinds.register(kinds.Kind(name="test_twice", label="L", handler="x.y"))


@pytest.mark.django_db
def test_the_migrations_hold_what_the_models_say() -> None:
    call_command("makemigrations", "jobs", check=True, dry_run=True, verbosity=0)
