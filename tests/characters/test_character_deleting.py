"""Deleting characters, also in the middle of work; and the samples one begins with."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import orjson
import pytest

from characters import forms, panels, services
from characters.models import Character, Narrative
from influencer import jsondb
from influencer.errors import NotFound, Unavailable
from influencer.jobs import services as jobs
from influencer.jobs.models import Job, JobState
from tests.characters.factories import luna, rows
from tests.influencer.jobs import factories as work

pytestmark = pytest.mark.django_db


def test_deleting_tells_every_app_that_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels, "_delete_listeners", [])
    monkeypatch.setattr(panels, "import_string", lambda name: heard.append)
    heard: list[str] = []
    panels.register_delete_listener("told.twice")
    panels.register_delete_listener("told.twice")
    made = luna()
    services.delete(made.pk)
    assert heard == [made.pk]


def test_deleting_twice_says_that_there_is_nothing_left() -> None:
    made = luna()
    services.delete(made.pk)
    with pytest.raises(NotFound):
        services.delete(made.pk)


def test_deleting_cancels_what_waits_tells_what_runs_and_lets_a_publication_finish() -> None:
    made, other = luna(), luna(name="Kai")
    kind = work.a_kind(cancellable_until="generate")
    queued, running, late = (jobs.start(kind, character_id=made.pk) for _ in range(3))
    foreign = jobs.start(kind, character_id=other.pk)
    work.running(running, step="queue")
    work.running(late, step="generate")
    services.delete(made.pk)
    states = {job.pk: job.state for job in Job.objects.all()}
    assert states[queued.pk] == JobState.CANCELLED
    assert (states[running.pk], jobs.get(running.pk).cancel_requested_at is not None) == ("running", True)
    assert (states[late.pk], jobs.get(late.pk).cancel_requested_at) == ("running", None)
    assert states[foreign.pk] == JobState.QUEUED


def test_a_character_is_not_half_deleted_when_its_tasks_can_not_be_paused(data_dir: Path) -> None:
    made = luna()
    tasks = [{"id": "task_1", "characterId": made.pk, "type": "generate_only", "active": True}]
    jsondb.collection("scheduler.json").change(lambda rows: [rows.add(task) for task in tasks])
    (data_dir / "scheduler.json").write_text('[{"id": "task_1", ')
    with pytest.raises(Unavailable) as caught:
        services.delete(made.pk)
    assert caught.value.code == "store_damaged"
    assert [one["id"] for one in rows()] == [made.pk]


def test_the_tasks_of_a_deleted_character_are_paused_and_those_of_others_go_on(data_dir: Path) -> None:
    gone, stays = luna(), luna(name="Kai")
    tasks = [
        {"id": f"task_{made.name}", "characterId": made.pk, "type": "generate_only", "active": True}
        for made in (gone, stays)
    ]
    (data_dir / "scheduler.json").write_bytes(orjson.dumps(tasks))
    services.delete(gone.pk)
    stored = orjson.loads((data_dir / "scheduler.json").read_bytes())
    assert {task["id"]: task["active"] for task in stored} == {"task_Luna": False, "task_Kai": True}


# --- samples ---------------------------------------------------------------------------------


def test_the_samples_are_three_whole_characters_each_in_the_middle_of_a_story() -> None:
    made = services.add_samples()
    assert [one.name for one in made] == ["Luna the Mystic", "Nova Reyes", "Kai Mori"]
    for one in made:
        one.full_clean()
        assert one.current_narrative(one.today)
        form = forms.CharacterForm(
            {key: value for key, value in vars(one).items() if value is not None}, instance=one
        )
        assert form.is_valid(), form.errors
    assert Narrative.objects.filter(start_date__gt=date.max).count() == 0


def test_adding_the_samples_again_adds_only_what_is_missing() -> None:
    services.add_samples()
    services.delete(Character.objects.get(name="Nova Reyes").pk)
    assert [one.name for one in services.add_samples()] == ["Nova Reyes"]
    assert services.add_samples() == []


def test_the_samples_bring_prompts_and_tasks_that_wait_for_a_person(data_dir: Path) -> None:
    made = {one.pk for one in services.add_samples()}
    prompts, tasks = (
        orjson.loads((data_dir / name).read_bytes()) for name in ("prompts.json", "scheduler.json")
    )
    assert {prompt["characterId"] for prompt in prompts} == made
    assert {task["characterId"] for task in tasks} == made
    assert {(prompt["used"], task["active"]) for prompt in prompts for task in tasks} == {(False, False)}
