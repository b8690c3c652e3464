"""Posts among faults and dying workers: `python -m tests.drills.publishing 300 --seed 1`.

Each case is one post and one or two things that go wrong: at a step of its platform, before or after the
call takes effect. In the end nothing may be doubled, lost or left open, and the ledger must agree with
what the stand-in has received. Without a number the 24 cases of the tests are taken.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import Any

# First of all: it prepares what Django reads.
from tests.drills import publishing_rig as rig  # isort: skip

from characters.images import services as images
from characters.images.models import Image
from characters.models import Character
from characters.publishing import delivery, doubt, ledger, posting, services
from characters.publishing.models import Attempt, Post, PostState
from characters.publishing.posting import Intention
from influencer.clients.platform import Platform
from influencer.errors import Conflict
from influencer.jobs import queue
from influencer.jobs import services as jobs
from influencer.jobs.context import JobContext
from influencer.jobs.models import Job
from tests.characters.stage import drawn
from tests.drills.publishing_rig import Fate, StandIns

ROUNDS = 60
# The stand-in counts an account's calls in windows of 15 real minutes, like X itself.
PER_ACCOUNT = 20
KILLS = {"kill": signal.SIGKILL, "restart": signal.SIGTERM, "freeze": signal.SIGSTOP}
FAULTS = ("reset", "timeout", "500", "503")
TOGETHER = ("two workers", "redelivery", "double click", "two ticks")
# A platform's steps: the client's method, and what the stand-in calls the request.
STEPS: dict[str, dict[str, tuple[str, str]]] = {
    "instagram": {
        "container": ("create_container", "container"),
        "processing": ("container_status", "status"),
        "publish": ("publish", "publish"),
        "look_up": ("look_up", "status"),
        "link": ("permalink", "permalink"),
    },
    "x": {
        "upload": ("upload", "upload"),
        "alt_text": ("set_alt_text", "alt_text"),
        "publish": ("create_post", "tweet"),
        "look_up": ("look_up", "timeline"),
        "link": ("permalink", ""),
    },
}
# The product's own boundaries: where a state is committed, a step taken, an attempt ended.
OWN: dict[str, tuple[Any, str]] = {
    "commit": (delivery, "_commit_before"),
    "accept": (ledger, "accept"),
    "write": (ledger, "write"),
    "ask": (doubt, "_ask"),
    "wait": (JobContext, "wait"),
    "finish": (JobContext, "finish"),
    "renew": (JobContext, "renew"),
}


@dataclass(frozen=True)
class Trouble:
    """One thing that goes wrong: `what`, at which step, before or after it takes effect."""

    what: str
    step: str = "publish"
    when: str = "after"
    call: int = 1

    def __str__(self) -> str:
        return self.what if self.what in TOGETHER else f"{self.what} {self.when} {self.step}"


@dataclass
class Case:
    """One post, what goes wrong with it, and what came of it."""

    platform: str
    troubles: tuple[Trouble, ...]
    lag: int = 0  # for how many rounds X's timeline shows nothing new
    number: int = 0
    outcome: str = ""
    settled: str = ""
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        words = ", then ".join(map(str, self.troubles))
        return f"{self.platform}: {words}{f', timeline lags {self.lag} rounds' if self.lag else ''}"

    @property
    def text(self) -> str:
        return f"Case {self.number} & more"


def fixed() -> list[Case]:
    """The 24 of the tests: every step and every kind of trouble at least once."""

    def case(platform: str, *troubles: Trouble, lag: int = 0) -> Case:
        return Case(platform, troubles, lag)

    lost, early = Trouble("503", when="after"), Trouble("500", when="before")
    return [
        case("instagram", Trouble("kill", "container", "before")),
        case("instagram", Trouble("kill", "container", "after")),
        case("instagram", Trouble("restart", "processing", "after")),
        case("instagram", Trouble("reset", "processing", "before")),
        case("instagram", Trouble("kill", "publish", "before")),
        case("instagram", Trouble("kill", "publish", "after")),
        case("instagram", Trouble("freeze", "publish", "before")),
        case("instagram", Trouble("timeout", "publish", "after")),
        case("instagram", Trouble("503", "publish", "before"), Trouble("kill", "look_up", "after")),
        case("instagram", Trouble("500", "publish", "after"), Trouble("restart", "link", "after")),
        case("x", Trouble("kill", "upload", "after")),
        case("x", Trouble("timeout", "upload", "before"), Trouble("restart", "alt_text", "after")),
        case("x", Trouble("kill", "publish", "before")),
        case("x", Trouble("kill", "publish", "after")),
        case("x", Trouble("freeze", "publish", "before")),
        case("x", Trouble("freeze", "publish", "after")),
        case("x", Trouble("reset", "publish", "after"), lag=5),
        case("x", early, Trouble("kill", "look_up", "before")),
        case("x", lost, Trouble("kill", "write", "after"), lag=9),
        case("x", Trouble("kill", "link", "before")),
        case("x", Trouble("two workers"), lost),
        case("instagram", Trouble("redelivery"), Trouble("reset", "publish", "after")),
        case("x", Trouble("double click"), early),
        case("instagram", Trouble("two ticks"), Trouble("kill", "publish", "after")),
    ]


def drawn_by_lot(chance: random.Random) -> Case:
    """One of all there are."""
    platform = chance.choice(list(STEPS))
    troubles = tuple(_trouble(chance, platform) for _ in range(chance.choice((1, 1, 2))))
    lag = chance.randint(2, 9) if platform == "x" and chance.random() < 0.3 else 0
    return Case(platform, troubles, lag)


def _trouble(chance: random.Random, platform: str) -> Trouble:
    what = chance.choice((*KILLS, "kill", *FAULTS, chance.choice(TOGETHER)))
    when = chance.choice(("before", "after"))
    if what in KILLS:
        # One that stands still inside a transaction keeps everybody out: that is SQLite, and proves nothing.
        own = () if what == "freeze" else OWN
        step = chance.choice((*STEPS[platform], "publish", *own))
        return Trouble(what, step, when, chance.randint(1, 3) if step in OWN else 1)
    return Trouble(what, chance.choice((*STEPS[platform], "publish")), when)


# --- one case --------------------------------------------------------------------------------


@dataclass
class Drill:
    """What all cases share."""

    stand_ins: StandIns
    character: Character
    image: Image

    def run(self, case: Case) -> Case:
        self.stand_ins.control("DELETE", "faults")
        self.stand_ins.lag(10_000 if case.lag else 0)
        post = self._start(case)
        fates = [fate for trouble in case.troubles if (fate := _fate(case.platform, trouble))]
        self._order_faults(case)
        for round_ in range(ROUNDS):
            self._attempts(case, post, fates.pop(0) if fates else None)
            if round_ == case.lag:
                self.stand_ins.lag(0)
            if jobs.get(post.job_id).is_final and not fates:
                break
        self._afterwards(case, post)
        case.faults = self._judge(case, post)
        return case

    def _start(self, case: Case) -> Post:
        """Click; with some troubles twice at the same moment."""
        twice = any(trouble.what == "double click" for trouble in case.troubles)
        wanted = Intention(Platform(case.platform), case.text, "A woman", image_id=self.image.pk, force=True)
        intention = replace(wanted, nonce=f"drill {case.number}")
        clicks = [
            rig.fork(lambda: posting.start(self.character, intention)) for _ in range(2 if twice else 1)
        ]
        assert [rig.gone(pid) for pid in clicks] == [0] * len(clicks)
        return Post.objects.get(caption=case.text)

    def _order_faults(self, case: Case) -> None:
        for trouble in case.troubles:
            call = STEPS[case.platform].get(trouble.step, ("", ""))[1]
            if trouble.what in FAULTS and call:
                kind = trouble.what if trouble.what in ("reset", "timeout") else "error"
                more: dict[str, Any] = {"status": int(trouble.what)} if kind == "error" else {}
                more |= {"seconds": rig.PATIENCE + 0.4} if kind == "timeout" else {}
                self.stand_ins.order(case.platform, f"{call}.{kind}_{trouble.when}", **more)

    def _attempts(self, case: Case, post: Post, fate: Fate | None) -> None:
        """One round: time passes, the clock ticks, a worker comes; or two of each."""
        together = {trouble.what for trouble in case.troubles}
        rig.time_passes()
        ticks = [rig.fork(rig.the_clock_ticks) for _ in range(2 if "two ticks" in together else 1)]
        for pid in ticks:
            rig.gone(pid)
        first = rig.at_work(post.job_id, fate)
        if fate and fate.number == signal.SIGSTOP and rig.stands_still(first):
            self._another_goes_on(post, first)
            return
        others = [rig.at_work(post.job_id)] if "two workers" in together else []
        if "redelivery" in together:
            queue.deliver(post.job_id, "default", jobs.get(post.job_id).created_at)
            others.append(rig.at_work(post.job_id))
        for pid in (*others, *(() if fate and fate.number == signal.SIGSTOP else (first,))):
            rig.gone(pid)

    def _another_goes_on(self, post: Post, frozen: int) -> None:
        """The frozen worker's lease runs out, others see to the post, then it wakes up."""
        for _ in range(ROUNDS):
            rig.time_passes()
            rig.gone(rig.fork(rig.the_clock_ticks))
            rig.gone(rig.at_work(post.job_id))
            if jobs.get(post.job_id).is_final:
                break
        os.kill(frozen, signal.SIGCONT)
        rig.gone(frozen)

    def _afterwards(self, case: Case, post: Post) -> None:
        """The sweeper; a message delivered once more; and what a person finds who has to look."""
        rig.time_passes()
        rig.gone(rig.fork(rig.the_clock_ticks))
        rig.gone(rig.at_work(post.job_id))
        post.refresh_from_db()
        case.outcome = str(post.state)
        if post.state == PostState.UNKNOWN:
            self._look_and_settle(case, post)

    def _look_and_settle(self, case: Case, post: Post) -> None:
        self.stand_ins.control("DELETE", "faults")
        self.stand_ins.lag(0)
        there, _ = self.stand_ins.got(case.platform, case.text)
        case.settled = "it is there" if there else "it is not there, post again"
        found = there[0]["id"] if there else ""
        try:
            services.resolve(post.pk, published=bool(there), remote_id=found, retry=not there)
        except Conflict as refused:
            case.settled = f"refused: {refused.code}"
        for _ in range(ROUNDS):
            if jobs.get(post.job_id).is_final:
                break
            rig.time_passes()
            rig.gone(rig.at_work(post.job_id))

    def _judge(self, case: Case, post: Post) -> list[str]:
        """What is wrong; nothing, one hopes."""
        post.refresh_from_db()
        there, calls = self.stand_ins.got(case.platform, case.text)
        log = Attempt.objects.filter(post=post, step="publish")
        answered = log.exclude(milliseconds=None).count()
        wrong = {
            "doubled": len(there) > 1 or Post.objects.filter(caption=case.text).count() > 1,
            "lost": not there and post.state == PostState.PUBLISHED,
            "denied": bool(there) and post.state == PostState.FAILED,
            "open": not post.is_final or not jobs.get(post.job_id).is_final,
            "not published": post.state != PostState.PUBLISHED,
            "another id": bool(there) and post.remote_id != there[0]["id"],
            "no link": bool(there) and not post.permalink and not _link_fault(case) and not case.settled,
            "calls unaccounted for": not answered <= calls <= log.count(),
        }
        return [name for name, found in wrong.items() if found]


