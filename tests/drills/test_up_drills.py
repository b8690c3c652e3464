"""Kill what `up` runs, one after the other, in the middle of work: everything comes back.

The limits are those of `docs/operations.md`. Run with `-s` for the figures.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drills import product as products
from tests.drills.product import Product
from tests.running import alive, running_up, status, until

pytestmark = pytest.mark.drill

# Half as fast as the stand-in usually is: 40 steps take about 16 s.
SLOW = "0.5"
LONG = 40


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running_up(tmp_path_factory.mktemp("drills"), INFLUENCER_SANDBOX_SPEED=SLOW) as running:
        yield products.of(running)


@pytest.fixture(scope="module")
def character(product: Product) -> str:
    return product.add_character()


class Watch:
    """Prints how long something took."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.began = time.monotonic()

    def tell(self, outcome: str) -> None:
        print(f"\n{self.what}: {outcome} after {time.monotonic() - self.began:.1f} s")


@pytest.mark.parametrize("name", ["web", "clock", "sandbox"])
def test_a_killed_process_is_back_within_10_seconds(product: Product, name: str) -> None:
    before = product.running.children()[name]
    watch = Watch(f"kill -9 {name}")
    os.kill(before, signal.SIGKILL)
    until(lambda: product.running.children().get(name, before) != before, 10, product.running.said)
    watch.tell("another one runs")
    assert status(product.running.url + "/login/", seconds=60) == 200
    watch.tell("a page is answered")
    until(product.stand_ins, 10, product.running.said)
    assert not alive(before)


def test_a_request_during_the_web_servers_restart_waits_and_is_answered(product: Product) -> None:
    os.kill(product.running.children()["web"], signal.SIGKILL)
    assert status(product.running.url + "/login/", seconds=60) == 200


def test_the_web_server_may_die_while_a_job_runs(product: Product, character: str) -> None:
    job = product.generate(character)
    product.until_generating(job)
    os.kill(product.running.children()["web"], signal.SIGKILL)
    assert product.until_state(job, "succeeded", "failed", seconds=60) == "succeeded"
    assert product.row(job)["attempts"] == 1
    assert product.job(job)["result"]["imageIds"]


def test_a_killed_workers_generation_goes_on_within_60_seconds(product: Product, character: str) -> None:
    sent = product.prompts_sent()
    job = product.generate(character, steps=LONG)
    product.until_generating(job)
    worker = product.forks("gpu")[0]
    watch = Watch("kill -9 worker in mid-generation")
    os.kill(worker, signal.SIGKILL)
    until(lambda: product.row(job)["attempts"] == 2, 60, product.running.said)
    watch.tell("it goes on")
    assert product.until_state(job, "succeeded", "failed", seconds=60) == "succeeded"
    assert product.prompts_sent() == sent + 1


def test_a_frozen_cluster_and_one_without_monitor_work_again_within_90_seconds(
    product: Product, character: str
) -> None:
    sent = product.prompts_sent()
    job = product.generate(character, steps=LONG)
    product.until_generating(job)
    frozen = product.running.children()["gpu"]
    watch = Watch("frozen gpu cluster, killed monitor of default")
    os.killpg(frozen, signal.SIGSTOP)
    os.kill(product.forks("default")[2], signal.SIGKILL)
    answered = product.last_answer("default")

    # django-q2 replaces a monitor that was killed between two tasks; one that waited blocks the cluster.
    until(lambda: product.last_answer("default") > answered, 90, product.running.said)
    watch.tell("default answers again")
    until(lambda: product.row(job)["attempts"] == 2, 90, product.running.said)
    watch.tell("the generation goes on")
    assert not alive(frozen)
    assert product.until_state(job, "succeeded", "failed", seconds=60) == "succeeded"
    assert product.prompts_sent() == sent + 1


def test_the_clock_may_die_while_a_job_runs(product: Product, character: str) -> None:
    job = product.generate(character)
    product.until_generating(job)
    os.kill(product.running.children()["clock"], signal.SIGKILL)
    assert product.until_state(job, "succeeded", "failed", seconds=60) == "succeeded"
    assert product.row(job)["attempts"] == 1


def test_a_comfyui_that_lost_the_prompt_is_said_and_retry_makes_the_image(
    product: Product, character: str
) -> None:
    job = product.generate(character, steps=LONG)
    product.until_generating(job)
    watch = Watch("kill -9 sandbox in mid-generation")
    os.kill(product.running.children()["sandbox"], signal.SIGKILL)
    state = product.until_state(job, "succeeded", "failed", seconds=60)
    watch.tell(f"the job has {state}: {product.job(job)['error']}")
    if state == "failed":
        assert product.call("POST", f"/api/jobs/{job}/retry")[0] in {200, 202}
        assert product.until_state(job, "succeeded", "failed", seconds=60) == "succeeded"
    assert product.prompts_sent() == 1, "the new server was given the prompt once"


def test_a_stop_in_mid_generation_takes_at_most_20_seconds_and_loses_nothing(tmp_path: Path) -> None:
    with running_up(tmp_path, INFLUENCER_SANDBOX_SPEED=SLOW) as running:
        first = products.of(running)
        job = first.generate(first.add_character(), steps=LONG)
        first.until_generating(job)
        pids = list(running.processes())
        watch = Watch("SIGTERM in mid-generation")
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(timeout=20) == 0
        watch.tell("everything has stopped")
    assert not [pid for pid in pids if alive(pid)]
    assert first.row(job)["state"] in {"queued", "waiting", "running"}
    with running_up(tmp_path, INFLUENCER_SANDBOX_SPEED=SLOW) as running:
        second = products.of(running)
        watch = Watch("the next start")
        state = second.until_state(job, "succeeded", "failed", seconds=120)
        watch.tell(f"the job has {state}")
        assert state == "succeeded" or second.job(job)["error"]["code"] == "lost"
