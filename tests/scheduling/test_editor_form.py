"""The form of Add Task and Edit: a rhythm becomes a schedule, fields become a config, nothing is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from characters.images.models import Image
from scheduling import options, services, when_form
from scheduling.editor import EditorForm
from scheduling.models import Task
from tests.characters.people import someone
from tests.scheduling.asking import sent
from tests.scheduling.plans import a_task, edit, stored

pytestmark = pytest.mark.django_db


def added(**said: Any) -> Task:
    form = EditorForm(sent(EditorForm(), **said))
    assert form.is_valid(), form.errors
    return services.add_task(form, config=form.config)


def changed(task: Task, **said: Any) -> Task:
    form = EditorForm(
        sent(EditorForm(instance=services.get(task.pk)), **said), instance=services.get(task.pk)
    )
    assert form.is_valid(), form.errors
    return services.update_task(task.pk, form, still=form.is_current, config=form.config)


def faults(task: Task | None = None, **said: Any) -> dict[str, list[str]]:
    form = EditorForm(sent(EditorForm(instance=task), **said), instance=task)
    form.is_valid()
    return {name: [str(one) for one in found] for name, found in form.errors.items()}


def test_a_task_is_added_as_it_is_picked() -> None:
    luna = someone()
    task = added(character_id=luna.pk, prompt="by the sea", rhythm="workdays", at="20:15")
    assert (task.type, task.schedule, task.config) == (
        "generate_and_post",
        "15 20 * * 1-5",
        {"prompt": "by the sea"},
    )
    assert task.active and task.character_name == "Luna" and task.run_at is None


def test_posting_the_same_again_is_said_by_a_box_and_taken_back_by_it() -> None:
    task = added(character_id=someone().pk, prompt="x", force="on")
    assert task.config == {"prompt": "x", "force": True}
    assert changed(task, force=None).config == {"prompt": "x"}


def test_one_moment_is_meant_by_the_clock_of_the_task() -> None:
    task = added(
        character_id=someone().pk, rhythm="once", run_at="2031-05-16T15:00", timezone="Asia/Tokyo", prompt="x"
    )
    assert task.run_at == datetime(2031, 5, 16, 6, 0, tzinfo=UTC) and task.schedule == ""


@pytest.mark.parametrize(
    ("platforms", "kind", "config"),
    [
        ({"post_to_instagram": "on"}, "generate_and_post", {}),
        ({"post_to_twitter": "on", "post_to_instagram": None}, "generate_and_post_to_twitter", {}),
        (
            {"post_to_instagram": "on", "post_to_twitter": "on"},
            "generate_and_post",
            {"postToTwitter": True},
        ),
    ],
)
def test_the_platforms_make_the_type(platforms: dict[str, Any], kind: str, config: dict[str, Any]) -> None:
    task = added(character_id=someone().pk, **platforms)
    assert (task.type, task.config) == (kind, config)


def test_the_documented_task_is_shown_and_saved_as_it_is() -> None:
    config = {"prompt": "luna_character", "postToInstagram": True, "mine": 1}
    task = a_task(type="generate_and_post", character=someone(), config=config)
    assert changed(task).config == config
    before = stored()[0]
    assert {**before, "updatedAt": ""} == {**stored()[0], "updatedAt": ""}


def test_only_what_was_changed_is_written_and_other_keys_stay() -> None:
    config = {"customPrompt": "old words", "count": 3, "caption": "kept", "mine": {"a": 1}}
    task = a_task(type="generate_only", character=someone(), config=config)
    form = EditorForm(instance=task)
    assert form["prompt"].value() == "old words"
    after = changed(task, prompt="new words", count="2")
    assert after.config == {"prompt": "new words", "count": 2, "caption": "kept", "mine": {"a": 1}}


def test_fields_of_another_type_are_neither_checked_nor_written() -> None:
    task = added(type="backup", prompt="never seen", count="999", late_hours="1", character_id="")
    assert (task.type, task.config, task.character_id) == ("backup", {}, "")
    assert added(type="backup", media="on").config == {"media": True}


def test_prompts_are_written_with_a_count_of_their_own() -> None:
    luna = someone()
    task = added(type="write_prompts", character_id=luna.pk, prompt_count="7", wish="snow", prompt="not this")
    assert task.config == {"count": 7, "prompt": "snow"}


def test_approved_images_are_chosen_from_the_gallery() -> None:
    luna = someone()
    Image.objects.create(id="img_1", character_id=luna.pk, width=4, height=5, pixel_hash="x", file="a.png")
    task = added(type="post_approved", character_id=luna.pk, image_ids=["img_1"], post_to_twitter="on")
    assert task.config == {"imageIds": ["img_1"], "postToTwitter": True}
    [(image, chosen)] = EditorForm(instance=task).gallery
    assert image.pk == "img_1" and chosen


def test_a_training_says_what_it_learns_from() -> None:
    luna = someone()
    task = added(
        type="train_lora",
        character_id=luna.pk,
        pictures="newest",
        picture_count="12",
        train_steps="400",
        rights_confirmed="on",
        attach=None,
        steps="7",
    )
    assert task.config == {
        "pictures": "newest",
        "count": 12,
        "steps": 400,
        "rightsConfirmed": True,
        "attach": False,
    }
    form = EditorForm(instance=task)
    assert (form["train_steps"].value(), form["attach"].value()) == (400, False)
    assert changed(task, attach="on").config.get("attach") is None
    assert added(type="train_lora", character_id=luna.pk).config == {}
    found = faults(type="train_lora", character_id=luna.pk, pictures="chosen")
    assert list(found) == ["image_ids"] and found["image_ids"][0].startswith("Can't be used. ")


def test_settings_of_the_image_are_kept_as_the_api_names_them() -> None:
    task = added(
        type="generate_only", character_id=someone().pk, shape="1:1", lora_strength="0.7", cfg="6", seed="5"
    )
    assert task.config == {"shape": "1:1", "loraStrength": 0.7, "cfg": 6.0, "seed": 5}


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("61 * * * *", "The minute can't be 61"),
        ("0 0 30 2 *", "30"),
        ("0 0 1 1 * *", "has 6 fields"),
        ("@reboot", "is no schedule"),
        ("", "Give a schedule"),
    ],
)
def test_a_schedule_that_cant_be_is_told_at_its_field(schedule: str, words: str) -> None:
    found = faults(character_id=someone().pk, rhythm="own", schedule=schedule)
    assert list(found) == ["schedule"] and words in found["schedule"][0]


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"rhythm": "day", "at": ""}, "at"),
        ({"rhythm": "day", "at": "25:00"}, "at"),
        ({"rhythm": "once", "run_at": ""}, "run_at"),
        ({"rhythm": "once", "run_at": "2020-01-01T10:00"}, "run_at"),
        ({"rhythm": "once", "run_at": "Friday"}, "run_at"),
        ({"rhythm": "once", "run_at": "9999-12-31T23:59", "timezone": "America/Lima"}, "run_at"),
        ({"rhythm": "once", "run_at": "0001-01-01T00:00", "timezone": "Asia/Tokyo"}, "run_at"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"character_id": ""}, "character_id"),
        ({"character_id": "char_gone"}, "character_id"),
        ({"type": "dance"}, "type"),
        ({"post_to_instagram": None}, "post_to_instagram"),
        ({"caption": "x" * 2300}, "caption"),
        ({"missed_policy": "late", "late_hours": "0"}, "late_hours"),
        ({"steps": "9000"}, "steps"),
        ({"prompt": "x" * 100_000}, "prompt"),
    ],
)
def test_whatever_is_wrong_is_told_where_it_was_said(said: dict[str, Any], place: str) -> None:
    luna = someone()
    assert list(faults(**{"character_id": luna.pk, **said})) == [place]


def test_a_form_that_was_refused_still_shows_what_was_typed() -> None:
    form = EditorForm(sent(EditorForm(), rhythm="own", schedule="61 * * * *", prompt="by the sea"))
    assert not form.is_valid()
    assert form["schedule"].value() == "61 * * * *" and form["prompt"].value() == "by the sea"
    assert form["rhythm"].value() == "own" and form["type"].value() == "generate_and_post"


def test_a_moment_that_has_passed_may_stay_while_other_things_change() -> None:
    past = timezone.now() - timedelta(days=2, seconds=7)
    task = a_task("", run_at=past, character=someone(), timezone="Asia/Tokyo")
    after = changed(task, prompt="new words")
    assert after.run_at == services.get(task.pk).run_at and abs(after.run_at - past) < timedelta(seconds=1)


def test_another_zone_moves_the_moment_to_the_same_time_on_its_wall() -> None:
    task = added(
        character_id=someone().pk, rhythm="once", run_at="2031-05-16T15:00", timezone="Asia/Tokyo", prompt="x"
    )
    after = changed(task, timezone="Europe/Madrid")
    assert after.run_at == datetime(2031, 5, 16, 13, 0, tzinfo=UTC)


def test_a_form_says_whether_the_record_still_is_what_it_showed() -> None:
    task = a_task(character=someone(), config={"prompt": "mine"})
    form = EditorForm(sent(EditorForm(instance=task)), instance=task)
    assert form.is_current(services.get(task.pk))
    edit(task.pk, config={"prompt": "theirs"})
    assert not form.is_current(services.get(task.pk))


def test_settings_written_by_hand_that_make_no_sense_are_shown_and_told() -> None:
    task = a_task(type="generate_only", character=someone(), config={"steps": "many", "promptSource": 7})
    assert EditorForm(instance=task)["steps"].value() == "many"
    assert {"steps", "prompt_source"} <= set(faults(task))
    assert options.of(Task(config="nonsense"))["prompt"] in ("", None)


def test_the_preview_shows_the_next_ten_runs_in_the_zone_of_the_task() -> None:
    luna = someone(timezone="Asia/Tokyo")
    found = when_form.preview({"rhythm": "day", "at": "09:30", "character_id": luna.pk})
    assert found.words.startswith("At 09:30 every day") and found.zone == "Asia/Tokyo"
    assert len(found.runs) == 10 and {run.strftime("%H:%M") for run in found.runs} == {"00:30"}


def test_the_preview_says_what_is_wrong_in_the_same_words() -> None:
    assert "61" in when_form.preview({"rhythm": "own", "schedule": "61 * * * *"}).problem
    assert "no time zone" in when_form.preview({"rhythm": "day", "at": "9:00", "timezone": "Moon"}).problem
    assert "passed" in when_form.preview({"rhythm": "once", "run_at": "2020-01-01T10:00"}).problem


def test_the_preview_of_an_interval_counts_from_when_the_task_was_made() -> None:
    task = a_task("6h", character=someone())
    found = when_form.preview({"rhythm": "hours", "every": "6h"}, task)
    assert {run.hour % 6 for run in found.runs} == {task.created_at.hour % 6}
