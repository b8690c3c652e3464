"""Following a prompt to its end, with every way the server may speak, stop or vanish."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from influencer.clients.comfyui import (
    Ending,
    Event,
    ImageRef,
    NodeFinished,
    Preview,
    Progress,
    Queued,
    Started,
    new_prompt_id,
)
from influencer.clients.errors import ServiceError
from tests.influencer.clients.comfyui.play import JPEG, Prompt
from tests.influencer.clients.comfyui.run import Run
from tests.influencer.clients.comfyui.stage import Stage

GRAPH = {"8": {"class_type": "SaveImage", "inputs": {}}}


def test_a_normal_run_gives_steps_previews_nodes_and_the_images(stage: Stage, run: Run) -> None:
    @stage.plays
    async def script(prompt: Prompt) -> None:
        await prompt.socket()
        await prompt.start()
        await prompt.state({"1": {"value": 1.0, "max": 1.0, "state": "finished"}})
        for step in (1, 2, 3):
            await prompt.preview(4)
            await prompt.step(step, 3)
        await stage.until(lambda: len(run.of(Progress)) == 3)
        await prompt.succeed("a_00001_.png", "a_00002_.png")

    outcome = run.submit().follow()

    assert outcome.ending is Ending.SUCCEEDED
    assert outcome.result() == (ImageRef("a_00001_.png", "t"), ImageRef("a_00002_.png", "t"))
    assert run.of(Progress) == [Progress(1, 3, "6"), Progress(2, 3, "6"), Progress(3, 3, "6")]
    assert [preview.jpeg for preview in run.of(Preview)] == [JPEG] * 3
    assert run.of(NodeFinished) == [NodeFinished("1")]
    assert outcome.seconds == 1.0
    assert not outcome.cached


def test_the_handshake_comes_first_and_carries_no_origin(stage: Stage, run: Run) -> None:
    @stage.plays
    async def script(prompt: Prompt) -> None:
        await prompt.socket()
        await stage.until(lambda: stage.greetings)
        await prompt.start()
        await prompt.succeed("a.png")

    run.submit().follow()

    assert stage.greetings == [{"type": "feature_flags", "data": {"supports_preview_metadata": True}}]
    handshake = next(seen for seen in stage.seen if seen.path == "/ws")
    assert "Origin" not in handshake.headers
    assert handshake.query["clientId"] == run.prompt_id


def test_previews_of_the_older_kind_are_read_too(stage: Stage, run: Run) -> None:
    @stage.plays
    async def script(prompt: Prompt) -> None:
        socket = await prompt.socket()
        await prompt.start()
        for garbage in (b"", b"\0\0\0\1", b"\0\0\0\4\xff\xff\xff\xff{}", b"\0\0\0\3\0\0\0\1xhello"):
            await socket.send_bytes(garbage)
        await socket.send_str("not json")
        await socket.send_str('{"type": "progress", "data": {"value": NaN, "max": null}}')
        await prompt.preview(1)
        await stage.until(lambda: run.of(Preview))
        await prompt.succeed("a.png")

    assert run.submit().follow().succeeded
    assert run.of(Preview) == [Preview(JPEG)]


def test_a_large_preview_that_trickles_in_is_not_torn(stage: Stage, run: Run) -> None:
    jpeg = JPEG * 3000

    @stage.plays
    async def script(prompt: Prompt) -> None:
        socket = await prompt.socket()
        await prompt.start()
        frame = _server_frame(jpeg)
        transport = socket._req.transport  # type: ignore[union-attr]
        for start in range(0, len(frame), 400_000):
            transport.write(frame[start : start + 400_000])
            await asyncio.sleep(0.05)
        await stage.until(lambda: run.of(Preview))
        await prompt.succeed("a.png")

    assert run.submit().follow().succeeded
    assert run.of(Preview) == [Preview(jpeg)]
    assert stage.count("GET", "/ws") == 1


def _server_frame(jpeg: bytes) -> bytes:
    payload = b"\0\0\0\1\0\0\0\1" + jpeg
    return b"\x82\x7f" + len(payload).to_bytes(8, "big") + payload


def test_other_peoples_frames_are_left_out(stage: Stage, run: Run) -> None:
    other = new_prompt_id()

    @stage.plays
    async def script(prompt: Prompt) -> None:
        await prompt.socket()
        await prompt.start()
        await prompt.say("progress", value=5, max=9, prompt_id=other, node="6")
        await prompt.say("execution_interrupted", prompt_id=other, node_id="6")
        await prompt.step(2, 3)
        await stage.until(lambda: run.of(Progress))
        await prompt.succeed("a.png")

    assert run.submit().follow().succeeded
    assert run.of(Progress) == [Progress(2, 3, "6")]


def test_queue_positions_count_in_the_order_of_running(stage: Stage, run: Run) -> None:
    @stage.plays
    async def script(prompt: Prompt) -> None:
        if prompt.id != run.prompt_id:
            return
        for told, other in enumerate(stage.prompts[:2], 1):
            await stage.until(lambda: len(run.events) == told)  # noqa: B023
            stage.run(other)
            await prompt.say("status", status={"exec_info": {"queue_remaining": 2}})
        await stage.until(lambda: len(run.events) == 3)
        await prompt.start()
        await stage.until(lambda: run.of(Started))
        await prompt.succeed("a.png")

    for _ in range(2):
        run.comfy.submit(GRAPH, prompt_id=new_prompt_id())
    assert run.submit().follow().succeeded
    assert run.events[:4] == [Queued(3), Queued(2), Queued(1), Started()]


def test_a_silent_websocket_still_ends_in_the_images(stage: Stage, run: Run) -> None:
    @stage.plays
    async def script(prompt: Prompt) -> None:
        await prompt.socket()
        stage.sockets.clear()
        await prompt.start()
        await stage.until(lambda: run.of(Started))
        await prompt.succeed("a.png")

    assert run.submit().follow().images == (ImageRef("a.png", "t"),)
    assert run.of(Started) == [Started()]


def test_a_socket_the_server_forgot_is_replaced(stage: Stage, run: Run) -> None:
    run.pace = replace(run.pace, silence=0.1)

    @stage.plays
    async def script(prompt: Prompt) -> None:
        await prompt.socket()
        stage.sockets.clear()
        await prompt.start()
        await prompt.socket()
        await prompt.step(2, 3)
        await stage.until(lambda: Progress(2, 3, "6") in run.events)
        await prompt.succeed("a.png")

    assert run.submit().follow().succeeded
    assert run.of(Progress) == [Progress(2, 3, "6")]


def test_no_websocket_at_all_still_ends_in_the_images(stage: Stage, run: Run) -> None:
    stage.order("GET", "/ws", status=403)

    @stage.plays
    async def script(prompt: Prompt) -> None:
        await prompt.start()
        await stage.until(lambda: run.of(Started))
        await prompt.succeed("a.png")

    assert run.submit().follow().succeeded


def test_a_dropped_websocket_is_taken_up_again(stage: Stage, run: Run) -> None:
    @stage.plays
    async def script(prompt: Prompt) -> None:
        await prompt.socket()
        await prompt.start()
        await prompt.step(1, 3)
        await stage.close_sockets()
        await stage.until(lambda: prompt.client_id not in stage.sockets)
        await prompt.socket()
        await prompt.say("executing", node="6")
        await prompt.step(2, 3)
        await stage.until(lambda: Progress(2, 3, "6") in run.events)
        await prompt.succeed("a.png")

    assert run.submit().follow().succeeded
    assert run.of(Progress) == [Progress(1, 3, "6"), Progress(2, 3, "6")]
    assert stage.count("POST", "/prompt") == 1


def test_a_broken_connection_is_taken_up_again(stage: Stage, run: Run) -> None:
    @stage.plays
    async def script(prompt: Prompt) -> None:
        socket = await prompt.socket()
        await prompt.start()
        socket._req.transport.abort()  # type: ignore[union-attr]
        await stage.until(lambda: prompt.client_id not in stage.sockets)
        await prompt.socket()
        await prompt.step(2, 3)
        await stage.until(lambda: Progress(2, 3, "6") in run.events)
        await prompt.succeed("a.png")

    assert run.submit().follow().succeeded
    assert run.of(Progress) == [Progress(2, 3, "6")]


def test_a_cached_run_says_so_and_names_the_old_file(stage: Stage, run: Run) -> None:
    @stage.plays
    async def script(prompt: Prompt) -> None:
        stage.run(prompt)
        await prompt.tell("execution_start")
        await prompt.tell("execution_cached", nodes=["1", "8"])
        await prompt.succeed("old_00001_.png")
        stage.files.clear()

    outcome = run.submit().follow()

    assert outcome.cached
    assert run.of(Progress) == []
    with pytest.raises(ServiceError, match="no longer has the image 'old_00001_.png'") as caught:
        run.comfy.fetch(outcome.images[0])
    assert caught.value.code == "image_missing"
    assert "seed" in caught.value.fix


def test_pictures_that_are_not_outputs_are_left_out(stage: Stage, run: Run) -> None:
    @stage.plays
    async def script(prompt: Prompt) -> None:
        await prompt.succeed("temp.png", type_="temp")

    outcome = run.submit().follow()

    assert outcome.succeeded
    assert outcome.images == ()


def test_a_failed_run_names_the_node_and_the_cause(stage: Stage, run: Run) -> None:
    @stage.plays
    async def script(prompt: Prompt) -> None:
        await prompt.start()
        await prompt.fail("ValueError", "something odd\nand more")

    outcome = run.submit().follow()

    assert outcome.ending is Ending.FAILED
    assert outcome.error is not None
    assert outcome.error.message == "ComfyUI failed in KSampler: something odd."
    assert outcome.error.code == "execution_failed"


def test_running_out_of_memory_has_its_own_code(stage: Stage, run: Run) -> None:
    @stage.plays
    async def script(prompt: Prompt) -> None:
        await prompt.start()
        await prompt.fail("torch.OutOfMemoryError", "Allocation on device 0 would exceed allowed memory.")

    outcome = run.submit().follow()

    assert outcome.error is not None and outcome.error.code == "out_of_memory"
    assert "smaller size" in outcome.error.fix


def test_interrupted_is_told_apart_from_failed(stage: Stage, run: Run) -> None:
    @stage.plays
    async def script(prompt: Prompt) -> None:
        await prompt.start()
        await prompt.interrupt()

    outcome = run.submit().follow()

    assert outcome.ending is Ending.INTERRUPTED
    assert outcome.error is not None and outcome.error.code == "interrupted"


def test_an_exception_of_the_caller_closes_the_socket(stage: Stage, run: Run) -> None:
    class Stop(Exception):
        pass

    def stop(event: Event) -> None:
        if isinstance(event, Progress):
            raise Stop

    @stage.plays
    async def script(prompt: Prompt) -> None:
        await prompt.socket()
        await prompt.start()
        await prompt.step(1, 3)

    run.submit()
    with pytest.raises(Stop):
        run.comfy.follow(run.prompt_id, on_event=stop, pace=run.pace)
    asyncio.run_coroutine_threadsafe(stage.until(lambda: not stage.sockets), stage.loop).result(5)
