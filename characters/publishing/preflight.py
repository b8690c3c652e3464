"""What is known before a post goes out: worst first, each with its fix. Asks nobody outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from characters.images.models import Image
from characters.models import Character
from characters.publishing import accounts, posting
from influencer.clients import captions
from influencer.clients.platform import Platform
from influencer.errors import Conflict

Level = Literal["bad", "warn", "ok"]
ORDER = ("bad", "warn", "ok")
SAID = {"bad": "Must be fixed: ", "warn": "Check: ", "ok": "Fine: "}
ICONS = {"bad": "circle-x", "warn": "triangle-alert", "ok": "circle-check"}


@dataclass(frozen=True)
class Check:
    """One line of the list; `fix` is (text, address) when there is something to do."""

    level: Level
    title: str
    detail: str = ""
    fix: tuple[str, str] | None = None

    @property
    def icon(self) -> str:
        return ICONS[self.level]

    @property
    def said(self) -> str:
        return SAID[self.level]


def checks(
    character: Character, platform: Platform, *, image: Image | None, caption: str, alt_text: str
) -> list[Check]:
    """The list for one platform, worst first."""
    found = [
        _account(character, platform),
        *_image(character, platform, image),
        *_caption(platform, caption, alt_text),
    ]
    return sorted(found, key=lambda check: ORDER.index(check.level))


def _account(character: Character, platform: Platform) -> Check:
    account = accounts.account(character, platform)
    if account.kind == "none":
        return Check("bad", f"No {account.name} account", account.note, ("Add credentials", "#accounts"))
    if account.sandbox:
        note = account.note or "The post appears in the feed on this computer and nowhere else."
        return Check("ok", f"{account.name}: sandbox", note)
    return Check("ok", f"{account.name}: credentials are set", account.handle)


def _image(character: Character, platform: Platform, image: Image | None) -> list[Check]:
    account = accounts.account(character, platform)
    if account.kind == "none":
        return []
    try:
        posting.check_image(image, account)
    except Conflict as problem:
        return [Check("bad", "Sandbox image", problem.message)]
    if fault := posting.reach_fault(account):
        return [Check("bad", "Instagram can't fetch the image", fault)]
    if image is None:
        return [Check("ok", "A new image is made first", "It is cut to the platform's limits.")]
    size = f"{image.width} × {image.height}, sent as JPEG within the limits."
    return [Check("ok", "Image is made to fit", size)]


def _caption(platform: Platform, caption: str, alt_text: str) -> list[Check]:
    count = captions.count(platform, caption)
    name = accounts.NAMES[platform]
    found = [
        Check("bad" if finding.level == "error" else "warn", finding.message)
        for finding in captions.check(platform, caption, alt_text)
    ]
    if not any(check.level == "bad" for check in found):
        found.append(Check("ok", f"Caption fits {name}", f"{count.used} of {count.limit} characters."))
    if not alt_text.strip():
        found.append(Check("warn", "No alt text", "People who can't see the image hear it read aloud."))
    return found
