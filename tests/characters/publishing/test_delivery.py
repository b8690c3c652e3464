"""A post through the real clients to the sandbox: what is committed when, and what came of it."""

from __future__ import annotations

import dataclasses
import io
import json
import sqlite3
import threading
from contextlib import closing
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from PIL import Image as Picture

from characters import services as characters
from characters.images import planning
from characters.images import services as images
from characters.images.models import Image
from characters.images.planning import Wish
from characters.models import Character
from characters.publishing import posting
from characters.publishing.media import links
from characters.publishing.models import Attempt, MediaLink, Post, PostState
from characters.publishing.posting import Intention
from influencer.clients.instagram import Instagram
from influencer.clients.platform import Platform
from influencer.clients.x import X
from influencer.errors import Conflict
from influencer.jobs import services as jobs
from influencer.jobs import worker
from influencer.jobs.context import JobContext
from influencer.jobs.models import Job, JobState
from tests.characters.publishing.conftest import PLATFORMS
from tests.characters.stage import Stage, attempt, see_through

pytestmark = pytest.mark.django_db(transaction=True)

STEPS = {
    "instagram": {"create_container": "reserved", "container_status": "prepared", "publish": "publishing"},
    "x": {"upload": "reserved", "set_alt_text": "prepared", "create_post": "publishing"},
}
CLIENTS = {"instagram": Instagram, "x": X}


def committed(post: Post) -> dict[str, Any]:
    """The post's row as another process sees it right now."""
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as database:
        database.row_factory = sqlite3.Row
        row = database.execute("SELECT * FROM publishing_post WHERE id = ?", [post.pk]).fetchone()
        log = database.execute("SELECT step FROM publishing_attempt WHERE post_id = ?", [post.pk]).fetchall()
    return {**dict(row), "log": [entry["step"] for entry in log]}


# --- the plain success ----------------------------------------------------------------------


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_post_goes_out_and_its_id_and_link_can_be_read_back(
    stage: Stage, start: Any, platform: str
) -> None:
    post = start(platform, "Good morning #sea", alt_text="A woman by the sea")
    assert (post.state, post.sandbox) == (PostState.RESERVED, True)
    job = see_through(post.job_id)
    assert job.state == JobState.SUCCEEDED, job.error
    post.refresh_from_db()
    [there] = stage.posts(platform)
    assert (post.state, post.remote_id) == (PostState.PUBLISHED, there["id"])
    assert post.permalink.startswith(f"{stage.url}/{platform}/")
    assert there["text"] == "Good morning #sea"
    assert there["pictures"][0]["alt"] == "A woman by the sea"
    assert there["ai_label"] == 1 or there["ai_label"] is True
    assert job.result == {"postId": post.pk, "permalink": post.permalink, "sandbox": True}
    assert job.message.startswith("Posted to ") and job.message.endswith(" in the sandbox")
    assert post.published_at >= post.publishing_at >= post.created_at
    assert stage.publish_calls(platform) == 1


@pytest.mark.parametrize(("platform", "handle"), [("instagram", "luna_mystic"), ("x", "luna_x")])
def test_in_the_sandbox_the_character_posts_under_its_own_handle(
    stage: Stage, start: Any, platform: str, handle: str
) -> None:
    see_through(start(platform).job_id)
    assert stage.posts(platform)[0]["username"] == handle


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_ai_label_can_be_left_out(stage: Stage, start: Any, platform: str) -> None:
    see_through(start(platform, ai_label=False).job_id)
    assert not stage.posts(platform)[0]["ai_label"]


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("label", [True, False])
def test_the_sent_jpeg_says_that_it_was_generated_only_when_it_is_labelled(
    stage: Stage, start: Any, platform: str, label: bool
) -> None:
    see_through(start(platform, ai_label=label).job_id)
    name = stage.posts(platform)[0]["pictures"][0]["file"]
    content = (stage.folder / "images" / name).read_bytes()
    with Picture.open(io.BytesIO(content)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (400, 500))
    assert (b"trainedAlgorithmicMedia" in content) is label


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_post_without_words_goes_out_too(stage: Stage, start: Any, platform: str) -> None:
    post = start(platform, "")
    assert see_through(post.job_id).state == JobState.SUCCEEDED
    assert stage.posts(platform)[0]["text"] == ""


