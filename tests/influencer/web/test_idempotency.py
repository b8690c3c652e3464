"""Idempotency-Key: done once, answered twice."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from influencer.clients.errors import ServiceError
from influencer.errors import Invalid, TookTooLong
from influencer.web import idempotency
from influencer.web.models import IdempotencyKey
from tests.influencer.web import addresses
from tests.influencer.web.addresses import make_user

pytestmark = pytest.mark.django_db


def send(
    client: Client, body: dict[str, Any] | None = None, key: str = "k-1", path: str = "/api/make"
) -> Any:
    content = json.dumps(body or {"n": 1})
    return client.post(path, content, content_type="application/json", headers={"Idempotency-Key": key})


def test_the_same_key_and_body_is_done_once_and_answered_again(signed_in: Client) -> None:
    first, second = send(signed_in), send(signed_in)
    assert first.json()["id"] == second.json()["id"] == "thing_1"
    assert addresses.made == ["thing_1"]


def test_the_order_of_keys_and_the_trailing_slash_do_not_matter(signed_in: Client) -> None:
    send(signed_in, {"a": 1, "b": 2})
    assert send(signed_in, {"b": 2, "a": 1}, path="/api/make/").json()["id"] == "thing_1"


def test_another_body_is_409(signed_in: Client) -> None:
    send(signed_in)
    refused = send(signed_in, {"n": 2})
    assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_mismatch")


def test_other_files_are_another_body(signed_in: Client) -> None:
    def upload(content: bytes) -> Any:
        files = {"images": SimpleUploadedFile("a.png", content)}
        return signed_in.post("/api/make", files, headers={"Idempotency-Key": "k"})

    assert [upload(b"one").status_code, upload(b"one").status_code] == [201, 200]
    assert upload(b"two").status_code == 409


def test_keys_belong_to_one_user_and_one_path(signed_in: Client) -> None:
    other = Client()
    other.force_login(make_user("editor"))
    send(signed_in)
    assert send(other).json()["id"] == "thing_2"
    assert send(signed_in, path="/api/harmless").status_code == 200


def test_without_a_key_each_request_is_new(signed_in: Client) -> None:
    for _ in range(2):
        signed_in.post("/api/make", "{}", content_type="application/json")
    assert len(addresses.made) == 2


def test_after_a_day_the_key_is_free(signed_in: Client) -> None:
    send(signed_in)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    assert send(signed_in, {"n": 2}).json()["id"] == "thing_2"
    assert IdempotencyKey.objects.count() == 1


def test_a_retryable_failure_frees_the_key(signed_in: Client) -> None:
    addresses.failures.append(ServiceError("ComfyUI does not answer.", service="ComfyUI", retryable=True))
    assert send(signed_in).status_code == 502
    assert send(signed_in).json()["id"] == "thing_2"


def test_a_job_that_failed_later_and_may_be_tried_again_frees_the_key(signed_in: Client) -> None:
    send(signed_in)
    addresses.failures[:] = [ServiceError("Out of memory.", service="ComfyUI", retryable=True)]
    assert send(signed_in).json()["id"] == "thing_2"


def test_a_final_failure_is_told_again(signed_in: Client) -> None:
    send(signed_in)
    addresses.failures[:] = [ServiceError("The token ended.", service="X", code="89", retryable=False)]
    assert send(signed_in).json()["code"] == "89"
    assert addresses.made == ["thing_1"]


@pytest.mark.parametrize(
    "failure",
    [
        ServiceError("X did not answer.", service="X", code="outcome_unknown", retryable=True),
        ServiceError("X did not answer.", service="X", retryable=True, outcome_unknown=True),
        TookTooLong("Still at work.", details={"jobId": "thing_1"}),
    ],
)
def test_what_may_have_been_done_is_never_done_again(signed_in: Client, failure: Exception) -> None:
    addresses.failures.append(failure)
    assert send(signed_in).status_code in {502, 504}
    assert send(signed_in).json()["id"] == "thing_1"
    assert addresses.made == ["thing_1"]


def test_a_request_that_made_nothing_leaves_the_key_free(signed_in: Client) -> None:
    addresses.failures.append(Invalid("No."))
    assert send(signed_in, {"early": True}).status_code == 400
    assert not IdempotencyKey.objects.exists()


def test_while_the_first_is_at_work_the_second_is_told_to_come_back(
    signed_in: Client, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "PATIENCE", 0.1)
    send(signed_in)
    IdempotencyKey.objects.update(subject="")
    busy = send(signed_in)
    assert (busy.status_code, busy.json()["code"], busy.json()["retryable"]) == (409, "in_progress", True)


def test_a_request_whose_process_died_does_not_block_its_key(signed_in: Client) -> None:
    send(signed_in)
    died = timezone.now() - timedelta(seconds=idempotency.ABANDONED + 1)
    IdempotencyKey.objects.update(subject="", created_at=died)
    assert send(signed_in).json()["id"] == "thing_2"


@pytest.mark.parametrize("key", ["", "with space", "x" * 256, "é"])
def test_a_malformed_key_is_400(signed_in: Client, key: str) -> None:
    refused = send(signed_in, key=key)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_idempotency_key")


def test_neither_body_nor_key_is_stored(signed_in: Client) -> None:
    send(signed_in, {"prompt": "a very private prompt"}, key="my-own-key")
    stored = str(list(IdempotencyKey.objects.values()))
    assert "private" not in stored
    assert "my-own-key" not in stored


def test_a_harmless_call_is_simply_made_again(signed_in: Client) -> None:
    assert [send(signed_in, path="/api/harmless").status_code for _ in range(2)] == [200, 200]
    assert len(addresses.made) == 2
