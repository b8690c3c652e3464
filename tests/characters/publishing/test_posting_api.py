"""`/api/post-to-…` as `docs/api.md` describes them."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

import pytest
from django.contrib.auth.models import User
from django_q.models import OrmQ

from characters.images import services as images
from characters.images import storage
from characters.images.models import Image
from characters.images.storage import Making
from characters.models import Character
from characters.publishing import accounts, setbacks
from characters.publishing.accounts import standing
from characters.publishing.models import Attempt, Post
from influencer.clients.platform import Platform
from influencer.jobs import services as jobs
from influencer.jobs.models import Job
from tests.characters.people import X, someone
from tests.characters.publishing.conftest import PLATFORMS
from tests.characters.stage import Stage, drawn, encoded, painted

pytestmark = pytest.mark.django_db(transaction=True)

PATHS = {"instagram": "/api/post-to-instagram", "x": "/api/post-to-twitter"}


@pytest.fixture
def working() -> Any:
    """Whoever waits for a job runs it."""
    with jobs.working_here():
        yield


@pytest.fixture
def post(call: Any, luna: Character, working: None) -> Any:
    def post(platform: str = "x", path: str = "", **body: Any) -> Any:
        headers = body.pop("headers", {})
        wish = {"characterId": luna.pk, "caption": "Good morning", **body}
        return call("post", path or PATHS[platform], wish, **headers)

    return post


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


# --- posting ---------------------------------------------------------------------------------


def test_the_job_of_a_post_holds_what_the_answer_held(
    stage: Stage, call: Any, post: Any, image: Image
) -> None:
    answer = post(imageId=image.pk).json()
    result = call("get", f"/api/jobs/{answer['jobId']}").json()["job"]["result"]
    assert result == {key: value for key, value in answer.items() if key != "success"}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_image_of_the_gallery_is_posted_and_the_answer_has_its_link(
    stage: Stage, image: Image, post: Any, platform: str
) -> None:
    answer = post(platform, imageId=image.pk, altText="A tree")
    body = answer.json()
    assert answer.status_code == 200, body
    [there] = stage.posts(platform)
    made = Post.objects.get()
    assert body == {
        "success": True,
        "postId": made.pk,
        "jobId": made.job_id,
        "id": there["id"],
        "permalink": made.permalink,
        "status": "published",
        "sandbox": True,
    }
    assert there["pictures"][0]["alt"] == "A tree"
    assert made.user_id == User.objects.get().pk


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("how", ["base64", "data URL", "wrapped"])
def test_a_picture_is_sent_along(stage: Stage, luna: Character, post: Any, platform: str, how: str) -> None:
    text = base64_of(drawn(400, 500, colour="red"))
    text = {
        "base64": text,
        "data URL": f"data:image/png;base64,{text}",
        "wrapped": f"{text[:76]}\n{text[76:]}",
    }[how]
    answer = post(platform, image=text)
    assert answer.status_code == 200, answer.json()
    [added] = images.gallery(luna.pk)
    assert (added.source, Post.objects.get().image_id) == ("upload", added.pk)


def test_a_picture_that_is_in_the_gallery_already_is_not_added_again(
    stage: Stage, image: Image, luna: Character, post: Any
) -> None:
    answer = post(image=base64_of(encoded(painted(400, 500), "WEBP", lossless=True)))
    assert answer.status_code == 200, answer.json()
    assert Post.objects.get().image_id == image.pk
    assert images.gallery(luna.pk).count() == 1


def test_with_wait_false_post_and_job_are_given_at_once(stage: Stage, image: Image, post: Any) -> None:
    answer = post(imageId=image.pk, wait=False)
    made = Post.objects.get()
    assert answer.status_code == 202
    assert answer.json() == {"success": True, "postId": made.pk, "jobId": made.job_id}
    assert stage.posts("x") == []


def test_a_paused_account_is_said_before_there_is_a_post(
    stage: Stage, luna: Character, image: Image, post: Any
) -> None:
    key = accounts.account(luna, Platform.X).key
    standing.pause(key, "looks_automated", "X takes the posting for automated")
    answer = post(imageId=image.pk, wait=False)
    assert (answer.status_code, answer.json()["code"]) == (409, "account_paused")
    assert "X takes the posting for automated" in answer.json()["error"]
    assert not Post.objects.exists()


def test_the_label_is_the_characters_unless_it_is_said(
    stage: Stage, luna: Character, image: Image, post: Any
) -> None:
    Character.objects.change(luna.pk, lambda record: setattr(record, "ai_label", False))
    post(imageId=image.pk, wait=False)
    assert not Post.objects.latest("created_at").ai_label
    post(imageId=image.pk, wait=False, aiLabel=True, force=True)
    assert Post.objects.latest("created_at").ai_label


def test_who_switches_the_label_off_says_why(stage: Stage, image: Image, post: Any) -> None:
    refused = post(imageId=image.pk, aiLabel=False, wait=False)
    assert refused.status_code == 400
    assert list(refused.json()["fields"]) == ["aiLabelReason"]
    post(imageId=image.pk, aiLabel=False, aiLabelReason="A photograph", wait=False)
    made = Post.objects.get()
    assert (made.ai_label, made.as_json()["aiLabelReason"]) == (False, "A photograph")


# --- what stands against it ------------------------------------------------------------------


def test_a_post_can_be_checked_without_being_made(
    stage: Stage, luna: Character, image: Image, call: Any
) -> None:
    body = {"characterId": luna.pk, "platform": "twitter", "imageId": image.pk, "caption": "Hi"}
    answer = call("post", "/api/posts/check", {**body, "altText": "A tree"})
    assert answer.status_code == 200
    assert answer.json()["ready"] is True
    assert {check["level"] for check in answer.json()["checks"]} == {"ok"}
    assert "answers" in [check["code"] for check in answer.json()["checks"]]
    red = call("post", "/api/posts/check", {**body, "caption": "a" * 281, "ask": False}).json()
    assert (red["ready"], red["checks"][0]["level"]) == (False, "bad")
    assert red["checks"][0]["code"] == "caption_too_long"
    assert red["checks"][0]["fix"] == {"text": "Shorten", "url": "#id_caption"}
    assert not Post.objects.exists()


def test_a_check_for_nowhere_is_refused(luna: Character, call: Any) -> None:
    answer = call("post", "/api/posts/check", {"characterId": luna.pk, "platform": "mastodon"})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["platform"])


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({}, "image"),
        ({"imageId": "img_1", "image": "aGk="}, "image"),
        ({"imageId": 5}, "imageId"),
        ({"image": "not base64!"}, "image"),
        ({"image": "aGVsbG8="}, "image"),
        ({"image": "data:image/png;base64,"}, "image"),
        ({"imageId": "img_1", "caption": ["a"]}, "caption"),
        ({"imageId": "img_1", "altText": 1}, "altText"),
        ({"imageId": "img_1", "aiLabel": "yes"}, "aiLabel"),
        ({"imageId": "img_1", "force": 1}, "force"),
        ({"imageId": "img_1", "wait": "no"}, "wait"),
        ({"imageId": "img_1", "characterId": 7}, "characterId"),
        ({"imageId": "img_1", "caption": "a" * 281}, "caption"),
        ({"imageId": "img_1", "altText": "a" * 1001}, "altText"),
    ],
)
def test_a_wrong_value_is_400_with_its_key(post: Any, wrong: dict[str, Any], key: str) -> None:
    answer = post(**wrong)
    assert answer.status_code == 400, answer.json()
    assert key in answer.json()["fields"], answer.json()
    assert not Post.objects.exists()
    assert not Image.objects.exists()


def test_unknown_characters_and_images_are_404(image: Image, post: Any) -> None:
    assert post(imageId="img_gone").status_code == 404
    assert post(imageId=image.pk, characterId="char_gone").status_code == 404
    theirs = images.add("char_else", drawn())
    assert post(imageId=theirs.pk).status_code == 404


def test_the_same_again_is_409_and_names_the_post(stage: Stage, image: Image, post: Any) -> None:
    first = post(imageId=image.pk).json()
    answer = post(imageId=image.pk)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (409, "duplicate")
    assert body["details"]["postId"] == first["postId"]
    assert body["details"]["permalink"] == first["permalink"]


def test_with_force_the_same_goes_out_again(stage: Stage, image: Image, post: Any) -> None:
    assert post("instagram", imageId=image.pk).status_code == 200
    assert post("instagram", imageId=image.pk, force=True).status_code == 200
    assert len(stage.posts("instagram")) == 2


def test_a_picture_that_is_refused_does_not_stay_in_the_gallery(luna: Character, post: Any) -> None:
    someone("Kai", **X)
    answer = post(image=base64_of(drawn()))
    assert (answer.status_code, answer.json()["code"]) == (409, "no_credentials")
    Character.objects.change(luna.pk, _be_real)
    storage.store("img_s", character_id="char_else", content=drawn(), making=Making(sandbox=True))
    answer = post(image=base64_of(drawn()))
    assert (answer.status_code, answer.json()["code"]) == (409, "sandbox_image")
    assert not images.gallery(luna.pk).exists()


def _be_real(record: Character) -> None:
    for name, value in X.items():
        setattr(record, name, value)


def test_without_a_worker_it_is_503_and_nothing_is_kept(luna: Character, call: Any) -> None:
    answer = call("post", PATHS["x"], {"characterId": luna.pk, "image": base64_of(drawn())})
    assert (answer.status_code, answer.json()["code"]) == (503, "no_worker")
    assert not Image.objects.exists()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_refusal_of_the_platform_is_502_with_its_code_and_the_fix(
    stage: Stage, image: Image, post: Any, platform: str
) -> None:
    stage.order(platform, f"{'publish' if platform == 'instagram' else 'tweet'}.token_expired")
    answer = post(platform, imageId=image.pk)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (
        502,
        {"instagram": "190/463", "x": "unauthorized"}[platform],
    )
    assert body["error"].endswith({"instagram": "are kept.", "x": "is refused too."}[platform])
    assert body["details"]["postId"] == Post.objects.get().pk
    assert body["jobId"] == Post.objects.get().job_id


def test_an_unknown_outcome_is_502_and_says_what_to_do(
    stage: Stage, image: Image, post: Any, hurried: None
) -> None:
    stage.order("x", "error_before")
    answer = post(imageId=image.pk, caption="")
    body = answer.json()
    assert (answer.status_code, body["code"], body["retryable"]) == (502, "outcome_unknown", False)
    assert body["error"] == (
        "X did not say whether the post went out. Look at the account before anything is tried again."
    )


def test_a_post_that_has_to_wait_for_its_quota_is_504_and_goes_on(
    stage: Stage, image: Image, post: Any
) -> None:
    stage.order("x", "quota")
    answer = post(imageId=image.pk)
    made = Post.objects.get()
    assert (answer.status_code, answer.json()["jobId"]) == (504, made.job_id)
    assert jobs.get(made.job_id).state == "waiting"


# --- the same request again ------------------------------------------------------------------


def test_the_same_key_gives_the_same_answer_and_posts_once(stage: Stage, image: Image, post: Any) -> None:
    sent = {"imageId": image.pk, "headers": {"Idempotency_Key": "k1"}}
    first, second = post(**dict(sent)), post(**dict(sent))
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert stage.publish_calls("x") == 1


def test_the_same_key_with_the_picture_in_it_adds_and_posts_once(
    stage: Stage, luna: Character, post: Any
) -> None:
    sent = {"image": base64_of(drawn(400, 500)), "headers": {"Idempotency_Key": "k1"}}
    first, second = post(**dict(sent)), post(**dict(sent))
    assert first.json() == second.json()
    assert images.gallery(luna.pk).count() == 1
    assert stage.publish_calls("x") == 1


def test_after_a_failure_that_may_pass_the_same_key_tries_the_same_post_again(
    stage: Stage, image: Image, post: Any, hurried: None
) -> None:
    stage.order("instagram", "never_ready", times=0)
    sent = {"imageId": image.pk, "headers": {"Idempotency_Key": "k1"}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setbacks, "poll_delay", lambda polls: None)
        assert post("instagram", **dict(sent)).json()["code"] == "never_ready"
    stage.clear_faults()
    answer = post("instagram", **dict(sent))
    assert answer.status_code == 200, answer.json()
    assert (Post.objects.count(), stage.publish_calls("instagram")) == (1, 1)


def test_an_unknown_outcome_does_not_free_the_key(
    stage: Stage, image: Image, post: Any, hurried: None
) -> None:
    stage.order("x", "error_before")
    sent = {"imageId": image.pk, "caption": "", "headers": {"Idempotency_Key": "k1"}}
    for _ in range(2):
        assert post(**dict(sent)).json()["code"] == "outcome_unknown"
    assert stage.publish_calls("x") == 1


# --- secrets ---------------------------------------------------------------------------------


def test_no_secret_lies_in_jobs_posts_attempts_queue_or_log(
    stage: Stage, luna: Character, image: Image, post: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A real account at a Graph and an X on this machine, with a refusal that quotes the token."""
    keys = {
        "instagram_account_id": "17841400000000009",
        "instagram_api_key": "IGAA-very-secret-token-0123456789",
        "twitter_app_key": "secret-app-key-0123456789",
        "twitter_app_secret": "secret-app-secret-0123456789",
        "twitter_access_token": "987654-secret-access-token",
        "twitter_access_secret": "secret-access-secret-0123456789",
    }
    Character.objects.change(luna.pk, lambda record: [setattr(record, *pair) for pair in keys.items()])
    settings.INFLUENCER = dataclasses.replace(
        settings.INFLUENCER,
        instagram_graph_url=f"{stage.url}/instagram",
        x_api_url=f"{stage.url}/x",
    )
    caplog.set_level("DEBUG", logger="influencer")
    caplog.set_level("DEBUG", logger="characters")
    said = f"Bad token {keys['instagram_api_key']}"
    stage.order("instagram", "container.refuse", code=190, message=said)
    queued = str([row.task for row in OrmQ.objects.all()])
    assert post("instagram", imageId=image.pk).status_code == 502
    assert post("x", imageId=image.pk).status_code == 200
    stage.order("x", "tweet.refuse", status=403, detail=f"No: {keys['twitter_access_token']}")
    assert post("x", imageId=image.pk, force=True).status_code == 502
    assert not Post.objects.filter(sandbox=True).exists()
    kept = [
        queued,
        str(list(Job.objects.values())),
        str(list(Post.objects.values())),
        str(list(Attempt.objects.values())),
        str([row.task for row in OrmQ.objects.all()]),
        caplog.text,
    ]
    secrets = [value for name, value in keys.items() if name != "instagram_account_id"]
    found = [secret for secret in secrets for text in kept if secret in text]
    assert found == []
    assert "/m/" not in caplog.text.replace("GET /m/", "")
