"""Queue, history, cancelling and the job list."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.influencer.sandbox.bench import Comfy, eventually, plain, txt2img


@pytest.fixture
def stalled(comfy: Comfy) -> str:
    """The id of a prompt that runs and gets nowhere."""
    comfy.order("stall")
    prompt_id = comfy.submit(txt2img(seed=99), client_id="me")
    eventually(lambda: not comfy.control("GET", "/faults").json()["faults"])
    return prompt_id


def test_an_answer_holds_id_number_and_no_errors(comfy: Comfy) -> None:
    prompt_id = str(uuid.uuid4())
    answer = comfy.post("/prompt", {"prompt": plain(), "prompt_id": prompt_id})
    assert answer.json() == {"prompt_id": prompt_id, "number": 0, "node_errors": {}}
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert uuid.UUID(comfy.post("/prompt", {"prompt": plain()}).json()["prompt_id"])


def test_the_counter_goes_on_for_refused_prompts(comfy: Comfy) -> None:
    comfy.post("/prompt", {"prompt": {}})
    comfy.post("/prompt", {})
    assert comfy.post("/prompt", {"prompt": plain()}).json()["number"] == 2


def test_the_queue_shows_what_runs_and_what_waits(comfy: Comfy, stalled: str) -> None:
    waiting = comfy.submit(plain(), client_id="me", extra_data={"job": "1"})
    queue = comfy.get("/queue").json()
    assert [item[1] for item in queue["queue_running"]] == [stalled]
    ((number, prompt_id, graph, extra, outputs),) = queue["queue_pending"]
    assert (number, prompt_id, graph, outputs) == (1, waiting, plain(), ["2"])
    assert extra["client_id"] == "me" and extra["job"] == "1" and extra["create_time"] > 0
    assert comfy.get("/prompt").json() == {"exec_info": {"queue_remaining": 2}}
    assert comfy.get(f"/history/{stalled}").json() == {}
    assert comfy.get(f"/history/{waiting}").json() == {}


def test_front_and_numbers_say_who_is_next(comfy: Comfy, stalled: str) -> None:
    last = comfy.submit(plain(1), number=500)
    usual = comfy.submit(plain(2))
    front = comfy.submit(plain(3), front=True)
    first = comfy.submit(plain(4), number=-100.5)
    assert comfy.get("/queue").json()["queue_pending"][0][1] == first
    comfy.post("/interrupt", {})
    comfy.finished(last)
    assert list(comfy.get("/history").json()) == [stalled, first, front, usual, last]


def test_a_deleted_prompt_leaves_no_trace(comfy: Comfy, stalled: str) -> None:
    waiting = comfy.submit(plain(), client_id="me")
    listener = comfy.listen("me")
    answer = comfy.post("/queue", {"delete": [waiting, "unknown", stalled]})
    assert (answer.status_code, answer.content) == (200, b"")
    queue = comfy.get("/queue").json()
    assert queue["queue_pending"] == [] and len(queue["queue_running"]) == 1
    assert comfy.get(f"/history/{waiting}").json() == {}
    assert comfy.get(f"/api/jobs/{waiting}").status_code == 404
    listener.until("status")
    assert waiting not in str(listener.frames)


def test_clearing_takes_all_that_waits_and_leaves_what_runs(comfy: Comfy, stalled: str) -> None:
    for colour in range(3):
        comfy.submit(plain(colour))
    comfy.post("/queue", {"clear": True})
    assert comfy.get("/prompt").json()["exec_info"]["queue_remaining"] == 1


def test_interrupting_by_id_stops_only_that_prompt(comfy: Comfy, stalled: str) -> None:
    assert comfy.post("/interrupt", {"prompt_id": str(uuid.uuid4())}).status_code == 200
    assert comfy.running(stalled)
    comfy.post("/interrupt", {"prompt_id": stalled})
    entry = comfy.finished(stalled)
    name, message = entry["status"]["messages"][-1]
    assert (entry["status"]["status_str"], entry["status"]["completed"]) == ("error", False)
    assert name == "execution_interrupted"
    assert (message["node_id"], message["node_type"]) == ("3", "KSampler")
    assert sorted(message["executed"]) == ["4", "5", "6", "7"]
    assert entry["outputs"] == {}


@pytest.mark.parametrize("content", [b"", b"{}", b"no json", b"[]"])
def test_interrupting_without_an_id_stops_whatever_runs(comfy: Comfy, stalled: str, content: bytes) -> None:
    assert comfy.post("/interrupt", data=content).status_code == 200
    assert comfy.finished(stalled)["status"]["completed"] is False


def test_an_interrupt_while_nothing_runs_does_not_hit_the_next_prompt(comfy: Comfy) -> None:
    comfy.post("/interrupt")
    assert comfy.run(plain())["status"]["completed"]


def test_an_interrupted_run_tells_its_end_on_the_socket(comfy: Comfy) -> None:
    comfy.order("stall")
    listener = comfy.listen("me")
    prompt_id = comfy.submit(txt2img(), client_id="me")
    listener.until("progress")
    comfy.post("/interrupt", {"prompt_id": prompt_id})
    listener.until_done()
    assert [frame["type"] for frame in listener.frames[-3:]] == [
        "execution_interrupted",
        "status",
        "executing",
    ]


def test_the_history_can_be_paged(comfy: Comfy) -> None:
    ids = [comfy.submit(plain(colour)) for colour in range(5)]
    comfy.finished(ids[-1])

    def page(query: str) -> list[str]:
        return list(comfy.get(f"/history{query}").json())

    assert page("") == ids
    assert page("?max_items=2") == ids[3:]
    assert page("?max_items=2&offset=0") == ids[:2]
    assert page("?max_items=2&offset=4") == ids[4:]
    assert comfy.get("/history?max_items=two").status_code == 500


def test_history_entries_are_deleted_without_their_files(comfy: Comfy) -> None:
    first, second = comfy.submit(plain(1)), comfy.submit(plain(2))
    comfy.finished(second)
    assert comfy.post("/history", {"delete": [first]}).content == b""
    assert list(comfy.get("/history").json()) == [second]
    comfy.post("/history", {"clear": True})
    assert comfy.get("/history").json() == {}
    assert len(list((comfy.folder / "output").glob("*.png"))) == 2


def test_a_used_id_runs_again_and_replaces_its_entry(comfy: Comfy) -> None:
    prompt_id = str(uuid.uuid4())
    for colour in (1, 2):
        comfy.post("/prompt", {"prompt": plain(colour), "prompt_id": prompt_id})
        eventually(lambda: comfy.get("/prompt").json()["exec_info"]["queue_remaining"] == 0)
    assert comfy.entry(prompt_id)["outputs"]["2"]["images"][0]["filename"] == "plain_00002_.png"


def job(comfy: Comfy, prompt_id: str) -> dict[str, Any]:
    return dict(comfy.get(f"/api/jobs/{prompt_id}").json())


def test_jobs_show_every_state(comfy: Comfy, stalled: str) -> None:
    waiting = comfy.submit(plain(), extra_data={"extra_pnginfo": {"workflow": {"id": "wf-1"}}})
    listed = comfy.get("/api/jobs").json()
    assert {entry["id"]: entry["status"] for entry in listed["jobs"]} == {
        stalled: "in_progress",
        waiting: "pending",
    }
    assert listed["pagination"] == {"offset": 0, "limit": None, "total": 2, "has_more": False}
    assert set(job(comfy, stalled)) == {"id", "status", "priority", "create_time", "outputs_count"}
    comfy.post(f"/api/jobs/{stalled}/cancel")
    comfy.finished(waiting)
    assert job(comfy, stalled)["status"] == "cancelled"
    done = job(comfy, waiting)
    assert (done["status"], done["outputs_count"], done["workflow_id"]) == ("completed", 1, "wf-1")
    assert done["preview_output"] == {
        "filename": "plain_00001_.png",
        "subfolder": "",
        "type": "output",
        "nodeId": "2",
        "mediaType": "images",
    }
    assert done["execution_start_time"] <= done["execution_end_time"]
    assert done["workflow"]["prompt"] == plain()
    assert done["execution_status"]["completed"]


def test_a_failed_job_tells_its_error(comfy: Comfy) -> None:
    prompt_id = comfy.submit(plain(0, "../out"))
    comfy.finished(prompt_id)
    failed = job(comfy, prompt_id)
    assert failed["status"] == "failed"
    assert failed["execution_error"]["node_type"] == "SaveImage"


def test_jobs_are_filtered_sorted_and_paged(comfy: Comfy) -> None:
    ids = [comfy.submit(plain(colour)) for colour in range(3)]
    comfy.finished(ids[-1])

    def listed(query: str) -> list[str]:
        return [entry["id"] for entry in comfy.get(f"/api/jobs?{query}").json()["jobs"]]

    assert set(listed("status=completed,failed")) == set(ids)
    assert listed("status=pending") == []
    assert listed("workflow_id=none") == []
    assert len(listed("limit=2")) == 2
    page = comfy.get("/api/jobs?limit=2&offset=1").json()["pagination"]
    assert page == {"offset": 1, "limit": 2, "total": 3, "has_more": False}
    assert len(listed("sort_by=execution_duration&sort_order=asc")) == 3
    wrong = comfy.get("/api/jobs?status=bogus")
    assert wrong.status_code == 400
    assert wrong.json()["error"].startswith(
        "Invalid status value(s): bogus. Valid values: pending, in_progress"
    )


def test_cancelling_a_job_works_in_any_state(comfy: Comfy, stalled: str) -> None:
    waiting = comfy.submit(plain())
    assert comfy.post(f"/api/jobs/{waiting}/cancel").json() == {"cancelled": True}
    assert comfy.post(f"/api/jobs/{waiting}/cancel").json() == {"cancelled": False}
    assert comfy.post(f"/api/jobs/{stalled}/cancel").json() == {"cancelled": True}
    comfy.finished(stalled)
    assert comfy.post(f"/api/jobs/{stalled}/cancel").json() == {"cancelled": False}


def test_several_jobs_are_cancelled_at_once(comfy: Comfy, stalled: str) -> None:
    waiting = [comfy.submit(plain(colour)) for colour in range(2)]
    assert comfy.post("/api/jobs/cancel", {"job_ids": [*waiting, stalled]}).json() == {"cancelled": True}
    comfy.finished(stalled)
    assert comfy.get("/prompt").json()["exec_info"]["queue_remaining"] == 0
    assert comfy.post("/api/jobs/cancel", {"job_ids": "x"}).json() == {"error": "job_ids must be a list"}
    wrong = comfy.post("/api/jobs/cancel", {"job_ids": ["x"]})
    assert wrong.json() == {"error": "job_ids contains invalid id(s)", "invalid_ids": ["x"]}


def test_the_job_list_exists_only_under_api(comfy: Comfy) -> None:
    assert comfy.get("/jobs").status_code == 404
    assert comfy.get("/api/jobs").status_code == 200


def test_every_other_route_answers_with_and_without_api(comfy: Comfy) -> None:
    for path in (
        "/system_stats",
        "/features",
        "/prompt",
        "/queue",
        "/history",
        "/models",
        "/embeddings",
        "/users",
    ):
        plain_answer, api_answer = comfy.get(path), comfy.get(f"/api{path}")
        assert plain_answer.status_code == api_answer.status_code == 200
    assert comfy.get("/nothing/here").status_code == 404


def test_the_server_says_what_it_is(comfy: Comfy) -> None:
    stats = comfy.get("/system_stats").json()
    assert stats["system"]["comfyui_version"] == "0.28.0"
    assert stats["devices"][0]["vram_total"] > 0
    assert comfy.get("/features").json()["max_upload_size"] == 104857600


def test_the_console_is_kept(comfy: Comfy) -> None:
    comfy.run(plain())
    lines = [entry["m"] for entry in comfy.get("/internal/logs/raw").json()["entries"]]
    assert lines[0] == "got prompt\n"
    eventually(lambda: "Prompt executed in" in comfy.get("/internal/logs").json())
