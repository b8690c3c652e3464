"""`/api/prompts` and `/api/generate-caption`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from characters.models import Narrative
from influencer.clients import captions
from influencer.jobs import services as jobs
from influencer.jobs import worker
from prompts.models import Prompt
from tests.characters.factories import luna, signed_in
from tests.prompts.library import prompt, rows, write

pytestmark = pytest.mark.django_db
Post = Callable[..., Any]


@pytest.fixture
def client() -> Client:
    return signed_in()


@pytest.fixture
def post(client: Client) -> Post:
    def post(body: dict[str, Any], path: str = "prompts", **headers: str) -> Any:
        return client.post(f"/api/{path}", body, content_type="application/json", headers=headers)

    return post


@pytest.fixture
def worker_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "require_worker", lambda cluster: None)


def test_the_list_is_newest_first_filtered_and_paged(client: Client) -> None:
    for number in range(3):
        write_time = f"2026-05-0{number + 1}T00:00:00.000Z"
        prompt(f"number {number}", character_id="char_1", used=number == 0, created_at=write_time)
    answer = client.get("/api/prompts").json()
    assert answer["success"] and answer["total"] == 3
    assert client.get("/api/prompts?used=true").json()["total"] == 1
    assert client.get("/api/prompts?characterId=char_2").json()["prompts"] == []
    assert client.get("/api/prompts?q=number 2").json()["total"] == 1
    page = client.get("/api/prompts?page=2&pageSize=2").json()
    assert len(page["prompts"]) == 1 and page["total"] == 3
    assert client.get("/api/prompts?used=maybe").status_code == 400
    assert client.get("/api/prompts?page=0").status_code == 400


def test_add_gives_201_and_keeps_unknown_keys(post: Post) -> None:
    owner = luna()
    body = {"characterId": owner.pk, "prompt": "at sea", "captions": {"x": "Tide."}, "mine": [1]}
    answer = post({"action": "add_prompt", "prompt": body})
    assert answer.status_code == 201
    told = answer.json()["prompt"]
    assert told["characterName"] == "Luna" and told["captions"]["x"] == "Tide." and told["mine"] == [1]
    assert rows()[0]["captions"] == {"x": "Tide."}


def test_the_same_idempotency_key_adds_once(post: Post) -> None:
    body = {"action": "add_prompt", "prompt": {"characterId": luna().pk, "prompt": "at sea"}}
    first, second = (post(body, **{"Idempotency-Key": "k1"}).json() for _ in range(2))
    assert first["prompt"]["id"] == second["prompt"]["id"] and len(rows()) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "fly"}, "action"),
        ({}, "action"),
        ({"action": ["x"]}, "action"),
        ({"action": "add_prompt"}, "prompt"),
        ({"action": "add_prompt", "prompt": {"prompt": "x"}}, "characterId"),
        ({"action": "add_prompt", "prompt": {"characterId": "char_none", "prompt": "x"}}, "characterId"),
        ({"action": "add_prompt", "prompt": {"prompt": 7}}, "prompt"),
        ({"action": "update_prompt", "prompt": {"caption": "x"}}, "id"),
        ({"action": "update_prompt", "prompt": {"id": "prompt_1", "used": "yes"}}, "used"),
        ({"action": "update_prompt", "prompt": {"id": "prompt_1", "caption": "x" * 2300}}, "caption"),
        (
            {"action": "update_prompt", "prompt": {"id": "prompt_1", "captions": {"x": "x" * 281}}},
            "captions.x",
        ),
        ({"action": "delete_prompt"}, "promptId"),
        ({"action": "bulk_delete", "promptIds": "prompt_1"}, "promptIds"),
        ({"action": "bulk_delete", "promptIds": []}, "promptIds"),
        ({"action": "generate"}, "characterId"),
    ],
)
def test_what_cannot_be_used_is_400_and_names_the_field(post: Post, body: dict[str, Any], field: str) -> None:
    write({"id": "prompt_1", "prompt": "kept", "characterId": "char_gone"})
    answer = post(body)
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["fields"] and answer.json()["error"]
    assert [row["prompt"] for row in rows()] == ["kept"]


@pytest.mark.parametrize(
    "body",
    [
        {"action": "delete_prompt", "promptId": "prompt_none"},
        {"action": "use_prompt", "promptId": "prompt_none"},
        {"action": "update_prompt", "prompt": {"id": "prompt_none", "caption": "x"}},
        {"action": "generate", "characterId": "char_none"},
    ],
)
def test_what_is_not_there_is_404(post: Post, body: dict[str, Any]) -> None:
    assert post(body).status_code == 404


def test_update_changes_what_is_given_and_refuses_a_stale_one(post: Post) -> None:
    one = prompt("at sea", character_id=luna().pk, caption="old")
    body = {"id": one.pk, "caption": "new", "updatedAt": one.as_json()["updatedAt"]}
    assert post({"action": "update_prompt", "prompt": body}).json()["prompt"]["caption"] == "new"
    answer = post({"action": "update_prompt", "prompt": body})
    assert answer.status_code == 409 and answer.json()["code"] == "changed_since"
    assert answer.json()["details"]["current"]["caption"] == "new"


def test_use_delete_and_bulk_delete(post: Post) -> None:
    ids = [prompt(f"number {number}").pk for number in range(4)]
    told = post({"action": "use_prompt", "promptId": ids[0]}).json()["prompt"]
    assert told["used"] is True and told["usedAt"]
    assert post({"action": "delete_prompt", "promptId": ids[0]}).json() == {"success": True}
    gone = post({"action": "bulk_delete", "promptIds": [*ids[1:3], "prompt_none"]}).json()
    assert gone["deleted"] == 2 and [row["id"] for row in rows()] == ids[3:]


@pytest.mark.parametrize("count", [0, 51, "3", True, None, 2.5])
def test_a_count_that_cannot_be_is_400(post: Post, worker_there: None, count: Any) -> None:
    answer = post({"action": "generate", "characterId": luna().pk, "count": count})
    assert answer.status_code == 400 and "count" in answer.json()["fields"]


@pytest.mark.django_db(transaction=True)
def test_generate_starts_one_job_that_keeps_the_prompts(post: Post, worker_there: None) -> None:
    owner = luna()
    body = {"action": "generate", "characterId": owner.pk, "count": 3}
    answers = [post(body, **{"Idempotency-Key": "once"}) for _ in range(2)]
    assert {answer.status_code for answer in answers} == {202}
    [job_id] = {answer.json()["jobId"] for answer in answers}
    worker.run(job_id)
    assert len(jobs.get(job_id).result["promptIds"]) == 3 == Prompt.objects.count()  # type: ignore[index]


def test_without_a_worker_generate_is_503(post: Post) -> None:
    answer = post({"action": "generate", "characterId": luna().pk, "count": 3})
    assert answer.status_code == 503 and answer.json()["code"] == "no_worker"


@pytest.mark.parametrize("platform", ["instagram", "x", "twitter", ""])
def test_a_caption_fits_its_platform_and_says_who_wrote_it(post: Post, platform: str) -> None:
    owner = luna(voice="Second person")
    told = post(
        {"characterId": owner.pk, "prompt": "by the sea at dusk", "platform": platform}, "generate-caption"
    ).json()
    assert told["caption"] and told["altText"] and isinstance(told["hashtags"], list)
    assert told["writer"] == "template" and told["tokens"] == 0 and "without AI" in told["note"]
    findings = captions.check(told["platform"], told["caption"], told["altText"])
    assert [one for one in findings if one.level == "error"] == []


def test_a_caption_for_a_prompt_is_saved_and_per_platform(post: Post) -> None:
    one = prompt("by the sea at dusk", character_id=luna().pk)
    first = post({"promptId": one.pk}, "generate-caption").json()["caption"]
    second = post({"promptId": one.pk, "platform": "x"}, "generate-caption").json()["caption"]
    [row] = rows()
    assert row["caption"] == first and row["captions"]["x"] == second
    assert row["altText"] and row["captionSource"] == "templates"


@pytest.mark.parametrize(
    "narrative", ["narr_1", "the crystal quest", {"title": "Other", "startDate": "2026-01-01"}]
)
def test_a_narrative_may_be_an_id_a_title_or_an_object(post: Post, narrative: Any) -> None:
    owner = luna()
    Narrative.objects.create(id="narr_1", character=owner, title="The Crystal Quest")
    body = {"characterId": owner.pk, "prompt": "at sea", "narrative": narrative}
    assert post(body, "generate-caption").status_code == 200


def test_a_character_may_be_sent_as_an_object(post: Post) -> None:
    body = {"prompt": "at sea", "character": {"name": "Mira", "personality": "calm", "promptSettings": {}}}
    assert post(body, "generate-caption").json()["caption"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"prompt": "x"}, 400),
        ({"prompt": "x", "character": {}}, 400),
        ({"prompt": "x", "character": {"name": ["a"]}}, 400),
        ({"prompt": 7, "characterId": "char_1"}, 400),
        ({"prompt": "x", "characterId": "char_none"}, 404),
        ({"promptId": "prompt_none"}, 404),
        ({"prompt": "x", "character": {"name": "Mira"}, "platform": "mastodon"}, 400),
        ({"prompt": "x", "character": {"name": "Mira"}, "narrative": 7}, 400),
        ({"prompt": "x", "character": {"name": "Mira"}, "narrative": {"startDate": "soon"}}, 400),
        ({"prompt": "x", "character": {"name": "Mira"}, "imageId": "img_none"}, 404),
    ],
)
def test_a_caption_nobody_can_write_says_why(post: Post, body: dict[str, Any], status: int) -> None:
    answer = post(body, "generate-caption")
    assert answer.status_code == status and answer.json()["error"]


def test_nobody_gets_in_without_signing_in() -> None:
    assert Client().get("/api/prompts").status_code == 401