def _link_fault(case: Case) -> bool:
    """Whether the link could not be read: that does not fail a post that is out."""
    return any(trouble.step == "link" and trouble.what in FAULTS for trouble in case.troubles)


def _fate(platform: str, trouble: Trouble) -> Fate | None:
    if trouble.what not in KILLS:
        return None
    if trouble.step in OWN:
        owner, name = OWN[trouble.step]
    else:
        owner, name = rig.CLIENTS[platform], STEPS[platform][trouble.step][0]
    return Fate(owner, name, trouble.when, KILLS[trouble.what], trouble.call)


# --- all of them -----------------------------------------------------------------------------


def run(cases: list[Case]) -> list[Case]:
    """Take the cases one after the other."""
    with rig.everything() as stand_ins:
        for number, case in enumerate(cases, 1):
            if number % PER_ACCOUNT == 1:
                drill = _with_accounts_of_its_own(stand_ins)
            case.number = number
            drill.run(case)
            if case.faults:
                print(f"{number}. {case}: {', '.join(case.faults)} ({case.outcome})", file=sys.stderr)
    return cases


def _with_accounts_of_its_own(stand_ins: StandIns) -> Drill:
    luna = Character.objects.create(
        name="Luna", personality="calm", instagram_handle="@luna", twitter_handle="@luna"
    )
    return Drill(stand_ins, luna, images.add(luna.pk, drawn(320, 400)))


