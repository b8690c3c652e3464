"""The calendar: what ran, what will run, many runs as one, in a bounded number of questions."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from characters.images import services as images
from characters.models import Character
from influencer.jobs.models import Job
from influencer.web import zone
from scheduling import calendar, past
from scheduling.calendar import Day, View
from scheduling.models import Fired, Task
from scheduling.timetable import Clocks
from tests.characters.people import someone
from tests.characters.stage import drawn
from tests.scheduling.plans import DAY, HOUR, MINUTE, NOON, a_task, at

pytestmark = pytest.mark.django_db
TODAY = NOON.date()


def sheet(view: View | None = None, *, home: str = "UTC", now: datetime = NOON) -> dict[date, Day]:
    shown = view or View(date(2027, 5, 1))
    found = calendar.weeks(shown, Clocks(ZoneInfo(home), {}), now)
    return {day.date: day for week in found for day in week}


def told(day: Day) -> list[str]:
    return [f"{entry.label}: {entry.state}" for entry in day.entries]


def ran(task: Task, due: datetime, state: str = "succeeded", **job: Any) -> Fired:
    made = Job.objects.create(kind="run_task", cluster="default", state=state, **job)
    whose = {"task_id": task.pk, "character_id": task.character_id, "due": due}
    return Fired.objects.create(**whose, state="fired", job_id=made.pk)


# --- the plain success ------------------------------------------------------------------------


def test_a_month_shows_what_ran_and_what_will_run() -> None:
    task = a_task("0 18 * * *")
    ran(task, at("12 18:00"), result={"imageIds": ["img_1"]})
    ran(task, at("11 18:00"), "failed", error={"step": "publish", "message": "It broke."})
    days = sheet()
    assert told(days[date(2027, 5, 12)]) == ["18:00 Luna: image made"]
    assert told(days[date(2027, 5, 11)]) == ["18:00 Luna: failed at publish"]
    assert told(days[TODAY]) == ["18:00 Luna: planned"]
    assert told(days[date(2027, 6, 6)]) == ["18:00 Luna: planned"]
    assert told(days[date(2027, 5, 10)]) == []


def test_entries_lead_to_the_run_and_to_the_task() -> None:
    task = a_task("0 18 * * *")
    fired = ran(task, at("12 18:00"))
    days = sheet()
    assert days[date(2027, 5, 12)].entries[0].url == f"/scheduling/runs/{fired.pk}/"
    assert days[TODAY].entries[0].url == f"/scheduling/{task.pk}/"


def test_a_day_to_come_leads_to_a_task_for_it() -> None:
    days = sheet(View(date(2027, 5, 1), character="c"))
    assert days[date(2027, 5, 20)].add_url == "/scheduling/add/?runAt=2027-05-20T12%3A00&character=c"
    assert days[TODAY].add_url == "/scheduling/add/?runAt=2027-05-13T13%3A00&character=c"
    assert days[date(2027, 5, 12)].add_url == ""


def test_an_image_stands_for_its_run() -> None:
    luna = someone()
    image = images.add(luna.pk, drawn())
    ran(a_task(character=luna), at("12 18:00"), result={"imageIds": [image.pk]})
    ran(a_task(character=luna), at("11 18:00"), "waiting", reason="review", memo={"image_ids": [image.pk]})
    days = sheet()
    assert [days[date(2027, 5, day)].entries[0].image for day in (11, 12)] == [image, image]
    assert days[date(2027, 5, 11)].entries[0].icon == "eye"


def test_missed_and_left_out_runs_are_marked() -> None:
    task = a_task()
    for day, state in ((11, "missed"), (12, "skipped")):
        Fired.objects.create(
            task_id=task.pk, character_id=task.character_id, due=at(f"{day} 18:00"), state=state
        )
    days = sheet()
    assert [(one.state, one.icon) for day in (11, 12) for one in days[date(2027, 5, day)].entries] == [
        ("missed", "clock"),
        ("left out", "circle-dashed"),
    ]


# --- many runs ----------------------------------------------------------------------------------


def test_a_day_shows_three_and_says_how_many_more() -> None:
    for hour in range(13, 18):
        a_task(f"0 {hour} * * *")
    day = sheet()[TODAY]
    assert (len(day.entries), day.more) == (3, 2)


def test_failures_among_the_rest_are_counted() -> None:
    for hour in range(5):
        ran(a_task(), at(f"12 0{hour}:00"), "failed" if hour == 4 else "succeeded")
    day = sheet()[date(2027, 5, 12)]
    assert (day.more, day.failed) == (2, 1)


def test_a_task_that_runs_often_is_one_entry_before_and_after() -> None:
    task = a_task("*/5 * * * *")
    for number in range(100):
        ran(task, at("12 00:00") + number * 5 * MINUTE, result={})
    days = sheet()
    assert told(days[date(2027, 5, 12)]) == ["Luna 100 ×: the last one done"]
    assert told(days[date(2027, 5, 14)]) == ["Luna 288 ×: planned"]
    assert "planned, from 00:00" in days[date(2027, 5, 14)].entries[0].title


def test_so_many_runs_that_the_database_counts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    often, daily = a_task("* * * * *"), a_task("0 18 * * *")
    for number in range(30):
        ran(often, at("12 10:00") + number * MINUTE, result={})
    ran(daily, at("12 18:00"), result={})
    plain = sheet()[date(2027, 5, 12)]
    monkeypatch.setattr(past, "MOST_READ", 10)
    monkeypatch.setattr(past, "PEEK", 20)
    assert (
        told(sheet()[date(2027, 5, 12)])
        == told(plain)
        == [
            "Luna 30 ×: the last one done",
            "18:00 Luna: done",
        ]
    )


def test_so_many_tasks_on_a_day_that_only_its_beginning_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for hour in range(6):
        ran(a_task(f"0 {hour} * * *"), at(f"12 0{hour}:00"), result={})
    plain = sheet()[date(2027, 5, 12)]
    monkeypatch.setattr(past, "MOST_READ", 5)
    day = sheet()[date(2027, 5, 12)]
    assert (
        (told(day), day.more)
        == (told(plain), plain.more)
        == (["00:00 Luna: done", "01:00 Luna: done", "02:00 Luna: done"], 3)
    )


def test_the_number_of_questions_does_not_grow_with_the_runs(django_assert_max_num_queries: Any) -> None:
    task = a_task("* * * * *")
    Fired.objects.bulk_create(
        Fired(task_id=task.pk, character_id=task.character_id, due=NOON - number * MINUTE, state="skipped")
        for number in range(5_000)
    )
    with django_assert_max_num_queries(60):
        days = sheet()
    assert told(days[date(2027, 5, 12)]) == ["Luna 1440 ×: the last one left out"]


# --- whose clock, which tasks --------------------------------------------------------------------


def test_days_are_those_of_the_dashboards_clock() -> None:
    task = a_task("30 23 * * *")
    ran(task, at("12 23:30"), result={})
    days = sheet(home="Europe/Madrid")
    assert told(days[date(2027, 5, 13)])[0] == "01:30 Luna: done"
    assert told(days[date(2027, 5, 12)]) == []


def test_paused_tasks_and_those_of_paused_characters_are_not_foreseen() -> None:
    a_task("0 18 * * *", active=False)
    a_task("0 18 * * *", character=someone(name="Kai", is_active=False))
    a_task("0 18 * * *", character_id="char_gone")
    a_task("0 18 * * *", type="backup", character_id="")
    assert told(sheet()[TODAY]) == ["18:00 The data folder: planned"]


def test_one_characters_calendar() -> None:
    a_task("0 18 * * *")
    kai = someone(name="Kai")
    task = a_task("0 19 * * *", character=kai)
    ran(task, at("12 19:00"), result={})
    days = sheet(View(date(2027, 5, 1), character=kai.pk))
    assert told(days[TODAY]) == ["19:00 Kai: planned"]
    assert told(days[date(2027, 5, 12)]) == ["19:00 Kai: done"]


def test_a_run_of_a_deleted_task_stays() -> None:
    task = a_task()
    ran(task, at("12 18:00"), result={})
    task.delete()
    assert told(sheet()[date(2027, 5, 12)]) == ["18:00 Luna: done"]
    Character.objects.all().delete()
    assert told(sheet()[date(2027, 5, 12)]) == ["18:00 A task that was deleted: done"]


def test_today_is_told_apart_and_so_are_the_months_beside() -> None:
    days = sheet()
    assert [day.date for day in days.values() if day.today] == [TODAY]
    assert days[date(2027, 4, 30)].other and not days[date(2027, 5, 31)].other
    assert len(days) == 42


# --- addresses ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "shape", "title"),
    [
        ({}, "month", "May 2027"),
        ({"month": "2027-02"}, "month", "February 2027"),
        ({"week": "2027-05-13"}, "week", "10 – 16 May 2027"),
        ({"week": "2027-03-31"}, "week", "29 Mar – 4 Apr 2027"),
        ({"month": "2027-13"}, "month", "May 2027"),
        ({"month": "9999-12"}, "month", "May 2027"),
        ({"week": "soon"}, "week", "10 – 16 May 2027"),
    ],
)
def test_what_an_address_means(asked: dict[str, str], shape: str, title: str) -> None:
    view = View.read(asked, TODAY)
    assert (view.shape, view.title) == (shape, title)


def test_where_the_links_lead() -> None:
    view = View.read({"month": "2027-05", "character": "c"}, TODAY)
    assert (view.before.query, view.after.query) == (
        "?month=2027-04&character=c",
        "?month=2027-06&character=c",
    )
    assert view.as_week(TODAY) == "?week=2027-05-10&character=c"
    week = View.read({"week": "2027-05-13"}, TODAY)
    assert (week.before.label, week.after.query) == ("3 – 9 May 2027", "?week=2027-05-17")
    assert (week.as_month(), week.of_today(TODAY - 30 * DAY)) == ("?month=2027-05", "?week=2027-04-12")


# --- the page -----------------------------------------------------------------------------------


def test_the_page_has_the_grid_and_its_links(admin_client: Client) -> None:
    a_task("0 18 * * *")
    page = admin_client.get("/scheduling/calendar/?month=2094-05").content.decode()
    assert '<caption class="visually-hidden">Runs in May 2094</caption>' in page
    assert 'href="?month=2094-04"' in page and 'href="?month=2094-06"' in page
    assert page.count("<td ") == 42
    assert 'aria-label="Add Task on Thursday 13 May"' in page


def test_a_part_of_it_loads_itself_anew(admin_client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Target": "calendar"}
    page = admin_client.get("/scheduling/calendar/", headers=headers).content.decode()
    assert page.lstrip().startswith('<div class="stack tight" id="calendar"')


def test_nothing_is_shown_to_strangers(client: Client) -> None:
    assert client.get("/scheduling/calendar/").status_code == 302


def test_today_is_that_of_the_chosen_zone(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = ZoneInfo("Pacific/Kiritimati")
    monkeypatch.setattr(zone, "current", lambda: ahead)
    page = admin_client.get("/scheduling/calendar/").content.decode()
    today = datetime.now(ahead).date()
    assert f'id="d-{today}" aria-current="date"' in " ".join(page.split())


def test_an_hour_from_now_may_be_tomorrow() -> None:
    late = at("13 23:30")
    assert sheet(now=late)[TODAY].add_url.endswith("runAt=2027-05-14T00%3A00")
    assert late + HOUR - timedelta(minutes=30) == at("14 00:00")


# --- an empty sheet says why ------------------------------------------------------------------


def silence(view: View | None = None) -> str:
    shown, clocks = view or View(date(2027, 5, 1)), Clocks(ZoneInfo("UTC"), {})
    return calendar.silence(shown, calendar.weeks(shown, clocks, NOON), clocks)


def test_a_sheet_with_something_on_it_says_nothing() -> None:
    a_task("0 18 * * *")
    assert silence() == ""


def test_without_a_task_or_with_all_paused_a_sheet_says_why_it_is_empty() -> None:
    assert silence() == "There is no task yet. What a task does stands here, day by day."
    task = a_task("0 18 * * *", active=False)
    assert silence() == "All tasks are paused, so nothing is planned. Resume one in the list."
    Task.objects.change(task.pk, lambda record: setattr(record, "active", True))
    Character.objects.change(task.character_id, lambda record: setattr(record, "is_active", False))
    assert silence() == "The active tasks belong to paused characters, so nothing is planned."


def test_a_month_gone_and_a_month_without_a_run_say_so() -> None:
    a_task("0 18 24 12 *")
    assert silence(View(date(2027, 4, 1))) == "Nothing ran in April 2027."
    assert silence(View(date(2027, 7, 1))) == "Nothing runs in July 2027."


def test_the_page_shows_why_the_calendar_is_empty(admin_client: Client) -> None:
    assert "There is no task yet." in admin_client.get("/scheduling/calendar/").content.decode()
