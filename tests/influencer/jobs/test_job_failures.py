from __future__ import annotations

import pytest

from influencer.clients.errors import ServiceError
from influencer.errors import Conflict
from influencer.jobs import failures

SECRETS = [
    "GET https://graph/x?access_token=EAAG1234567890abcdefghij&fields=id",
    'answered {"access_token": "abc123", "id": 1}',
    "Authorization: Bearer abc.def.ghi was refused",
    "the token IGAAabcdefghijklmnopqrstuvwxyz0123 has expired",
    "key AIzaSyA1234567890abcdefghijklmnopqrstuv is not valid",
    "oauth_signature=abc%2B123&oauth_token=987",
    "password=hunter2, please",
    "signature: deadbeef",
]


@pytest.mark.parametrize("text", SECRETS)
def test_nothing_that_looks_like_a_credential_is_kept(text: str) -> None:
    kept = failures.redact(text)
    for secret in ("EAAG", "abc", "IGAAabc", "AIzaSy", "987", "hunter2", "deadbeef"):
        assert secret not in kept
    assert failures.HIDDEN in kept


@pytest.mark.parametrize(
    "text",
    [
        "Instagram refused the token of @mei_tnk (code 190). Reconnect the account, then retry.",
        "ComfyUI ran out of memory on studio-4090. Choose a smaller size or one image at a time.",
        "X allows 17 posts a day and 17 are used. Next possible at 23:10.",
    ],
)
def test_a_plain_sentence_stays_as_it_is(text: str) -> None:
    assert failures.redact(text) == text


def test_an_error_comes_back_as_what_it_was() -> None:
    refused = ServiceError("No.", service="X", code="403", fix="Ask.", retryable=True)
    back = failures.problem_of(failures.describe(refused, "publish"))
    assert isinstance(back, ServiceError)
    assert (back.status, back.service, back.code, back.fix, back.retryable) == (502, "X", "403", "Ask.", True)
    conflict = failures.problem_of(failures.describe(Conflict("Twice.", code="duplicate"), ""))
    assert (type(conflict), conflict.code) == (Conflict, "duplicate")


def test_an_unknown_outcome_comes_back_as_one() -> None:
    lost = ServiceError("No answer.", service="X", code="504", outcome_unknown=True)
    back = failures.problem_of(failures.describe(lost, "publish"))
    assert isinstance(back, ServiceError)
    assert (back.code, back.outcome_unknown) == ("outcome_unknown", True)


def test_the_details_of_a_problem_are_not_kept() -> None:
    problem = Conflict("No.", details={"response": "access_token=abc"})
    assert "abc" not in str(failures.describe(problem, ""))
