"""Captions and prompts by Gemini's stand-in and by templates: kept, marked, and failing in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from characters.images import storage
from characters.images.storage import Making
from characters.models import Character, Narrative
from influencer.clients.writers.errors import WriterError
from influencer.clients.writers.templates import TemplateWriter
from influencer.errors import NotFound
from influencer.jobs import services as jobs
from influencer.jobs.models import Job, JobState
from prompts import asking, captions, closeness, pen, writing
from prompts.captions import Wish
from prompts.models import Prompt
from tests.characters.factories import luna
from tests.characters.stage import Died, Stage, attempt, doom, drawn, sandbox_at, take_over
from tests.prompts.library import prompt, rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage(data_dir: Path) -> Iterator[Stage]:
    with sandbox_at(data_dir) as stage:
        yield stage


@pytest.fixture
def gemini(stage: Stage, settings: Any) -> Stage:
    """A key is set, and the stand-in answers at its address."""
    given = {"gemini_api_key": "AIza-key-of-the-tests-0123456789", "gemini_api_url": f"{stage.url}/gemini"}
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, sandbox="auto", **given)
    return stage


def owner(**fields: Any) -> Character:
    return luna(trigger_word="luna_character", **fields)


def asked(stage: Stage) -> int:
    return stage.log("gemini", "POST", ":generateContent")


def test_without_a_key_templates_write_and_say_so(settings: Any) -> None:
    one = prompt("by the sea at dusk", character_id=owner().pk)
    kept, written = captions.write_for(one.pk)
    assert kept.caption == written.caption and kept.alt_text
    assert kept.caption_source == "templates" and "without AI" in written.note


def test_gemini_writes_caption_and_alt_text_and_they_are_marked(gemini: Stage) -> None:
    one = prompt("by the sea at dusk", character_id=owner().pk)
    kept, written = captions.write_for(one.pk)
    assert kept.caption and kept.alt_text and kept.caption_source == "ai"
    assert written.tokens and written.model


def test_with_all_stand_ins_on_the_stand_in_writes_also_without_a_key(stage: Stage, settings: Any) -> None:
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, sandbox="on")
    written = captions.write(owner(), "by the sea")
    assert written.writer != TemplateWriter.writer and asked(stage) == 1


def test_the_image_made_from_the_prompt_goes_along(gemini: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    character = owner()
    making = Making(recipe={})
    storage.store("img_1", character_id=character.pk, content=drawn(), making=making)
    one = prompt("by the sea at dusk", character_id=character.pk, image_ids=["img_1"])
    seen: list[Any] = []
    write = pen.writer

    def spied() -> Any:
        writer = write()
        real = writer.write_caption
        writer.write_caption = lambda ask: seen.append(ask) or real(ask)  # type: ignore[method-assign]
        return writer

    monkeypatch.setattr(pen, "writer", spied)
    assert captions.write_for(one.pk)[0].caption
    assert seen[0].image and seen[0].scene == "by the sea at dusk"


@pytest.mark.parametrize(
    "fault", ["key_invalid", "day", "minute", "overloaded", "safety", "recitation", "broken", "page", "list"]
)
def test_trouble_is_a_sentence_and_changes_nothing(gemini: Stage, fault: str) -> None:
    one = prompt("by the sea at dusk", character_id=owner().pk, caption="kept")
    gemini.order("gemini", fault)
    with pytest.raises(WriterError) as caught:
        captions.write_for(one.pk)
    assert caught.value.message.endswith(".") and caught.value.fix
    assert Prompt.objects.get(pk=one.pk).caption == "kept"


def test_the_story_by_date_and_what_was_said_lately_go_along() -> None:
    character = owner()
    today = character.today
    Narrative.objects.create(
        character=character, title="Over", end_date=today - timedelta(days=2), start_date=date(2020, 1, 1)
    )
    Narrative.objects.create(character=character, title="Now", start_date=today)
    prompt("a", character_id=character.pk, caption="Said before.")
    own = prompt("b", character_id=character.pk, caption="My own.")
    assert [chapter.title for chapter in asking.chapters(character)] == ["Over", "Now"]
    assert asking.recent_captions(character.pk, but=own.pk) == ("Said before.",)


def test_a_caption_for_x_leaves_the_common_one_alone() -> None:
    one = prompt("by the sea at dusk", character_id=owner().pk, caption="Common.")
    kept, written = captions.write_for(one.pk, Wish(platform=captions.Platform.X))
    assert kept.caption == "Common." and kept.x_caption == written.caption
    assert kept.caption_for("x") == written.caption and kept.caption_for("instagram") == "Common."


def test_a_prompt_that_goes_meanwhile_is_not_brought_back() -> None:
    one = prompt("by the sea at dusk", character_id=owner().pk)
    written = captions.write(Character.objects.get(pk=one.character_id), one.prompt)
    one.delete()
    with pytest.raises(NotFound):
        captions.keep(one.pk, written, captions.Platform.INSTAGRAM)
    assert rows() == []


def test_written_prompts_are_spread_over_the_story_and_not_alike() -> None:
    character = owner()
    for title in ("The Crystal Quest", "The River Fair"):
        Narrative.objects.create(character=character, title=title, description=f"{title} goes on.")
    job = attempt(writing.start(character, count=20).pk)
    assert job.state == JobState.SUCCEEDED, job.error
    assert job.message == "Wrote 20 prompts" and len(job.result["promptIds"]) == 20  # type: ignore[index]
    written = list(Prompt.objects.all())
    assert len({one.narrative_id for one in written}) == 2
    assert {one.source for one in written} == {"templates"}
    assert all(one.prompt.count("luna_character") == 1 for one in written)
    assert closeness.find(written) == {}


def test_each_answer_is_kept_as_it_arrives_and_trouble_only_waits(gemini: Stage) -> None:
    job_id = writing.start(owner(), count=25).pk
    real, answers = writing._keep, []

    def keep(*args: Any, **more: Any) -> None:
        real(*args, **more)
        answers.append(Prompt.objects.count())
        if len(answers) == 1:
            gemini.order("gemini", "overloaded")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "_keep", keep)
        job = attempt(job_id)
        assert job.state == JobState.WAITING and Prompt.objects.count() == answers[0] > 0
        assert "again at" in job.message
        for _ in range(5):
            job = attempt(job_id) if not job.is_final else job
    assert job.state == JobState.SUCCEEDED
    assert answers == sorted(set(answers)) and answers[-1] == Prompt.objects.count() > 10
    assert len({one.prompt for one in Prompt.objects.all()}) == Prompt.objects.count()


def test_a_wrong_key_fails_the_job_in_words(gemini: Stage) -> None:
    gemini.order("gemini", "key_invalid", times=9)
    job = attempt(writing.start(owner(), count=3).pk)
    assert job.state == JobState.FAILED and job.error and job.error["service"] == "Gemini"
    assert job.error["fix"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_while_keeping_leaves_no_double(when: str) -> None:
    job_id = writing.start(owner(), count=8).pk
    with doom(writing, "_keep", when), pytest.raises(Died):
        attempt(job_id)
    job = take_over(job_id)
    assert job.state == JobState.SUCCEEDED
    assert Prompt.objects.count() == 8 == len({one.prompt for one in Prompt.objects.all()})


def test_cancelled_in_between_what_is_written_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TemplateWriter, "at_once", 5)
    job_id = writing.start(owner(), count=20).pk
    real = writing._keep

    def keep(*args: Any, **more: Any) -> None:
        real(*args, **more)
        jobs.cancel(job_id)
        args[0]._look.next_at = 0

    monkeypatch.setattr(writing, "_keep", keep)
    job = attempt(job_id)
    assert job.state == JobState.CANCELLED and Prompt.objects.count() == 5


def test_a_character_deleted_meanwhile_ends_the_job_in_words() -> None:
    character = owner()
    job_id = writing.start(character, count=3).pk
    Character.objects.get(pk=character.pk).delete()
    job = attempt(job_id)
    assert job.state == JobState.FAILED and job.error and job.error["code"] == "not_found"
    assert Job.objects.count() == 1 and Prompt.objects.count() == 0
