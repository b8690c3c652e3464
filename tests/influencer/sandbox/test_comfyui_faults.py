"""Every fault that can be ordered of the ComfyUI stand-in."""

from __future__ import annotations

import uuid

import pytest
import requests
import websocket
from PIL import Image

from influencer.sandbox.comfyui.trouble import Trouble
from influencer.sandbox.faults import Faults
from tests.influencer.sandbox.bench import Comfy, eventually, plain, txt2img


def test_out_of_memory_fails_the_sampler(comfy: Comfy) -> None:
    comfy.order("oom")
    listener = comfy.listen()
    prompt_id = comfy.submit(txt2img(), client_id="me")
    frames = listener.until_done()
    assert [frame["type"] for frame in frames[-3:]] == ["execution_error", "status", "executing"]
    name, failure = comfy.entry(prompt_id)["status"]["messages"][-1]
    assert name == "execution_error"
    assert (failure["exception_type"], failure["node_type"]) == ("torch.OutOfMemoryError", "KSampler")
    assert "ran out of memory on your GPU" in failure["exception_message"]
    assert comfy.run(txt2img())["status"]["completed"]


def test_a_stalled_run_makes_no_progress_until_it_is_interrupted(comfy: Comfy) -> None:
    comfy.order("stall")
    listener = comfy.listen()
    prompt_id = comfy.submit(txt2img(steps=4), client_id="me")
    listener.until("progress", value=1)
    assert listener.hears_nothing()
    comfy.post("/interrupt", {"prompt_id": prompt_id})
    assert comfy.finished(prompt_id)["status"]["messages"][-1][0] == "execution_interrupted"


def test_a_stall_can_end_by_itself(comfy: Comfy) -> None:
    comfy.order("stall", seconds=0.05)
    assert comfy.run(txt2img())["status"]["completed"]


def test_slow_stretches_the_next_run_only() -> None:
    faults = Faults()
    faults.order("comfyui", "slow", factor=100)
    slowness = [Trouble.take(faults, lambda _: None).slowness for _ in range(2)]
    assert slowness == [100, 1]


def test_a_corrupt_image_is_a_file_that_ends_in_the_middle(comfy: Comfy) -> None:
    comfy.order("corrupt_image")
    (path,) = comfy.output(comfy.run(txt2img()))
    with Image.open(path) as image, pytest.raises(OSError, match="truncated"):
        image.load()


def test_a_dropped_websocket_leaves_the_run_alone(comfy: Comfy) -> None:
    comfy.order("drop_websocket")
    listener, other = comfy.listen("me"), comfy.listen("other")
    prompt_id = comfy.submit(txt2img(), client_id="me")
    with pytest.raises((ConnectionError, websocket.WebSocketConnectionClosedException)):
        listener.until_done()
    assert comfy.finished(prompt_id)["status"]["completed"]
    assert other.until("status")


def test_a_silent_websocket_stays_open_and_says_nothing(comfy: Comfy) -> None:
    comfy.order("silent_websocket")
    listener = comfy.listen()
    prompt_id = comfy.submit(txt2img(), client_id="me")
    comfy.finished(prompt_id)
    assert not [frame for frame in listener.frames if "prompt_id" in frame["data"]]
    again = comfy.submit(plain(), client_id="me")
    frames = listener.until_done()
    assert frames[-1]["data"]["prompt_id"] == again
    assert prompt_id not in str(frames)


def test_a_restart_in_mid_run_forgets_everything_but_the_files(comfy: Comfy) -> None:
    kept = comfy.output(comfy.run(plain()))[0]
    comfy.order("restart")
    listener = comfy.listen()
    running = comfy.submit(txt2img(steps=3000), client_id="me")  # half of it outlasts a submit
    waiting = comfy.submit(plain(1), client_id="me")
    with pytest.raises((ConnectionError, websocket.WebSocketConnectionClosedException)):
        listener.until_done()
    eventually(lambda: comfy.get("/prompt").json()["exec_info"]["queue_remaining"] == 0)
    assert comfy.get("/history").json() == {}
    for lost in (running, waiting):
        assert comfy.get(f"/api/jobs/{lost}").status_code == 404
    assert kept.exists()
    answer = comfy.post("/prompt", {"prompt": plain()})
    assert answer.json()["number"] == 0
    assert comfy.finished(answer.json()["prompt_id"])["status"]["completed"]


