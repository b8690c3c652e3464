"""`manage.py task`, `run_due`, `backup`: without a running `up` they do the work in place."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from characters.publishing.models import Post, PostState
from influencer.errors import Conflict, Invalid, NotFound
from scheduling import runs
from scheduling.clock_turn import Planner
from scheduling.models import Fired, FiredState, NextDue, Task
from tests.characters.people import someone
from tests.running import free_port
from tests.scheduling.plans import NOON, a_task, stored

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def alone(settings: Any) -> None:
    """A port of its own, where no `up` listens."""
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, port=free_port(), sandbox_speed=200)


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out, stderr=StringIO())
    return out.getvalue()


def told(*words: str) -> Any:
    return json.loads(run(*words, "--json"))


def test_a_task_is_added_shown_changed_and_deleted() -> None:
    luna = someone()
    made = told(
        "task", "add", "Luna", "--type", "generate_and_post", "--schedule", "0 18 * * *",
        "--config", "prompt=by the sea", "--config", "postToTwitter=true", "--config", "steps=8",
    )  # fmt: skip
    assert (made["characterId"], made["description"]) == (luna.pk, "At 18:00 every day")
    assert made["config"] == {"prompt": "by the sea", "postToTwitter": True, "steps": 8}
    assert "At 18:00 every day" in run("task", "list")
    run("task", "edit", made["id"], "--schedule", "6h", "--late-hours", "3", "--config", "steps=null")
    assert (stored()[0]["schedule"], stored()[0]["lateHours"]) == ("6h", 3)
    assert "steps" not in stored()[0]["config"]
    assert told("task", "pause", made["id"])["active"] is False
    assert told("task", "resume", made["id"])["active"] is True
    assert told("task", "show", made["id"])["id"] == made["id"]
    with pytest.raises(Conflict, match="--yes"):
        run("task", "delete", made["id"])
    run("task", "delete", made["id"], "--yes")
    assert stored() == []


def test_nonsense_is_refused_with_a_sentence() -> None:
    someone()
    with pytest.raises(Invalid, match="can't be 61"):
        run("task", "add", "Luna", "--type", "generate_only", "--schedule", "61 * * * *")
    with pytest.raises(Invalid, match="key=value"):
        run("task", "add", "Luna", "--type", "generate_only", "--schedule", "6h", "--config", "prompt")
    with pytest.raises(NotFound):
        run("task", "show", "task_gone")
    with pytest.raises(Invalid, match="Name a task"):
        run("task", "run")
    assert not Task.objects.exists()


def test_a_preview_is_said_in_words_and_times() -> None:
    lines = run("task", "preview", "0 18 * * *", "--timezone", "Asia/Tokyo", "--count", "2").splitlines()
    assert lines[0] == "At 18:00 every day"
    assert [line.partition("T")[2] for line in lines[1:]] == ["09:00:00.000Z"] * 2


def test_a_run_by_hand_is_seen_through_to_instagrams_stand_in() -> None:
    luna = someone(width=128, height=128, steps=4)
    task = a_task(
        type="generate_and_post", config={"prompt": "by the sea", "caption": "Tide"}, character=luna
    )
    run("task", "run", task.pk)
    post = Post.objects.get()
    assert (post.platform, post.state, post.sandbox) == ("instagram", PostState.PUBLISHED, True)
    [line] = told("task", "history", task.pk)
    assert (line["result"], line["kind"]) == ("succeeded", "run_now")


def test_a_run_under_review_is_approved_at_the_terminal() -> None:
    luna = someone(width=128, height=128, steps=4)
    task = a_task(type="generate_and_post_to_twitter", approval="review", character=luna)
    run("task", "run", task.pk)
    [line] = told("task", "history", task.pk)
    assert line["result"] == "review" and not Post.objects.exists()
    run("task", "approve", line["jobId"], "--caption", "Seen and liked")
    assert Post.objects.get().caption == "Seen and liked"
    with pytest.raises(Conflict):
        run("task", "reject", line["jobId"])


def test_run_due_starts_what_is_due_and_sees_it_through() -> None:
    luna = someone(width=128, height=128, steps=4)
    task = a_task("* * * * *", config={"prompt": "by the sea"}, character=luna)
    Planner().tick(timezone.now())
    NextDue.objects.update(due=timezone.now().replace(second=0, microsecond=0))
    assert "succeeded" in run("run_due")
    [line] = told("task", "history", task.pk)
    assert line["result"] == "succeeded", line


def test_run_due_with_nothing_due_says_so() -> None:
    a_task("0 0 1 1 *")
    assert run("run_due") == "Nothing is due.\n"


def test_missed_runs_are_decided_about() -> None:
    task = a_task()
    for number in range(2):
        runs.record(task, NOON + timedelta(days=number), FiredState.MISSED)
    run("task", "skip-missed", task.pk, "2027-05-13T12:00:00.000Z")
    run("task", "run-missed", "--all", "--no-wait")
    assert [row.state for row in Fired.objects.order_by("due")] == ["skipped", "fired"]
    with pytest.raises(Invalid, match="no time"):
        run("task", "skip-missed", task.pk, "yesterday")


def test_a_backup_is_made_at_the_terminal(data_dir: Any) -> None:
    made = told("backup")
    assert made["media"] is False and made["bytes"] > 0
    assert str(data_dir / "backups") in run("backup", "--media")
