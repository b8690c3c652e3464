"""Both clients, as a publisher runs them, against the sandbox's stand-ins."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import requests
from PIL import Image

from influencer.clients.credentials import InstagramCredentials, XCredentials
from influencer.clients.instagram import Instagram
from influencer.clients.picture import for_platform
from influencer.clients.platform import Action, Draft, PlatformError, Publisher, Verdict, next_step
from influencer.clients.x import X
from influencer.sandbox import Sandbox
from influencer.sandbox.config import SandboxSettings
from influencer.sandbox.server import build_app
from tests.influencer.clients.scripted_server import ScriptedServer
from tests.influencer.sandbox.bench import KEY, eventually, serving

ACCOUNT = "17841400000000001"


class Stage:
    """The running sandbox, and the dashboard's address it fetches images from."""

    def __init__(self, running: Sandbox, dashboard: ScriptedServer) -> None:
        self.sandbox = running
        self.dashboard = dashboard
        self._key = {"X-Sandbox-Key": running.key}

    def instagram(self, token: str = "IGAA-practice", seconds: float = 10) -> Instagram:
        return Instagram(
            InstagramCredentials(ACCOUNT, token), base_url=self.sandbox.instagram, seconds=seconds
        )

    def x(self, token: str = "900001-practice", seconds: float = 10) -> X:
        keys = XCredentials("app-key", "app-secret", token, "access-secret")
        return X(keys, base_url=self.sandbox.x, web_url=self.sandbox.x, seconds=seconds)

    def fault(self, service: str, name: str, **more: Any) -> None:
        wish = {"service": service, "name": name, **more}
        self._ask("POST", "faults", wish)

    def limit(self, **limits: float) -> None:
        self._ask("POST", "limits", limits)

    def advance(self, seconds: float) -> None:
        self._ask("POST", "clock", {"advance": seconds})

    def posts(self, service: str, text: str) -> list[dict[str, Any]]:
        answer = self._ask("GET", f"posts?service={service}", {})
        return [post for post in answer["posts"] if post["text"] == text]

    def _ask(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        url = f"{self.sandbox.control}/{path}"
        response = requests.request(method, url, json=body, headers=self._key, timeout=10)
        assert response.ok, response.text
        return response.json()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    data = tmp_path_factory.mktemp("sandbox")
    with ScriptedServer().running() as dashboard:
        settings = SandboxSettings(data, dashboard.url, KEY, speed=50)
        with serving(lambda: build_app(settings)) as url:
            yield Stage(Sandbox(url, KEY), dashboard)


def drawn(width: int = 832, height: int = 1216) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(out, "PNG")
    return out.getvalue()


def draft(stage: Stage, platform: str, *, picture: bytes | None = None, **more: Any) -> Draft:
    """A draft with a caption of its own; the dashboard will answer one fetch with its picture."""
    made = for_platform(drawn(), platform).jpeg if picture is None else picture
    if platform == "instagram":
        stage.dashboard.answer(made, Content_Type="image/jpeg")
    caption = f"Morning light & coffee on example.com {uuid4().hex}\n#harbour"
    return Draft(made, f"{stage.dashboard.url}/m/token.jpg", caption, **{"alt_text": "A woman", **more})


def run(publisher: Publisher, draft: Draft, until: str = "") -> dict[str, str]:
    """What the publishing job does, without its ledger and its waiting."""
    ids: dict[str, str] = {}
    for _ in range(1000):
        step = next_step(publisher.steps, ids)
        if step is None or step.name == until:
            return ids
        ids |= step.call(draft, ids).ids
    raise AssertionError(f"still at {step}")


def failure(publisher: Publisher, draft: Draft, step: str, ids: Mapping[str, str]) -> PlatformError:
    (call,) = [one.call for one in publisher.steps if one.name == step]
    with pytest.raises(PlatformError) as caught:
        call(draft, ids)
    return caught.value


@pytest.mark.parametrize("platform", ["instagram", "x"])
@pytest.mark.parametrize("ai_label", [True, False])
def test_a_post_appears_with_image_alt_text_and_label(stage: Stage, platform: str, ai_label: bool) -> None:
    publisher: Publisher = stage.instagram() if platform == "instagram" else stage.x()
    wanted = draft(stage, platform, ai_label=ai_label)
    ids = run(publisher, wanted)
    (post,) = stage.posts(platform, wanted.caption)
    assert post["id"] == ids["remote_id"]
    assert bool(post["ai_label"]) is ai_label
    (picture,) = post["pictures"]
    sizes = {"instagram": (832, 1040), "x": (832, 1216)}
    assert (picture["width"], picture["height"], picture["alt"]) == (*sizes[platform], "A woman")
    assert ids["permalink"].startswith(stage.sandbox.url)
    page = requests.get(ids["permalink"], timeout=10)
    assert page.status_code == 200 and "#harbour" in page.text


@pytest.mark.parametrize("size", [(720, 1280), (3000, 900), (1, 900), (64, 64), (2000, 2500), (1911, 1000)])
def test_instagram_takes_what_is_made_of_any_shape(stage: Stage, size: tuple[int, int]) -> None:
    made = for_platform(drawn(*size), "instagram").jpeg
    assert run(stage.instagram(), draft(stage, "instagram", picture=made), until="publish")


def test_x_gives_back_what_it_made_of_the_text(stage: Stage) -> None:
    x = stage.x()
    post = x.create_post(f"see example.com {uuid4().hex}", (x.upload(for_platform(drawn(), "x").jpeg),))
    assert "https://t.co/" in post.text and "example.com" not in post.text
    quota = x.quota()
    assert quota is not None and quota.limit == 10_000 and quota.used > 0


def test_accounts_and_quota_are_read(stage: Stage) -> None:
    instagram = stage.instagram()
    assert instagram.quota().limit == 100  # from now on the token is this account's
    assert instagram.account().id == ACCOUNT
    assert stage.instagram("EAA-practice").account().id == ACCOUNT
    account = stage.x().account()
    assert account.id == "900001" and account.username


@pytest.mark.parametrize(
    ("token", "step", "code", "action"),
    [
        ("IGAA-EXPIRED", "container", "190/463", Action.REAUTHORISE),
        ("IGAA-REVOKED", "container", "190/458", Action.REAUTHORISE),
        ("IGAA-RESTRICTED", "container", "25/2207050", Action.GIVE_UP),
        ("IGAA-RATE", "container", "4", Action.WAIT),
        ("IGAA-SPAM", "publish", "4/2207051", Action.GIVE_UP),
        ("IGAA-QUOTA", "publish", "9/2207042", Action.WAIT),
    ],
)
def test_instagrams_forced_errors(stage: Stage, token: str, step: str, code: str, action: Action) -> None:
    instagram = stage.instagram(token)
    ids: dict[str, str] = {}
    wanted = Draft(b"", f"{stage.dashboard.url}/m/token.jpg")
    if step == "publish":
        wanted = draft(stage, "instagram")
        ids = run(instagram, wanted, until="publish")
    error = failure(instagram, wanted, step, ids)
    assert (error.code, error.action, error.outcome_unknown) == (code, action, False)
    assert error.retry_after == (19 * 60 if token == "IGAA-RATE" else error.retry_after)


@pytest.mark.parametrize(
    ("token", "code", "action"),
    [
        ("X-UNAUTHORIZED", "unauthorized", Action.REAUTHORISE),
        ("X-CREDITS", "credits", Action.WAIT),
        ("X-SPENDCAP", "spend_cap", Action.WAIT),
        ("X-SUSPENDED", "account_suspended", Action.GIVE_UP),
        ("X-READONLY", "read_only_keys", Action.REAUTHORISE),
        ("X-RATE", "rate_limit", Action.WAIT),
        ("X-DOWN", "out_of_order", Action.RETRY),
    ],
)
def test_xs_forced_errors(stage: Stage, token: str, code: str, action: Action) -> None:
    error = failure(stage.x(token), draft(stage, "x"), "upload", {})
    assert (error.code, error.action) == (code, action)
    if token == "X-RATE":
        assert error.retry_after is not None and 50 < error.retry_after <= 66


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (drawn(100, 100), "image/png", "36001/2207005"),
        (b"<html>ngrok</html>", "text/html", "9004/2207052"),
    ],
)
def test_instagram_refuses_an_unprepared_picture(stage: Stage, content: bytes, kind: str, code: str) -> None:
    stage.dashboard.answer(content, Content_Type=kind)
    wanted = Draft(b"", f"{stage.dashboard.url}/m/token.jpg")
    assert failure(stage.instagram(), wanted, "container", {}).code == code


