"""The control endpoint, the Host check, the log, and the faults in waiting."""

from __future__ import annotations

import pytest
import requests

from influencer.sandbox.faults import Faults, UnknownFault
from tests.influencer.sandbox.bench import PATIENCE, Comfy


def test_a_fault_is_used_up_by_being_taken() -> None:
    faults = Faults()
    faults.order("x", "slow", times=2, seconds=3)
    assert faults.peek("x", "slow") is not None
    taken = [faults.take("x", "slow") for _ in range(3)]
    assert [fault is not None for fault in taken] == [True, True, False]
    assert taken[0] is not None and taken[0].args == {"seconds": 3}


def test_a_fault_ordered_without_end_stays_until_cleared() -> None:
    faults = Faults()
    faults.order("x", "slow", times=0)
    assert all(faults.take("x", "slow") for _ in range(5))
    faults.clear("instagram")
    assert faults.take("x", "slow")
    faults.clear("x")
    assert faults.take("x", "slow") is None


def test_a_fault_is_taken_only_where_it_fits() -> None:
    faults = Faults()
    faults.order("x", "html", path="/view")
    assert faults.take("x", "html", when=lambda fault: fault.args["path"] == "/queue") is None
    assert faults.take("x", "html", when=lambda fault: fault.args["path"] == "/view")


def test_a_name_the_service_does_not_know_is_refused() -> None:
    faults = Faults()
    faults.declare("x", "slow", "quota")
    with pytest.raises(UnknownFault, match="it has quota, slow"):
        faults.order("x", "slwo")


def test_faults_are_ordered_listed_and_cleared_over_http(comfy: Comfy) -> None:
    comfy.order("oom", times=3)
    listed = comfy.control("GET", "/faults").json()
    assert listed["faults"] == [{"service": "comfyui", "name": "oom", "times": 3}]
    assert "stall" in listed["known"]["comfyui"]
    assert comfy.control("DELETE", "/faults").json() == {"faults": []}


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ({"service": "nobody", "name": "slow"}, "no service 'nobody'"),
        ({"service": "comfyui", "name": "nonsense"}, "no fault 'nonsense'"),
        ({"service": "comfyui"}, "'name' is missing"),
        ({"service": "comfyui", "name": "slow", "times": -1}, "whole number"),
        (["slow"], "JSON object"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_with_a_reason(
    comfy: Comfy, order: object, says: str
) -> None:
    answer = comfy.control("POST", "/faults", order)
    assert answer.status_code == 400
    assert says in answer.json()["error"]


@pytest.mark.parametrize("headers", [{}, {"X-Sandbox-Key": "wrong"}, {"X-Sandbox-Key": ""}])
def test_the_control_endpoint_needs_the_key(comfy: Comfy, headers: dict[str, str]) -> None:
    for path in ("/", "/faults", "/log"):
        answer = requests.get(f"{comfy.base}/control{path}", headers=headers, timeout=PATIENCE)
        assert answer.status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:1", ""])
def test_another_host_name_is_refused(comfy: Comfy, host: str) -> None:
    for path in ("/comfyui/queue", "/control/"):
        answer = requests.get(comfy.base + path, headers={"Host": host}, timeout=PATIENCE)
        assert answer.status_code in (400, 403)


def test_the_loopback_name_is_accepted_too(comfy: Comfy) -> None:
    port = comfy.base.rsplit(":", 1)[1]
    answer = comfy.get("/queue", headers={"Host": f"localhost:{port}"})
    assert answer.status_code == 200


def test_the_log_tells_requests_apart_by_service_without_their_query(comfy: Comfy) -> None:
    comfy.get("/view?filename=secret.png")
    comfy.get("/queue")
    requests_seen = comfy.control("GET", "/log?service=comfyui").json()["requests"]
    told = [(entry["method"], entry["path"], entry["status"]) for entry in requests_seen]
    assert told == [("GET", "/view", 404), ("GET", "/queue", 200)]
    assert comfy.control("GET", "/log?service=x").json()["requests"] == []
    comfy.control("DELETE", "/log")
    assert comfy.control("GET", "/log").json()["requests"] == []


def test_the_log_shows_a_request_that_got_no_answer_as_status_0(comfy: Comfy) -> None:
    comfy.order("down")
    with pytest.raises(requests.ConnectionError):
        comfy.get("/queue")
    (entry,) = comfy.control("GET", "/log").json()["requests"]
    assert (entry["path"], entry["status"]) == ("/queue", 0)


def test_an_unknown_service_can_not_be_restarted(comfy: Comfy) -> None:
    assert comfy.control("POST", "/restart/nobody").status_code == 404


def test_the_speed_can_be_set_while_it_runs(comfy: Comfy) -> None:
    assert comfy.control("POST", "/speed", {"speed": 50}).json() == {"speed": 50}
    for wrong in (0, -1, "fast", None):
        assert comfy.control("POST", "/speed", {"speed": wrong}).status_code == 400