def test_a_restart_can_leave_the_server_away_for_a_while(comfy: Comfy) -> None:
    comfy.order("restart", seconds=0.4)
    comfy.submit(txt2img())

    def away() -> bool:
        try:
            comfy.get("/queue")
        except requests.ConnectionError:
            return True
        return False

    assert eventually(away)
    eventually(lambda: not away())


def test_a_restart_can_be_had_at_once(comfy: Comfy) -> None:
    comfy.order("stall")
    listener = comfy.listen()
    comfy.submit(txt2img(), client_id="me")
    listener.until("progress")
    assert comfy.control("POST", "/restart/comfyui").json() == {"restarted": "comfyui"}
    assert comfy.get("/queue").json() == {"queue_running": [], "queue_pending": []}
    assert comfy.run(plain())["status"]["completed"]


def test_temp_is_emptied_by_a_restart(comfy: Comfy) -> None:
    (comfy.folder / "temp" / "old.png").touch()
    comfy.control("POST", "/restart/comfyui")
    assert list((comfy.folder / "temp").iterdir()) == []


def test_a_missing_model_is_gone_from_the_lists_until_a_prompt_met_it(comfy: Comfy) -> None:
    name = "sdxl_dreamshaper.safetensors"
    comfy.order("missing_model", model=name)
    assert name not in comfy.get("/models/checkpoints").json()
    answer = comfy.post("/prompt", {"prompt": txt2img(checkpoint=name)})
    assert answer.status_code == 400
    assert answer.json()["node_errors"]["4"]["errors"][0]["type"] == "value_not_in_list"
    assert name in comfy.get("/models/checkpoints").json()


def test_without_a_name_all_models_are_gone(comfy: Comfy) -> None:
    comfy.order("missing_model", times=0)
    assert comfy.get("/models/checkpoints").json() == []


def test_a_lost_answer_leaves_the_prompt_in_the_queue(comfy: Comfy) -> None:
    comfy.order("lost_answer")
    prompt_id = str(uuid.uuid4())
    with pytest.raises(requests.ConnectionError):
        comfy.post("/prompt", {"prompt": plain(), "prompt_id": prompt_id})
    assert comfy.finished(prompt_id)["status"]["completed"]


def test_down_resets_every_connection_until_cleared(comfy: Comfy) -> None:
    comfy.order("down", times=0)
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            comfy.get("/queue")
    with pytest.raises((ConnectionError, websocket.WebSocketException)):
        comfy.listen()
    comfy.control("DELETE", "/faults?service=comfyui")
    assert comfy.get("/queue").status_code == 200


def test_down_can_be_a_proxy_that_answers_503(comfy: Comfy) -> None:
    comfy.order("down", mode=503)
    assert comfy.get("/queue").status_code == 503
    assert comfy.get("/queue").status_code == 200


def test_an_html_answer_comes_with_200(comfy: Comfy) -> None:
    comfy.order("html", path="/system_stats")
    assert comfy.get("/queue").json()
    answer = comfy.get("/api/system_stats")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert comfy.get("/system_stats").json()


def test_a_500_is_plain_text(comfy: Comfy) -> None:
    comfy.order("error500", times=2)
    answers = [comfy.get("/queue").status_code for _ in range(3)]
    assert answers == [500, 500, 200]


def test_a_late_answer_keeps_its_caller_waiting(comfy: Comfy) -> None:
    comfy.order("late", seconds=30)
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{comfy.url}/queue", timeout=0.2)


def test_a_defect_of_the_stand_in_shows_as_a_failed_run(
    comfy: Comfy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ArithmeticError("a defect")

    monkeypatch.setattr("influencer.sandbox.comfyui.nodes.evaluate", broken)
    entry = comfy.run(plain())
    assert entry["status"]["messages"][-1][1]["exception_message"] == "ArithmeticError('a defect')\n"
    monkeypatch.undo()
    assert comfy.run(plain())["status"]["completed"]
