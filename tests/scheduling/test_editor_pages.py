"""Add Task and Edit on the page: both shapes, the preview, faults at their fields, two who save at once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from characters.models import Character, Narrative
from scheduling import services
from scheduling.editor import EditorForm
from scheduling.models import Task
from tests.characters.factories import filled, luna, signed_in
from tests.prompts.library import prompt
from tests.scheduling.asking import HTMX, sent, toast, words
from tests.scheduling.plans import a_task, edit, stored

pytestmark = pytest.mark.django_db
ADD = "/scheduling/add/"


@pytest.fixture
def client() -> Client:
    return signed_in()


def field(page: bytes, name: str) -> str:
    """The error at a field."""
    found = re.search(rf'id="id_{name}_error">.*?<span>(.*?)</span>', page.decode(), re.DOTALL)
    return found[1].replace("&#x27;", "'") if found else ""


def typed(**said: Any) -> dict[str, Any]:
    return sent(EditorForm(), **said)


def test_a_task_is_added_in_the_dialog_and_on_the_page(client: Client) -> None:
    owner = luna()
    answer = client.post(ADD, typed(character_id=owner.pk, prompt="by the sea"), headers=HTMX)
    assert answer.status_code == 204 and toast(answer) == "Added: generate and post to Instagram."
    answer = client.post(ADD, typed(type="backup"), follow=True)
    assert "Added: back up." in words(answer.content)
    assert [row["type"] for row in stored()] == ["generate_and_post", "backup"]


def test_after_the_first_task_the_whole_page_is_loaded_anew(client: Client) -> None:
    over = {**HTMX, "HX-Current-URL": "http://testserver/scheduling/?q="}
    assert client.post(ADD, typed(type="backup"), headers=over).headers["HX-Redirect"] == "/scheduling/"
    assert client.post(ADD, typed(type="backup"), headers=over).status_code == 204


def test_the_dialog_shows_the_next_runs_from_the_start(client: Client) -> None:
    page = client.get(ADD, headers=HTMX).content
    assert "At 18:00 every day" in words(page) and page.count(b"<li><time") == 10
    assert b"<html" in client.get(ADD).content and b"<dialog" in page


def test_a_prompt_of_the_library_is_taken_along(client: Client) -> None:
    owner = luna()
    one = prompt("by the lake", character_id=owner.pk, caption="Cold.", alt_text="A lake")
    sends = filled(client.get(f"{ADD}?prompt={one.pk}", headers=HTMX).content, "task-form")
    assert (sends["prompt"], sends["caption"], sends["alt_text"]) == ("by the lake", "Cold.", "A lake")
    page = client.get(f"{ADD}?prompt={one.pk}").content.decode()
    assert f'<option value="{owner.pk}" selected' in page
    assert client.get(f"{ADD}?prompt=gone&type=dance").status_code == 200


def test_the_page_of_a_prompt_offers_to_schedule_it(client: Client) -> None:
    one = prompt("by the lake", character_id=luna().pk)
    page = client.get("/prompts/").content.decode()
    assert f'href="{ADD}?prompt={one.pk}"' in page and 'aria-label="Schedule"' in page


def test_story_and_images_follow_the_chosen_character(client: Client) -> None:
    owner = luna()
    Narrative.objects.create(character=owner, title="The Crystal Quest")
    page = client.get(f"/scheduling/of-character/?character_id={owner.pk}", headers=HTMX).content
    assert b"The Crystal Quest" in page
    assert b"Crystal" not in client.get("/scheduling/of-character/?character_id=", headers=HTMX).content


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("rhythm=day&at=09:15", "At 09:15 every day"),
        ("rhythm=own&schedule=*/10 * * * *", "Every 10 minutes"),
        ("rhythm=hours&every=6h", "Every 6 hours"),
        ("rhythm=once&run_at=2031-05-16T15:00", "Once, on Friday 16 May 2031 at 15:00"),
        ("rhythm=own&schedule=61 * * * *", "The minute can't be 61"),
        ("rhythm=own&schedule=0 0 30 2 *", "30"),
        ("rhythm=own&schedule=0 0 0 1 1 *", "has 6 fields"),
        ("rhythm=own&schedule=@reboot", "is no schedule"),
        ("rhythm=day&at=9:00&timezone=Moon", "is no time zone"),
        ("rhythm=once&run_at=2020-01-01T10:00", "This moment has passed."),
        ("", "Give a schedule"),
    ],
)
def test_the_preview_answers_while_someone_types(client: Client, query: str, said: str) -> None:
    assert said in words(client.get(f"/scheduling/preview/?{query}", headers=HTMX).content)


def test_a_refused_form_comes_back_with_all_that_was_typed(client: Client) -> None:
    answer = client.post(
        ADD,
        typed(character_id=luna().pk, rhythm="own", schedule="61 * * * *", prompt="by the sea"),
        headers=HTMX,
    )
    assert answer.status_code == 422 and "The minute can't be 61" in field(answer.content, "schedule")
    assert b"by the sea" in answer.content and not Task.objects.exists()


def test_editing_changes_what_was_changed(client: Client) -> None:
    task = a_task("0 18 * * *", character=luna(), config={"prompt": "x", "mine": 1})
    address = f"/scheduling/{task.pk}/"
    page = client.get(address, headers=HTMX).content
    assert "Edit task" in words(page) and b'name="task" value=' in page
    answer = client.post(address, sent(EditorForm(instance=task), at="19:30"), headers=HTMX)
    assert toast(answer) == "Saved: generate an image."
    after = services.get(task.pk)
    assert after.schedule == "30 19 * * *" and after.config == {"prompt": "x", "mine": 1}


def test_two_who_save_at_once_compare(client: Client) -> None:
    task = a_task("0 18 * * *", character=luna(), config={"prompt": "first"})
    mine = sent(EditorForm(instance=task), at="19:30", prompt="mine")
    edit(task.pk, config={"prompt": "theirs"}, missedPolicy="skip")
    answer = client.post(f"/scheduling/{task.pk}/", mine, headers=HTMX)
    said = words(answer.content)
    assert answer.status_code == 409 and "Someone saved this task while you were editing" in said
    assert "mine" in said and "theirs" in said and "new if a run is missed" in said
    kept = filled(answer.content, "compare-form")
    assert client.post(f"/scheduling/{task.pk}/", kept, headers=HTMX).status_code == 204
    after = services.get(task.pk)
    assert (after.schedule, after.config, after.missed_policy) == ("30 19 * * *", {"prompt": "mine"}, "skip")


def test_keeping_mine_leaves_their_schedule_when_i_left_it_alone(client: Client) -> None:
    task = a_task("0 18 * * *", character=luna(), config={"prompt": "first"})
    mine = sent(EditorForm(instance=task), prompt="mine")
    edit(task.pk, config={"prompt": "theirs"}, schedule="0 7 * * *")
    kept = filled(client.post(f"/scheduling/{task.pk}/", mine, headers=HTMX).content, "compare-form")
    client.post(f"/scheduling/{task.pk}/", kept, headers=HTMX)
    after = services.get(task.pk)
    assert (after.schedule, after.config) == ("0 7 * * *", {"prompt": "mine"})


def test_a_task_of_a_deleted_character_can_be_given_another(client: Client) -> None:
    task = a_task(character=luna())
    Character.objects.get(pk=task.character_id).delete()
    page = client.get(f"/scheduling/{task.pk}/", headers=HTMX).content.decode()
    assert "(deleted)" in page
    other = luna(name="Kai")
    form = sent(EditorForm(instance=services.get(task.pk)), character_id=other.pk)
    client.post(f"/scheduling/{task.pk}/", form, headers=HTMX)
    assert services.get(task.pk).character_name == "Kai"


def test_a_task_that_is_gone_says_so(client: Client) -> None:
    for address in ("/scheduling/task_gone/", "/scheduling/task_gone/run/"):
        assert client.get(address).status_code == 404
