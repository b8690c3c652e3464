"""Prompts claimed by runs: each goes to one, and comes back from one that did not use it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from influencer.jobs import ending, services
from influencer.jobs.models import Job, JobState
from prompts import claiming
from prompts.models import Prompt
from tests.prompts.library import prompt, rows


def test_a_run_gets_the_oldest_free_prompt_and_it_is_marked() -> None:
    first = prompt("one", character_id="char_1")
    prompt("two", character_id="char_1")
    taken = claiming.claim("char_1", job_id="job_1")
    assert taken is not None and taken.pk == first.pk
    assert rows()[0]["usedBy"] == "job_1"
    assert rows()[0]["used"] is False


def test_used_claimed_and_other_characters_prompts_are_passed_over() -> None:
    prompt("used", character_id="char_1", used=True)
    prompt("claimed", character_id="char_1", used_by="job_9")
    prompt("foreign", character_id="char_2")
    assert claiming.claim("char_1", job_id="job_1") is None


def test_the_same_job_gets_its_prompt_again() -> None:
    for text in ("one", "two"):
        prompt(text, character_id="char_1")
    first = claiming.claim("char_1", job_id="job_1")
    assert claiming.claim("char_1", job_id="job_1") == first


def test_many_runs_at_once_never_take_the_same() -> None:
    for number in range(12):
        prompt(f"number {number}", character_id="char_1")
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda n: claiming.claim("char_1", job_id=f"job_{n}"), range(16)))
    got = [one.pk for one in taken if one is not None]
    assert len(got) == len(set(got)) == 12


def test_a_released_prompt_is_free_again_and_a_used_one_is_not() -> None:
    prompt("one", character_id="char_1")
    taken = claiming.claim("char_1", job_id="job_1")
    assert taken is not None
    claiming.release("job_1")
    assert Prompt.objects.get(pk=taken.pk).is_free
    claiming.claim("char_1", job_id="job_2")
    claiming.mark_used(taken.pk, image_ids=["img_1"])
    claiming.release("job_2")
    kept = Prompt.objects.get(pk=taken.pk)
    assert kept.used and kept.used_by == "job_2" and kept.used_at and kept.image_ids == ["img_1"]


def image_job(pk: str, state: JobState, character: str = "char_1") -> Job:
    """One that was to make an image from a prompt, as it ended."""
    with services.working_here():
        job = services.start("generate_image", character_id=character, request={"from_prompt": pk})
    result = {"imageIds": ["img_1"]} if state == JobState.SUCCEEDED else None
    ended = ending.end(Job.objects.filter(pk=job.pk), state, result=result)
    assert ended is not None
    return ended


@pytest.mark.django_db(transaction=True)
def test_a_prompt_an_image_was_made_from_by_hand_is_used_and_names_the_image() -> None:
    one = prompt("one", character_id="char_1")
    image_job(one.pk, JobState.SUCCEEDED)
    kept = Prompt.objects.get(pk=one.pk)
    assert kept.used and kept.used_at and kept.image_ids == ["img_1"]
    assert claiming.claim("char_1", job_id="job_1") is None


@pytest.mark.django_db(transaction=True)
def test_a_prompt_stays_free_when_no_image_came_of_it_or_one_of_somebody_else() -> None:
    one = prompt("one", character_id="char_1")
    image_job(one.pk, JobState.FAILED)
    image_job(one.pk, JobState.SUCCEEDED, character="char_2")
    image_job("prompt_deleted", JobState.SUCCEEDED)
    assert Prompt.objects.get(pk=one.pk).is_free
    assert [row["id"] for row in rows()] == [one.pk]