def test_instagram_refuses_a_picture_that_is_not_reachable(stage: Stage) -> None:
    error = failure(stage.instagram(), Draft(b"", "http://192.168.0.7/m/token.jpg"), "container", {})
    assert (error.code, error.message) == (
        "9004/2207052",
        "Instagram could not fetch the image (code 9004/2207052).",
    )


def test_a_failed_container_is_told_by_its_subcode(stage: Stage) -> None:
    stage.fault("instagram", "container_error", subcode="2207076")
    instagram, wanted = stage.instagram(), draft(stage, "instagram")
    with pytest.raises(PlatformError) as caught:
        run(instagram, wanted)
    assert (caught.value.code, caught.value.action) == ("2207076", Action.START_OVER)


# Unknown outcomes


@pytest.mark.parametrize("fault", ["error", "timeout", "reset"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_unknown_outcome_on_instagram_is_looked_up(stage: Stage, fault: str, moment: str) -> None:
    instagram, wanted = stage.instagram(seconds=0.5 if fault == "timeout" else 10), draft(stage, "instagram")
    ids, since = run(stage.instagram(), wanted, until="publish"), datetime.now(UTC)
    stage.fault("instagram", f"publish.{fault}_{moment}")
    error = failure(instagram, wanted, "publish", ids)
    assert (error.code, error.outcome_unknown, error.retryable) == ("outcome_unknown", True, False)
    if moment == "after":
        eventually(lambda: stage.posts("instagram", wanted.caption))
    found = stage.instagram().look_up(wanted, ids, since=since)
    posted = stage.posts("instagram", wanted.caption)
    if moment == "after":
        assert found.verdict is Verdict.PUBLISHED
        assert found.ids["remote_id"] == posted[0]["id"] and found.ids["permalink"]
    else:
        assert (found.verdict, posted) == (Verdict.NOT_PUBLISHED, [])


@pytest.mark.parametrize("fault", ["error", "timeout", "reset"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_unknown_outcome_on_x_is_looked_up(stage: Stage, fault: str, moment: str) -> None:
    x, wanted = stage.x(seconds=0.5 if fault == "timeout" else 10), draft(stage, "x")
    ids, since = run(stage.x(), wanted, until="publish"), datetime.now(UTC)
    stage.fault("x", f"tweet.{fault}_{moment}")
    stage.limit(x_timeline_lag=0)
    error = failure(x, wanted, "publish", ids)
    assert (error.code, error.outcome_unknown, error.retryable) == ("outcome_unknown", True, False)
    if moment == "after":
        eventually(lambda: stage.posts("x", wanted.caption))
    found = stage.x().look_up(wanted, ids, since=since)
    posted = stage.posts("x", wanted.caption)
    if moment == "after":
        assert (found.verdict, found.ids["remote_id"]) == (Verdict.PUBLISHED, posted[0]["id"])
        again = failure(stage.x(), wanted, "publish", ids)
        assert (again.code, again.outcome_unknown) == ("duplicate", False)
    else:
        assert (found.verdict, posted) == (Verdict.UNCLEAR, [])


def test_a_timeline_that_lags_leaves_it_unclear(stage: Stage) -> None:
    x, wanted = stage.x(), draft(stage, "x")
    stage.limit(x_timeline_lag=100_000)
    ids, since = run(x, wanted, until="publish"), datetime.now(UTC)
    ids |= x.steps[2].call(wanted, ids).ids
    assert x.look_up(wanted, ids, since=since).verdict is Verdict.UNCLEAR
    stage.limit(x_timeline_lag=0)
    assert x.look_up(wanted, ids, since=since).ids["remote_id"] == ids["remote_id"]


def test_after_a_day_container_and_upload_are_gone(stage: Stage) -> None:
    instagram, x = stage.instagram(), stage.x()
    first, second = draft(stage, "instagram"), draft(stage, "x")
    container, upload = run(instagram, first, until="publish"), run(x, second, until="publish")
    stage.advance(86_401)
    assert failure(instagram, first, "processing", container).code == "container_expired"
    assert failure(instagram, first, "publish", container).code == "24/2207008"
    error = failure(x, second, "publish", upload)
    assert (error.code, error.action, error.tries) == ("media_unknown", Action.START_OVER, 1)
