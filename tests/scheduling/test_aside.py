"""Beside the list: review, missed runs, the runs that come next; and the number beside the tab."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from characters.images import services as images
from characters.models import Character
from influencer.jobs import services as jobs
from influencer.jobs.models import Job, JobState
from scheduling import aside, review, standstill
from scheduling.models import Fired, NextDue, Task
from tests.characters.people import someone
from tests.characters.stage import drawn
from tests.scheduling.plans import HOUR, MINUTE, NOON, SECOND, a_task, at, looked

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
ASKED = {**HTMX, "HX-Target": "review"}


@pytest.fixture(autouse=True)
def workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "require_worker", lambda cluster: None)


@pytest.fixture
def luna() -> Character:
    return someone()


def waits(luna: Character, caption: str = "Last train.", *, minutes: int = 0, **captions: str) -> Job:
    """A run that waits for review, since so many minutes."""
    job = jobs.start(
        "run_task", character_id=luna.pk, request={"type": "generate_and_post", "due": "2027-05-13T11:00:00Z"}
    )
    image = images.add(luna.pk, drawn()).pk
    memo = {"captions": captions or {"instagram": caption}, "alt_text": "Luna", "image_ids": [image]}
    since = timezone.now() - timedelta(minutes=minutes)
    Job.objects.filter(pk=job.pk).update(state="waiting", reason="review", memo=memo, created_at=since)
    return jobs.get(job.pk)


def missed(task: Task, due: Any = NOON) -> Fired:
    return Fired.objects.create(task_id=task.pk, character_id=task.character_id, due=due, state="missed")


# --- review -----------------------------------------------------------------------------------


def test_the_oldest_waits_with_image_words_and_account(admin_client: Client, luna: Character) -> None:
    waits(luna, "The second")
    first = waits(luna, "The first", minutes=5)
    page = admin_client.get("/scheduling/").content.decode()
    assert f'id="card-{first.pk}"' in page
    assert "The first" in page and "“The second”" in page
    assert "Instagram (sandbox)" in page
    assert f"/images/{first.memo['image_ids'][0]}/file" in page
    assert 'id="waiting-scheduling">2<span class="visually-hidden"> wait for you</span></span>' in page


def test_nothing_is_shown_when_nothing_waits(admin_client: Client) -> None:
    page = admin_client.get("/scheduling/").content.decode()
    assert "Review" not in page and 'id="waiting-scheduling" hidden>0<' in page


def test_approve_lets_it_go_and_the_next_one_comes(admin_client: Client, luna: Character) -> None:
    first, second = waits(luna, minutes=5), waits(luna)
    answer = admin_client.post(f"/scheduling/review/{first.pk}/approve/", headers=ASKED)
    page = answer.content.decode()
    assert f'id="card-{second.pk}"' in page and "autofocus" in page
    assert "Approved" in answer["HX-Trigger"] and "tasks-changed" in answer["HX-Trigger-After-Settle"]
    first.refresh_from_db()
    assert (first.state, first.memo["approved"]) == (JobState.QUEUED, True)
    assert first.memo["captions"] == {"instagram": "Last train."}


def test_edited_words_go_out(admin_client: Client, luna: Character) -> None:
    job = waits(luna)
    page = admin_client.get(f"/scheduling/review/?edit={job.pk}", headers=ASKED).content.decode()
    assert 'name="caption"' in page and "hx-trigger" not in page
    words = {"caption": "Another train.", "alt_text": "Luna on a train"}
    admin_client.post(f"/scheduling/review/{job.pk}/approve/", words, headers=ASKED)
    job.refresh_from_db()
    assert (job.memo["captions"], job.memo["alt_text"]) == (
        {"instagram": "Another train."},
        "Luna on a train",
    )


def test_captions_that_differ_are_edited_apart(admin_client: Client, luna: Character) -> None:
    job = waits(luna, instagram="Long", x="Short")
    page = admin_client.get(f"/scheduling/?edit={job.pk}").content.decode()
    assert "Caption on Instagram" in page and "Caption on X" in page
    words = {"caption_instagram": "Longer", "caption_x": "Short", "alt_text": ""}
    admin_client.post(f"/scheduling/review/{job.pk}/approve/", words)
    job.refresh_from_db()
    assert job.memo["captions"] == {"instagram": "Longer", "x": "Short"}


def test_words_the_platform_would_refuse_come_back_as_they_were_typed(
    admin_client: Client, luna: Character
) -> None:
    job = waits(luna, x="Short")
    words = {"caption": "word " * 100, "alt_text": "A & B"}
    answer = admin_client.post(f"/scheduling/review/{job.pk}/approve/", words, headers=ASKED)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'role="alert"' in page and "word word" in page and "A &amp; B" in page
    job.refresh_from_db()
    assert job.state == JobState.WAITING


def test_reject_ends_the_run(admin_client: Client, luna: Character) -> None:
    job = waits(luna)
    answer = admin_client.post(f"/scheduling/review/{job.pk}/reject/", headers=ASKED)
    assert "Rejected" in answer["HX-Trigger"]
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    assert images.get(job.memo["image_ids"][0])


def test_a_rejected_run_can_be_taken_back(admin_client: Client, luna: Character) -> None:
    job = waits(luna)
    task = a_task(character=luna)
    fired = Fired.objects.create(task_id=task.pk, due=NOON, state="fired", job_id=job.pk)
    answer = admin_client.post(f"/scheduling/review/{job.pk}/reject/", headers=ASKED)
    assert f"/scheduling/runs/{fired.pk}/" in answer["HX-Trigger"]
    page = admin_client.get(f"/scheduling/runs/{fired.pk}/").content.decode()
    assert "Retry puts it back under Review" in page and f'action="/jobs/{job.pk}/retry"' in page


def test_it_works_without_javascript(admin_client: Client, luna: Character) -> None:
    job = waits(luna)
    answer = admin_client.post(f"/scheduling/review/{job.pk}/approve/", follow=True)
    assert answer.redirect_chain == [("/scheduling/", 303)]
    assert "Approved: it goes out now." in answer.content.decode()


def test_words_refused_without_javascript_lead_back_to_the_form(
    admin_client: Client, luna: Character
) -> None:
    job = waits(luna, x="Short")
    answer = admin_client.post(f"/scheduling/review/{job.pk}/approve/", {"caption": "word " * 100})
    assert answer["Location"] == f"/scheduling/?edit={job.pk}#review"


def test_one_that_was_decided_elsewhere_says_so(admin_client: Client, luna: Character) -> None:
    job = waits(luna)
    review.reject(job.pk)
    answer = admin_client.post(f"/scheduling/review/{job.pk}/approve/", headers=ASKED)
    assert answer.status_code == 409


def test_a_card_without_its_image_or_its_character_is_still_decided(
    admin_client: Client, luna: Character
) -> None:
    job = waits(luna)
    images.get(job.memo["image_ids"][0]).delete()
    Character.objects.all().delete()
    page = admin_client.get("/scheduling/").content.decode()
    assert "Its image is gone." in page and "A character that is gone" in page


# --- missed -----------------------------------------------------------------------------------


def test_missed_runs_are_shown_with_what_can_be_done(admin_client: Client) -> None:
    row = missed(a_task())
    page = admin_client.get("/scheduling/").content.decode()
    assert "Run all, spread out" in page
    assert f"/scheduling/missed/{row.pk}/run/" in page and f"/scheduling/missed/{row.pk}/skip/" in page


def test_a_missed_run_is_started_late(admin_client: Client) -> None:
    row = missed(a_task())
    answer = admin_client.post(f"/scheduling/missed/{row.pk}/run/", headers=HTMX)
    assert "Started 1 run." in answer["HX-Trigger"] and "tasks-changed" in answer["HX-Trigger"]
    row.refresh_from_db()
    assert row.state == "fired" and Job.objects.get().pk == row.job_id


def test_a_missed_run_is_skipped(admin_client: Client) -> None:
    row = missed(a_task())
    admin_client.post(f"/scheduling/missed/{row.pk}/skip/", headers=HTMX)
    row.refresh_from_db()
    assert row.state == "skipped" and not Job.objects.exists()
    assert admin_client.post("/scheduling/missed/4711/skip/").status_code == 404


def test_all_are_run_spread_out_after_a_question(admin_client: Client, luna: Character) -> None:
    for number in range(3):
        missed(a_task(type="generate_and_post", character=luna), NOON + number * MINUTE)
    page = admin_client.get("/scheduling/missed/run/").content.decode()
    assert "Run 3 missed runs now?" in page
    answer = admin_client.post("/scheduling/missed/run/", headers=HTMX)
    assert "Started 3 runs." in answer["HX-Trigger"]
    starts = sorted(job.not_before or timezone.now() for job in Job.objects.all())
    assert all(later - sooner >= 59 * SECOND for sooner, later in zip(starts, starts[1:], strict=False))


def test_many_missed_runs_are_counted(admin_client: Client) -> None:
    task = a_task()
    for number in range(12):
        missed(task, NOON + number * HOUR)
    found = aside.missed()
    assert (len(found["missed"]), found["missed_count"]) == (8, 12)
    assert "The latest 8 of 12." in admin_client.get("/scheduling/missed/").content.decode()


# --- when nothing ran --------------------------------------------------------------------------


def test_it_is_known_when_nothing_ran(admin_client: Client) -> None:
    missed(a_task(), at("06:30"))
    for moment in ("02:10", "07:40"):
        standstill.note(at(moment))
    found = aside.missed()["stood"]
    assert (found.since, found.until) == (at("02:10"), at("07:40"))
    page = admin_client.get("/scheduling/missed/").content.decode()
    assert "Nothing ran from 13 May" in page and "this computer was off or asleep" in page


def test_a_pause_too_short_to_miss_anything_is_none() -> None:
    missed(a_task(), at("06:30"))
    for second in range(0, 300, 100):
        standstill.note(at("06:29:00") + second * SECOND)
    assert aside.missed()["stood"] is None


def test_what_was_missed_at_another_time_has_another_reason() -> None:
    missed(a_task(), at("01:30"))
    for moment in ("02:10", "07:40"):
        standstill.note(at(moment))
    assert aside.missed()["stood"] is None


# --- next ---------------------------------------------------------------------------------------


def test_the_next_runs_over_all_tasks(luna: Character) -> None:
    often, daily = a_task("*/5 * * * *"), a_task("30 12 * * *", character=luna)
    looked()
    found = aside.next_runs(now=NOON)
    assert [(one.due, one.task.pk) for one in found] == [
        (at("12:05"), often.pk),
        (at("12:10"), often.pk),
        (at("12:30"), daily.pk),
        (at("14 12:30"), daily.pk),
    ]
    assert [one.is_today for one in found] == [True, True, True, False]


def test_what_is_paused_or_deleted_since_is_left_out() -> None:
    paused, gone = a_task(), a_task()
    looked()
    Task.objects.change(paused.pk, lambda task: setattr(task, "active", False))
    gone.delete()
    assert NextDue.objects.count() == 2
    assert aside.next_runs(now=NOON) == []


def test_each_part_loads_itself_anew(admin_client: Client) -> None:
    a_task()
    looked(timezone.now())
    assert "Next runs" in admin_client.get("/scheduling/next/").content.decode()
    for part in ("review", "missed", "next"):
        assert f'id="{part}"' in admin_client.get(f"/scheduling/{part}/").content.decode()
