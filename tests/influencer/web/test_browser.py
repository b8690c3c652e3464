"""The frame in a real Chromium: accessible, under the policy, by keyboard, without scripts."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, Response, expect

from influencer.web import setup
from influencer.web.models import ApiToken
from tests.influencer.web.addresses import make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHOTS = os.environ.get("SCREENSHOTS", "")
# What Chromium and htmx say of every answer from 400 on.
REFUSED = ("Failed to load resource", "Response Status Error Code")
SCREENS = {"1280": (1280, 860), "390": (390, 844)}


@pytest.fixture
def open_page(browser: Browser, live_server: Any, settings: Any) -> Iterator[Callable[..., Page]]:
    """Opens a page; at the end none may have broken the policy or raised an error."""
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, debug=True, fixed=frozenset())
    complaints: list[str] = []
    contexts = []

    def opened(path: str, *, user: User | None = None, screen: str = "1280", **options: Any) -> Page:
        width, height = SCREENS[screen]
        context = browser.new_context(
            base_url=live_server.url, viewport={"width": width, "height": height}, **options
        )
        contexts.append(context)
        if user:
            client = Client()
            client.force_login(user)
            name = settings.SESSION_COOKIE_NAME
            context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        page = context.new_page()
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("response", lambda answer: complaints.append(answer.url) if _is_missing(answer) else None)
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [text for text in complaints if not text.startswith(REFUSED)] == []


def _is_missing(answer: Response) -> bool:
    return answer.status >= 400 and "/static/" in answer.url


@pytest.fixture
def owner() -> User:
    return make_user()


def looked_at(page: Page, name: str) -> None:
    """Keeps a screenshot where SCREENSHOTS names a folder."""
    if SHOTS:
        page.wait_for_timeout(300)  # colours fade where Django says so
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def assert_accessible(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert sideways <= 0


PAGES = ["login", "setup", "styleguide", "missing", "closed", "dialog", "damaged", "admin", "token"]
DJANGOS_OWN = {"admin", "token"}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("screen", SCREENS)
def test_every_page_is_accessible_and_keeps_the_policy(
    open_page: Any, data_dir: Path, name: str, screen: str
) -> None:
    path, user = _address(name, data_dir)
    page = open_page(path, user=user, screen=screen)
    page.wait_for_load_state("networkidle")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        looked_at(page, f"{name}-{screen}-{scheme}")
        if name not in DJANGOS_OWN:
            assert_accessible(page)


def _address(name: str, data_dir: Path) -> tuple[str, User | None]:
    if name == "setup":
        return f"/setup/{setup.make_link()}/", None
    user = make_user()
    if name == "damaged":
        (data_dir / "settings.json").write_text("{ no")
    if name == "token":
        token = ApiToken.objects.create(name="laptop", user=user, token_hash="x" * 64)
        return f"/admin/web/apitoken/{token.pk}/change/", user
    paths = {
        "login": "/login/",
        "closed": "/setup/guess/",
        "styleguide": "/styleguide/",
        "missing": "/nowhere/",
        "dialog": "/dialog/",
        "damaged": "/page/",
        "admin": "/admin/",
    }
    return paths[name], None if name in {"login", "closed"} else user


ADMIN_PAGES = [
    "/admin/",
    "/admin/auth/user/",
    "/admin/auth/user/add/",
    "/admin/auth/user/1/change/",
    "/admin/auth/user/1/history/",
    "/admin/auth/user/1/delete/",
    "/admin/auth/group/add/",
    "/admin/web/apitoken/",
    "/admin/password_change/",
]


@pytest.mark.parametrize("path", ADMIN_PAGES)
def test_the_admin_works_under_the_policy(open_page: Any, owner: User, path: str) -> None:
    page = open_page(path.replace("/1/", f"/{owner.pk}/"), user=owner)
    page.wait_for_load_state("networkidle")
    looked_at(page, "admin" + path.replace("/", "-"))
    expect(page.locator(".topbar")).to_be_visible()


def test_the_owner_is_set_up_in_a_browser(open_page: Any) -> None:
    page = open_page(f"/setup/{setup.make_link()}/")
    page.get_by_label("User name").fill("mira")
    page.get_by_label("Password").fill("moths above the harbour")
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/page/")
    assert User.objects.get().username == "mira"


def test_the_chosen_theme_stays_and_the_admin_follows(open_page: Any, owner: User) -> None:
    page = open_page("/page/", user=owner, color_scheme="light")
    page.get_by_label("Account", exact=True).click()
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.goto("/admin/")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


def test_the_menu_closes_by_escape_and_gives_the_focus_back(open_page: Any, owner: User) -> None:
    page = open_page("/page/", user=owner)
    page.get_by_label("Account", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Admin")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Admin")).to_be_hidden()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Account"


def test_the_first_tab_stop_skips_to_the_content(open_page: Any, owner: User) -> None:
    page = open_page("/page/", user=owner)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_dialog_opens_over_the_page_and_its_deed_is_told(open_page: Any, owner: User) -> None:
    page = open_page("/opener/", user=owner)
    page.get_by_role("link", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete Luna?")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("link", name="Keep")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/page/")
    expect(page.locator(".toasts")).to_contain_text("Saved <b>Luna</b>. See her")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator(".toasts > .toast")).to_have_count(0)


def test_a_failure_of_a_fragment_is_a_toast_that_stays(open_page: Any, owner: User) -> None:
    page = open_page("/opener/", user=owner)
    page.get_by_role("button", name="Fail").click()
    expect(page.locator(".toasts > .toast[data-stays]")).to_have_text("Choose another name.")
    page.get_by_role("button", name="Break").click()
    expect(page.locator(".toasts > .toast").last).to_contain_text("That did not work (500)")


def test_a_double_click_sends_once(open_page: Any, owner: User) -> None:
    page = open_page("/opener/", user=owner)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "/slow/" in request.url else None)
    page.get_by_role("button", name="Post").dblclick()
    expect(page.get_by_role("button", name="Post")).not_to_have_attribute("aria-busy", "true")
    assert len(sent) == 1


def test_without_scripts_a_dialog_is_a_page_that_works(open_page: Any, owner: User) -> None:
    page = open_page("/opener/", user=owner, java_script_enabled=False)
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/page/")
    expect(page.locator(".toasts")).to_contain_text("Saved")


def test_the_counter_counts_as_x_does(open_page: Any, owner: User) -> None:
    page = open_page("/styleguide/", user=owner)
    counter = page.locator("[data-count-of=id_caption]")
    expect(counter).to_have_text("36 of 280")
    page.get_by_label("Caption").fill("日本 👩‍🎤 https://example.com/a/very/long/address/indeed")
    expect(counter).to_have_text(f"{2 * 2 + 1 + 2 + 1 + 23} of 280")
    page.get_by_label("Caption").fill("x" * 281)
    expect(counter).to_have_class("bad")