def figures(cases: list[Case], seconds: float) -> str:
    found = Counter(fault for case in cases for fault in case.faults)
    outcomes = Counter(case.outcome for case in cases)
    settled = Counter(case.settled for case in cases if case.settled)
    kinds = Counter(trouble.what for case in cases for trouble in case.troubles)
    return "\n".join(
        (
            f"{len(cases)} cases in {seconds:.0f} s: {dict(sorted(kinds.items()))}",
            f"{found['doubled']} doubled, {found['lost'] + found['denied']} lost, {found['open']} left open, "
            f"{found['another id'] + found['calls unaccounted for']} where ledger and stand-in disagree",
            f"outcomes {dict(outcomes)}; settled by a person {dict(settled)}",
            f"posts published {Post.objects.filter(state=PostState.PUBLISHED).count()}, "
            f"crashes survived {sum(Job.objects.values_list('crashes', flat=True))}",
        )
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.drills.publishing", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", help="how many cases by lot; none: the fixed 24")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print each case")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    cases = [drawn_by_lot(chance) for _ in range(options.count)] if options.count else fixed()
    began = time.monotonic()
    run(cases)
    if options.json:
        print(json.dumps([{**asdict(case), "name": str(case)} for case in cases]))
    else:
        print(figures(cases, time.monotonic() - began))
    return int(any(case.faults for case in cases))


if __name__ == "__main__":
    sys.exit(main())
