"""What stands against a post, worst first, each with its fix: asked before it starts, and before it goes out.

Composer, API and ledger go by what is known at once; the publisher, right before its first remote call,
by what account and image host say as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from django.urls import reverse

from characters import services as characters
from characters.images import services as images
from characters.images.models import Image
from characters.publishing import accounts
from characters.publishing.accounts import standing, tokens
from characters.publishing.checks import asking, rules
from characters.publishing.checks.checklist import Check, Proposal, worst_first
from characters.publishing.checks.rules import Content
from characters.publishing.media import provenance
from characters.publishing.models import Post
from influencer import effective
from influencer.clients import captions
from influencer.clients.platform import Platform
from influencer.errors import Invalid, Problem, Unavailable
from influencer.jobs.wording import clock_time
from influencer.web.templatetags.ui import grouped

LABEL_OFF = "Both platforms ask for it, and where the law asks for it you answer for leaving it out."
HOW = {"cropped": ", cropped to its shapes", "padded": ", white added to fit its shapes", "": ""}


def checks(proposal: Proposal, *, ask: bool = False) -> list[Check]:
    """The list, worst first.

    With `ask`, account and image host are asked where nothing fresh is known, for some seconds at
    most; without, they are in it as far as they have been asked already.
    """
    if ask:
        asking.ask(proposal)
    return _found(proposal)


def _found(proposal: Proposal) -> list[Check]:
    return worst_first([*_known(proposal), *asking.lines(proposal)])


def require(proposal: Proposal) -> None:
    """Raises the first red line that is known without asking, as `Invalid`, `Conflict` or `Unavailable`.

    The same again is left to the ledger, which asks the same rule inside its transaction.
    """
    for rule in (_account, _words, _image, _reach):
        _raise_red(rule(proposal))


def require_asked(proposal: Proposal) -> None:
    """Raises the first red line among the fresh answers of account and image host; asks nobody."""
    _raise_red(asking.lines(proposal))


def clear(post: Post) -> None:
    """Ask everything right before the first remote call. Raises the worst line, if it is red.

    A platform that can't be asked now keeps nothing back: it is called next, and says so itself.
    """
    character = characters.get(post.character_id)
    account = accounts.require(character, Platform(post.platform))
    image = images.get(post.image_id)
    words = (post.caption, post.alt_text, post.ai_label)
    proposal = Proposal(character, account, image, *words, in_ledger=True)
    if not tokens.known_of(character, account).held():  # it waits first, and asking costs
        asking.ask(proposal, believing=False)
    found = _found(proposal)
    if refusal := asking.refusal(proposal):
        mark = accounts.mark_of(character, account.platform)
        standing.count_refusal(account.key, str(refusal.code), refusal.sentence, mark)
    _raise_red(found)


def _raise_red(found: Iterator[Check] | list[Check]) -> None:
    for check in found:
        if check.level == "bad" and check.problem is not None:
            raise check.problem


def _known(proposal: Proposal) -> Iterator[Check]:
    for rule in RULES:
        yield from rule(proposal)


def _account(proposal: Proposal) -> Iterator[Check]:
    account = proposal.account
    if account.kind == "none":
        problem = _caught(accounts.require, proposal.character, account.platform)
        if problem:
            yield Check.red(f"No {account.name} account", problem, ("Add credentials", "#accounts"))
        return
    if problem := _caught(standing.require_open, account.key):
        yield Check.red(f"{account.name}: paused", problem, ("Resume", "#accounts"))
    known = tokens.known_of(proposal.character, account)
    if known.held_until and known.held():
        title = f"{account.name}: waits until {clock_time(known.held_until)}"
        detail = f"{known.hold_reason.rstrip('.')}. It goes out by itself after that."
        yield Check("warn", title, detail, code="held")
    if account.sandbox:
        note = account.note or "The post appears in the feed on this computer and nowhere else."
        yield Check("ok", f"{account.name}: sandbox", note, code="account")
    else:
        yield Check("ok", f"{account.name}: credentials are set", account.handle, code="account")


def _words(proposal: Proposal) -> Iterator[Check]:
    platform, name = proposal.account.platform, proposal.account.name
    problem = _caught(rules.check_words, platform, proposal.caption, proposal.alt_text)
    for finding in captions.check(platform, proposal.caption, proposal.alt_text):
        fix = ("Shorten", "#id_alt_text" if finding.code.startswith("alt_text") else "#id_caption")
        if finding.level == "error":
            yield Check("bad", finding.message, fix=fix, code=finding.code, problem=problem)
        else:
            yield Check("warn", finding.message, code=finding.code)
    if problem is None:
        count = captions.count(platform, proposal.caption)
        detail = f"{grouped(count.used)} of {grouped(count.limit)} characters."
        yield Check("ok", f"Caption fits {name}", detail, code="caption")
    if not proposal.alt_text.strip():
        detail = "People who can't see the image hear it read aloud."
        yield Check("warn", "No alt text", detail, ("Write it", "#id_alt_text"), code="no_alt_text")


def _image(proposal: Proposal) -> Iterator[Check]:
    if proposal.account.kind == "none":
        return
    if problem := _caught(rules.check_image, proposal.image, proposal.account):
        yield Check.red("Sandbox image", problem)
    elif proposal.image is None:
        yield Check("ok", "A new image is made first", "It is cut to the platform's limits.", code="image")
    else:
        yield _fit(proposal.image, proposal.account.platform, ai=proposal.ai_label)


def _fit(image: Image, platform: Platform, *, ai: bool) -> Check:
    """What the platform will get: converting shows format, shape and size as they will be."""
    try:
        width, height, size, fitted = _converted(str(image.path), platform, ai, effective.config().c2pa_cert)
    except Invalid as problem:
        return Check.red("The image can't be used", problem)
    except Unavailable as problem:
        return Check.red("The image can't be signed", problem)
    except OSError:
        gone = Invalid("The file of this image is gone. Choose another one.", code="image_gone")
        return Check.red("The image is gone", gone)
    weight = f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.0f} kB"
    detail = f"{width} × {height}, {weight} JPEG{HOW[fitted]}."
    return Check("ok", "Image is made to fit", detail, code="image")


@lru_cache(maxsize=256)
def _converted(path: str, platform: Platform, ai: bool, signed: str) -> tuple[int, int, int, str]:
    """An image's file never changes, so it is converted for this once."""
    with open(path, "rb") as file:
        made = provenance.picture_for(file.read(), platform, ai=ai)
    return made.width, made.height, len(made.jpeg), made.fitted