@pytest.mark.parametrize("platform", PLATFORMS)
def test_emoji_and_text_from_right_to_left_arrive_as_written(stage: Stage, start: Any, platform: str) -> None:
    caption = "שלום 👩‍👩‍👧 café\n\tEnd"
    see_through(start(platform, f"\ufeff{caption}\r\n").job_id)
    assert stage.posts(platform)[0]["text"] == caption


# --- what is committed when -----------------------------------------------------------------


@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_state_and_attempt_is_committed_before_its_remote_call(
    stage: Stage, start: Any, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = start(platform, alt_text="A woman")
    seen: dict[str, dict[str, Any]] = {}

    def spy(name: str) -> None:
        real = getattr(CLIENTS[platform], name)

        def called(self: Any, *args: Any, **more: Any) -> Any:
            seen.setdefault(name, committed(post))
            return real(self, *args, **more)

        monkeypatch.setattr(CLIENTS[platform], name, called)

    for name in STEPS[platform]:
        spy(name)
    see_through(post.job_id)
    assert {name: row["state"] for name, row in seen.items()} == STEPS[platform]
    first, second, third = seen.values()
    assert [len(row["log"]) for row in (first, second)] == [1, 2]
    assert third["log"][-1] == "publish"
    assert json.loads(first["remote_ids"]) == {}
    assert list(json.loads(second["remote_ids"])) in (["container_id"], ["media_id"])
    assert third["publishing_at"]
    assert not any(row["remote_id"] for row in seen.values())


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_call_is_in_the_posts_log_with_its_answer(stage: Stage, start: Any, platform: str) -> None:
    post = start(platform, alt_text="A woman")
    see_through(post.job_id)
    log = list(Attempt.objects.filter(post=post))
    names = list(dict.fromkeys(entry.step for entry in log))
    first = ["container", "processing"] if platform == "instagram" else ["upload", "alt_text"]
    assert names == [*first, "publish", "link"]
    assert not any(entry.code or entry.open for entry in log)
    told = {entry.step: entry.http_status for entry in log}
    asked = {"publish": 200, "link": 200} if platform == "instagram" else {"publish": 201, "link": None}
    assert told == dict.fromkeys(first, 200) | asked, "X is asked for no link: it can be told from the id"


def test_where_there_is_no_alt_text_to_send_the_log_claims_no_answer(stage: Stage, start: Any) -> None:
    post = start("x", alt_text="")
    see_through(post.job_id)
    [entry] = post.log.filter(step="alt_text")
    assert (entry.http_status, entry.message) == (None, "There was none to send.")


def test_the_lease_is_renewed_right_before_each_call(stage: Stage, start: Any, monkeypatch: Any) -> None:
    order: list[str] = []

    def note(owner: Any, name: str) -> None:
        real = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda self, *a, **m: order.append(name) or real(self, *a, **m))

    note(JobContext, "renew")
    note(X, "create_post")
    see_through(start("x").job_id)
    assert order[order.index("create_post") - 1] == "renew"


def test_a_worker_that_lost_its_lease_posts_nothing(stage: Stage, start: Any, monkeypatch: Any) -> None:
    post = start("x")

    def robbed(self: X, *args: Any, **more: Any) -> None:
        Job.objects.filter(pk=post.job_id).update(owner="default:other:1:b")

    monkeypatch.setattr(X, "set_alt_text", robbed)
    Post.objects.filter(pk=post.pk).update(alt_text="A woman")
    attempt(post.job_id)
    assert stage.publish_calls("x") == 0
    assert jobs.get(post.job_id).owner == "default:other:1:b"


# --- one intention, one post -----------------------------------------------------------------


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_double_click_is_one_post(stage: Stage, start: Any, platform: str) -> None:
    first, second = start(platform, nonce="n1"), start(platform, nonce="n1")
    assert first.pk == second.pk
    see_through(first.job_id)
    assert start(platform, nonce="n1").pk == first.pk
    assert stage.publish_calls(platform) == 1
    assert Job.objects.count() == 1


