"""The steps of a post, and what an error says."""

from __future__ import annotations

import pytest

from influencer.clients.platform import (
    POLL_DELAYS,
    Action,
    Answer,
    Call,
    Outcome,
    PlatformError,
    Rule,
    Stage,
    Step,
    never_ready,
    next_step,
    poll_delay,
)

STEPS = (
    Step("one", "One", "a", Stage.RESERVED, lambda draft, ids: Outcome()),
    Step("two", "Two", "b", Stage.PUBLISHING, lambda draft, ids: Outcome()),
)
RULE = Rule("2", Action.RETRY, "X is down", "Wait.", tries=3, wait=60, uncertain=True)


def test_the_next_step_is_the_first_whose_id_is_missing() -> None:
    assert next_step(STEPS, {}) is STEPS[0]
    assert next_step(STEPS, {"a": "1"}) is STEPS[1]
    assert next_step(STEPS, {"a": "1", "b": "2"}) is None


def test_the_step_that_publishes_is_the_decisive_one() -> None:
    assert [step.decisive for step in STEPS] == [False, True]


def test_polling_starts_fast_and_ends_after_about_five_minutes() -> None:
    assert [poll_delay(polls) for polls in (1, 2, 3, 4)] == [1, 2, 4, 8]
    assert poll_delay(len(POLL_DELAYS)) == 60
    assert poll_delay(len(POLL_DELAYS) + 1) is None
    assert 240 <= sum(POLL_DELAYS) <= 360


def test_a_picture_that_is_never_ready_starts_over() -> None:
    error = never_ready("Instagram")
    assert (error.action, error.code, error.retryable) == (Action.START_OVER, "never_ready", True)


def test_an_error_carries_what_its_rule_says() -> None:
    error = PlatformError(RULE, Call("X", "upload"), Answer(503, said="Service Unavailable"))
    assert error.message == "X is down (code 2)."
    assert (error.code, error.fix, error.http_status, error.retry_after) == ("2", "Wait.", 503, 60)
    assert (error.retryable, error.outcome_unknown) == (True, False)
    assert (error.action, error.tries, error.then) == (Action.RETRY, 3, Action.GIVE_UP)
    assert error.details == {
        "step": "upload",
        "reason": "2",
        "action": "retry",
        "said": "Service Unavailable",
    }


def test_the_same_error_in_the_decisive_step_leaves_the_outcome_unknown() -> None:
    error = PlatformError(RULE, Call("X", "publish", decisive=True), Answer(503))
    assert (error.code, error.outcome_unknown, error.retryable) == ("outcome_unknown", True, False)
    assert error.message == "X is down (code 2); the post may exist."
    assert error.details["reason"] == "2"


def test_a_server_error_is_uncertain_whatever_its_rule_says() -> None:
    rule = Rule("190", Action.REAUTHORISE, "Refused", "Reconnect.")
    call = Call("X", "publish", decisive=True)
    assert PlatformError(rule, call, Answer(500)).outcome_unknown
    assert not PlatformError(rule, call, Answer(400)).outcome_unknown


@pytest.mark.parametrize(
    ("action", "retryable"),
    [
        (Action.RETRY, True),
        (Action.START_OVER, True),
        (Action.WAIT, True),
        (Action.REAUTHORISE, False),
        (Action.GIVE_UP, False),
    ],
)
def test_only_what_can_succeed_unchanged_is_retryable(action: Action, retryable: bool) -> None:
    error = PlatformError(Rule("1", action, "No", "Fix."), Call("X", "publish", decisive=True))
    assert error.retryable is retryable
