"""Who hears what: the connection rules of the websocket."""

from __future__ import annotations

import pytest
import websocket

from tests.influencer.sandbox.bench import Comfy, eventually, plain, txt2img


def test_the_first_frame_is_the_status_with_the_session(comfy: Comfy) -> None:
    assert comfy.listen("me").frames == [
        {"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 0}}, "sid": "me"}}
    ]


def test_without_a_client_id_the_server_makes_one_up(comfy: Comfy) -> None:
    sid = comfy.listen("").frames[0]["data"]["sid"]
    assert len(sid) == 32


def test_the_socket_answers_under_api_too(comfy: Comfy) -> None:
    socket = websocket.create_connection(comfy.url.replace("http", "ws") + "/api/ws?clientId=me", timeout=5)
    assert '"sid": "me"' in socket.recv()
    socket.close()


def test_the_offer_of_features_is_answered_only_as_first_message(comfy: Comfy) -> None:
    listener = comfy.listen(metadata=True)
    assert listener.frames[-1]["type"] == "feature_flags"
    assert listener.frames[-1]["data"] == comfy.get("/features").json()
    late = comfy.listen("late")
    late.socket.send("hello")
    late.socket.send('{"type": "feature_flags", "data": {"supports_preview_metadata": true}}')
    assert late.hears_nothing()


def test_another_client_hears_only_the_status(comfy: Comfy) -> None:
    other = comfy.listen("other")
    comfy.run(plain(), client_id="me")
    comfy.run(plain(1), client_id="other")
    frames = other.until_done()
    before = frames[: next(i for i, frame in enumerate(frames) if frame["type"] == "execution_start")]
    assert {frame["type"] for frame in before} == {"status"}


def test_a_prompt_without_client_id_shows_everybody_its_progress_state_alone(comfy: Comfy) -> None:
    listener = comfy.listen("somebody")
    comfy.run(txt2img(), extra_data={"preview_method": "auto"})
    comfy.run(plain(), client_id="somebody")
    frames = listener.until_done()
    before = frames[: next(i for i, frame in enumerate(frames) if frame["type"] == "execution_start")]
    assert {frame["type"] for frame in before} == {"status", "progress_state"}


def test_who_connects_in_mid_run_is_told_the_node_and_then_follows(comfy: Comfy) -> None:
    comfy.order("stall", seconds=60)
    prompt_id = comfy.submit(txt2img(steps=6), client_id="me")
    eventually(
        lambda: (
            comfy.running(prompt_id) and "stall" not in str(comfy.control("GET", "/faults").json()["faults"])
        )
    )
    other = comfy.listen("other")
    listener = comfy.listen("me")
    assert listener.frames[0]["data"]["sid"] == "me"
    assert listener.next() == {"type": "executing", "data": {"node": "3"}}
    assert other.hears_nothing()
    comfy.post("/interrupt", {"prompt_id": prompt_id})
    assert listener.until_done()[-1]["data"]["prompt_id"] == prompt_id


def test_a_dropped_client_comes_back_and_the_run_goes_on(comfy: Comfy) -> None:
    comfy.control("POST", "/speed", {"speed": 10})
    first = comfy.listen("me")
    prompt_id = comfy.submit(txt2img(steps=10), client_id="me")
    first.until("progress", value=1)
    first.socket.close()
    eventually(lambda: comfy.get("/queue").json())
    again = comfy.listen("me")
    assert again.next() == {"type": "executing", "data": {"node": "3"}}
    state = again.until("progress_state")[-1]["data"]["nodes"]
    assert state["4"]["state"] == "finished"
    again.until("executing", node=None, prompt_id=prompt_id)


def test_the_newest_socket_of_a_client_gets_the_frames(comfy: Comfy) -> None:
    old, new = comfy.listen("me"), comfy.listen("me")
    comfy.submit(plain(), client_id="me")
    new.until_done()
    assert old.hears_nothing()


def test_when_the_old_socket_closes_later_the_new_one_goes_silent(comfy: Comfy) -> None:
    old, new = comfy.listen("me"), comfy.listen("me")
    old.socket.close()
    witness = comfy.listen("witness")
    comfy.run(plain(), client_id="me")
    witness.until("status")
    assert new.hears_nothing()


def test_an_interruption_is_told_to_everybody(comfy: Comfy) -> None:
    comfy.order("stall")
    other = comfy.listen("other")
    prompt_id = comfy.submit(txt2img(), client_id="me")
    eventually(lambda: comfy.running(prompt_id))
    comfy.post("/interrupt", {"prompt_id": prompt_id})
    frame = other.until("execution_interrupted")[-1]
    assert frame["data"]["prompt_id"] == prompt_id


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "http://localhost:1"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_a_page_of_another_origin_is_refused(comfy: Comfy, headers: dict[str, str]) -> None:
    assert comfy.get("/queue", headers=headers).status_code == 403
    assert comfy.get("/ws", headers=headers).status_code == 403


@pytest.mark.parametrize("origin", ["null", "own"])
def test_its_own_origin_and_none_are_fine(comfy: Comfy, origin: str) -> None:
    value = comfy.base if origin == "own" else origin
    assert comfy.get("/queue", headers={"Origin": value}).status_code == 200