def test_two_clicks_at_the_very_same_moment_are_one_post(stage: Stage, start: Any) -> None:
    gate, made, failed = threading.Barrier(4), [], []

    def click() -> None:
        gate.wait()
        try:
            made.append(start("x", nonce="n1").pk)
        except Exception as error:  # noqa: BLE001
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(set(made)) == 1
    assert (Post.objects.count(), Job.objects.count()) == (1, 1)


def test_a_post_and_its_job_are_one_transaction(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **more: Any) -> None:
        raise RuntimeError("the queue is gone")

    monkeypatch.setattr(posting.jobs, "start", broken)
    with pytest.raises(RuntimeError):
        start()
    assert not Post.objects.exists()


# --- a new image first -----------------------------------------------------------------------


def start_with_new_image(luna: Character, platform: str = "instagram") -> Post:
    wish = Wish(final_prompt="a tree", shape="4:5")
    return posting.start(luna, Intention(Platform(platform), "New", wish=wish, image_id="", nonce="n"))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images of a fifth of the usual size, drawn in no time."""
    monkeypatch.setattr(planning, "_size", lambda request, usual: (320, 400))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_new_image_is_made_first_and_posted(
    stage: Stage, luna: Character, small: None, platform: str
) -> None:
    post = start_with_new_image(luna, platform)
    waiting = attempt(post.job_id)
    assert (waiting.state, waiting.reason) == (JobState.WAITING, "following")
    assert waiting.message.startswith("Image: ")
    assert see_through(post.job_id).state == JobState.SUCCEEDED
    post.refresh_from_db()
    made = Image.objects.get()
    assert (post.image_id, post.image_hash) == (made.pk, made.pixel_hash)
    assert made.prompt == "a tree"
    assert (stage.prompts_sent, len(stage.posts(platform))) == (1, 1)


def test_an_image_that_can_not_be_made_fails_the_post_with_the_same_words(
    stage: Stage, luna: Character, small: None
) -> None:
    stage.order("comfyui", "oom")
    post = start_with_new_image(luna)
    job = see_through(post.job_id)
    post.refresh_from_db()
    assert (job.state, job.error["code"], job.error["step"]) == (JobState.FAILED, "out_of_memory", "image")
    assert (post.state, post.error["code"]) == (PostState.FAILED, "out_of_memory")
    assert "smaller size" in post.error["fix"]
    jobs.retry(job.pk)
    assert see_through(job.pk).state == JobState.SUCCEEDED
    assert Post.objects.get().state == PostState.PUBLISHED


def test_cancelling_the_post_stops_the_image_too(stage: Stage, luna: Character, small: None) -> None:
    post = start_with_new_image(luna)
    attempt(post.job_id)
    child = jobs.get(jobs.get(post.job_id).memo["child"])
    jobs.cancel(post.job_id)
    assert attempt(post.job_id).state == JobState.CANCELLED
    assert jobs.get(child.pk).state == JobState.CANCELLED
    assert Post.objects.get().state == PostState.FAILED
    assert stage.prompts_sent == 0


def test_a_cancelled_image_ends_the_post(stage: Stage, luna: Character, small: None) -> None:
    post = start_with_new_image(luna)
    attempt(post.job_id)
    jobs.cancel(jobs.get(post.job_id).memo["child"])
    job = see_through(post.job_id)
    assert (job.state, job.error["code"]) == (JobState.FAILED, "cancelled")
    assert Post.objects.get().state == PostState.FAILED
    assert stage.publish_calls("instagram") == 0


def test_a_worker_that_stops_does_not_take_the_image_with_it(
    stage: Stage, luna: Character, small: None
) -> None:
    post = start_with_new_image(luna)
    attempt(post.job_id)
    jobs.wake(post.job_id)
    context = JobContext(worker.claim(post.job_id, "default"), stopping=lambda: True)
    worker.attempt(context, jobs.get(post.job_id).spec)
    waiting = jobs.get(post.job_id)
    assert waiting.state == JobState.WAITING
    assert jobs.get(waiting.memo["child"]).cancel_requested_at is None
    assert see_through(post.job_id).state == JobState.SUCCEEDED


# --- cancelling ------------------------------------------------------------------------------


def test_a_post_cancelled_in_the_queue_is_never_sent(stage: Stage, start: Any) -> None:
    post = start("x")
    jobs.cancel(post.job_id)
    attempt(post.job_id)
    post.refresh_from_db()
    assert (post.state, post.error["code"]) == (PostState.FAILED, "cancelled")
    assert stage.publish_calls("x") == 0


def test_a_post_cancelled_after_the_upload_is_never_published_and_its_link_is_closed(
    stage: Stage, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = start("instagram")
    real = Instagram.container_status

    def cancelled_meanwhile(self: Instagram, container: str) -> Any:
        jobs.cancel(post.job_id)
        return real(self, container)

    monkeypatch.setattr(Instagram, "container_status", cancelled_meanwhile)
    assert see_through(post.job_id).state == JobState.CANCELLED
    post.refresh_from_db()
    assert post.state == PostState.FAILED
    assert stage.publish_calls("instagram") == 0
    assert not MediaLink.objects.filter(revoked_at=None).exists()


def test_a_post_that_waits_is_cancelled_with_its_link(stage: Stage, start: Any) -> None:
    stage.order("instagram", "container.rate", times=1)
    post = start("instagram")
    waiting = attempt(post.job_id)
    assert (waiting.state, waiting.reason) == (JobState.WAITING, "rate limit")
    jobs.cancel(post.job_id)
    post.refresh_from_db()
    assert (jobs.get(post.job_id).state, post.state) == (JobState.CANCELLED, PostState.FAILED)
    assert not MediaLink.objects.filter(revoked_at=None).exists()


def test_from_the_publishing_step_on_it_is_too_late(
    stage: Stage, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    post, refused = start("x"), []
    real = X.create_post

    def tried(self: X, *args: Any, **more: Any) -> Any:
        with pytest.raises(Conflict) as caught:
            jobs.cancel(post.job_id)
        refused.append(caught.value.code)
        return real(self, *args, **more)

    monkeypatch.setattr(X, "create_post", tried)
    assert see_through(post.job_id).state == JobState.SUCCEEDED
    assert refused == ["too_late"]


def test_deleting_the_character_cancels_what_waits_and_lets_finish_what_is_publishing(
    stage: Stage, luna: Character, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    going, waiting = start("x"), start("instagram")
    real = X.create_post

    def deleted_meanwhile(self: X, *args: Any, **more: Any) -> Any:
        characters.delete(luna.pk)
        return real(self, *args, **more)

    monkeypatch.setattr(X, "create_post", deleted_meanwhile)
    assert see_through(going.job_id).state == JobState.SUCCEEDED
    going.refresh_from_db()
    waiting.refresh_from_db()
    assert going.state == PostState.PUBLISHED
    assert (waiting.state, waiting.error["code"]) == (PostState.FAILED, "cancelled")
    assert stage.publish_calls("instagram") == 0


def test_an_image_deleted_before_it_went_out_is_said(stage: Stage, image: Image, start: Any) -> None:
    post = start("x")
    images.delete(image)
    job = see_through(post.job_id)
    post.refresh_from_db()
    assert (job.error["code"], post.state) == ("not_found", PostState.FAILED)
    assert post.error["message"] == "There is no such image any more."


# --- links -----------------------------------------------------------------------------------


def test_the_link_is_open_until_the_post_is_out_and_closed_afterwards(
    stage: Stage, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    post, urls = start("instagram"), []
    real = links.create

    def noted(post: Post, jpeg: bytes) -> str:
        urls.append(real(post, jpeg))
        return urls[-1]

    monkeypatch.setattr(links, "create", noted)
    see_through(post.job_id)
    assert urls[0].startswith(django_settings.INFLUENCER.own_url + "/m/")
    assert MediaLink.objects.get().revoked_at is not None


def test_x_needs_no_link(stage: Stage, start: Any) -> None:
    see_through(start("x").job_id)
    assert not MediaLink.objects.exists()


def test_a_public_address_does_not_keep_the_sandbox_from_fetching(
    stage: Stage, start: Any, settings: Any
) -> None:
    settings.INFLUENCER = dataclasses.replace(
        settings.INFLUENCER, public_base_url="https://media.influencer-studio.net"
    )
    assert see_through(start("instagram").job_id).state == JobState.SUCCEEDED