def _reach(proposal: Proposal) -> Iterator[Check]:
    if problem := _caught(rules.check_reach, proposal.account):
        yield Check.red("Instagram can't fetch the image", problem)


def _same_again(proposal: Proposal) -> Iterator[Check]:
    if proposal.in_ledger or proposal.account.kind == "none":
        return
    content = Content.of(proposal.image, proposal.caption)
    if problem := _caught(rules.check_same_again, proposal.account, content):
        what = problem.details["same"]
        title = f"The same {what} went out within 30 days"
        fix = ("The earlier post", reverse("publishing:show", args=[problem.details["postId"]]))
        if proposal.force:
            yield Check("warn", title, "It is posted again, as you asked.", fix, code="duplicate")
        else:
            detail = f"On this {proposal.account.name} account. Post it again only if you mean to."
            yield Check("bad", title, detail, fix, code="duplicate", problem=problem)


def _label(proposal: Proposal) -> Iterator[Check]:
    if not proposal.ai_label:
        yield Check("warn", "Not labelled as AI-generated", LABEL_OFF, code="not_labelled")


RULES = (_account, _image, _reach, _words, _same_again, _label)


def _caught(rule: Callable[..., object], *given: object) -> Problem | None:
    """What a rule refuses with; None when it lets it pass."""
    try:
        rule(*given)
    except Problem as problem:
        return problem
    return None
