"""What a task does, and what became of a run, in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from influencer.jobs.models import Job
from scheduling import deeds, outcomes
from scheduling.models import Fired, Task
from scheduling.runs import Run


@pytest.mark.parametrize(
    ("kind", "config", "words"),
    [
        ("generate_and_post", {}, "generate and post to Instagram"),
        ("generate_and_post", {"postToTwitter": True}, "generate and post to Instagram and X"),
        ("generate_and_post_to_twitter", {}, "generate and post to X"),
        ("generate_only", {}, "generate an image"),
        ("generate_only", {"count": 4}, "generate 4 images"),
        ("post_approved", {}, "post an approved image to Instagram"),
        ("write_prompts", {}, "write 5 prompts"),
        ("write_prompts", {"count": 1}, "write a prompt"),
        ("train_lora", {}, "train a LoRA"),
        ("backup", {}, "back up"),
        ("backup", {"media": True}, "back up with all images"),
        ("generate_only", {"count": "many"}, "generate"),
        ("dance", {}, "dance"),
        ("", None, "nothing"),
    ],
)
def test_each_type_is_said_with_what_its_settings_change(kind: str, config: Any, words: str) -> None:
    assert deeds.said(kind, config) == words


def test_a_review_in_between_is_said() -> None:
    task = Task(type="generate_and_post", approval="review")
    assert deeds.of(task) == "generate, wait for review, post to Instagram"
    assert deeds.icon(task) == "eye"


def test_a_run_is_named_by_what_it_was_asked_then() -> None:
    asked = {"type": "generate_only", "config": {"count": 2}}
    assert deeds.of_job(Job(kind="run_task", request=asked)) == "generate 2 images"
    assert deeds.of_job(Job(kind="write_prompts", request={"count": 7})) == "write 7 prompts"
    assert deeds.of_job(Job(kind="somehow", request={})) == "somehow"


def outcome(fired_state: str = "fired", **job: Any) -> tuple[str, str]:
    fired = Fired(task_id="task_1", due=datetime(2027, 5, 13, tzinfo=UTC), state=fired_state)
    found = outcomes.of(Run(fired, Job(**{"kind": "run_task", **job}) if job else None))
    return found.text, found.tone


@pytest.mark.parametrize(
    ("job", "words"),
    [
        ({"state": "queued"}, ("queued", "live")),
        ({"state": "running", "step": "caption"}, ("at work: caption", "live")),
        ({"state": "waiting", "reason": "following", "step": "image"}, ("at work: image", "live")),
        ({"state": "waiting", "reason": "review"}, ("waits for review", "warn")),
        ({"state": "waiting", "reason": "quota"}, ("waits", "warn")),
        ({"state": "failed", "error": {"step": "publish"}}, ("failed at publish", "bad")),
        ({"state": "failed", "error": {"code": "outcome_unknown"}}, ("outcome not known", "warn")),
        ({"state": "cancelled"}, ("cancelled", "")),
        ({"state": "cancelled", "memo": {"rejected": True}}, ("rejected", "")),
        ({"state": "succeeded", "result": {"postIds": ["p"]}}, ("posted", "ok")),
        ({"state": "succeeded", "result": {"postIds": ["p"], "sandbox": True}}, ("sandbox post", "ok")),
        ({"state": "succeeded", "result": {"imageIds": ["a"]}}, ("image made", "ok")),
        ({"state": "succeeded", "result": {"imageIds": ["a", "b"]}}, ("2 images made", "ok")),
        ({"state": "succeeded", "result": {"promptIds": ["a"] * 5}}, ("5 written", "ok")),
        ({"state": "succeeded", "kind": "train_task", "result": {"lora": "x"}}, ("trained", "ok")),
        ({"state": "succeeded", "result": {"file": "backup.zip"}}, ("done", "ok")),
    ],
)
def test_a_run_says_in_two_words_what_became_of_it(job: dict[str, Any], words: tuple[str, str]) -> None:
    assert outcome(**job) == words


def test_what_never_became_a_job_is_said_too() -> None:
    assert outcome("skipped")[0] == "left out"
    assert outcome("missed") == ("missed", "warn")
    assert outcome("fired")[0] == "not known any more"


def test_a_run_that_waits_its_turn_says_when_it_starts() -> None:
    until = datetime(2027, 5, 13, 12, 34, tzinfo=UTC)
    with timezone.override("Europe/Madrid"):
        said = outcome(state="waiting", reason="scheduled", until=until)
        waits = outcome(state="waiting", reason="quota", until=until)
    assert said == ("starts at 14:34", "live") and waits == ("waits until 14:34", "warn")
