"""A release that is right: it comes in once, with what the gate adds and nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from infra.release.request import signature
from tests.infra.way.conftest import COMMIT, Send
from tests.support.waiting import until_sync
from tests.support.way import DOMAIN, PATH, PUBLIC_ADDRESS, ROOT, Way

SPOOFED = {
    "X-Forwarded-For": "10.9.9.9",
    "X-Forwarded-Host": "jenkins",
    "X-Forwarded-Proto": "https",
    "X-Real-IP": "10.9.9.9",
    "Forwarded": "for=10.9.9.9",
    "token": "mine",
    "Authorization": "Bearer mine",
    "Cookie": "JSESSIONID.1=mine",
    "Jenkins-Crumb": "mine",
    "X-Original-URL": "/login",
    "Referer": "https://mine.example.test/",
}
GATE_LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d \d{3} [A-Z]+ \S+ \d+ bytes in \d+\.\d{3} s upstream (-|[\d, :]+)"
)


def release(project: str = "project-a") -> bytes:
    told = {"project": project, "commit": COMMIT, "delivery": "delivery-1", "timestamp": 1_795_941_506}
    return json.dumps(told).encode()


def signed(way: Way, body: bytes) -> dict[str, str]:
    return {"Content-Type": "application/json", "X-Hub-Signature-256": signature(way.hmac.encode(), body)}


def test_a_release_comes_in_once(way: Way, send: Send) -> None:
    (sent,) = send("project-a")
    assert (sent.queued, sent.tries, sent.answer.words) == (True, 1, "queued")
    (arrived,) = way.jenkins.arrived
    (item,) = way.jenkins.trigger.leave_queue()
    assert item.number == sent.answer.item
    assert arrived.line.startswith(f"POST {PATH} HTTP/1.")
    assert item.parameters["PROJECT"] == "project-a"
    assert item.causes == [f"release of project-a (delivery {sent.delivery})"]


def test_thirty_projects_at_once(way: Way, send: Send) -> None:
    names = [f"project-{number}" for number in range(30)]
    sent = send(*names)
    assert [one.queued for one in sent] == [True] * 30
    assert sorted(item.parameters["PROJECT"] for item in way.jenkins.trigger.leave_queue()) == sorted(names)


def test_the_workflows_own_program_sends_it(way: Way, tmp_path: Path) -> None:
    """As GitHub runs it, in a world where names are looked up in files."""
    (tmp_path / "projects" / "project-a").mkdir(parents=True)
    (tmp_path / "projects" / "project-a" / "config.yaml").write_text("")
    event: dict[str, object] = {"ref": "refs/heads/main", "repository": {"full_name": "example/mlops"}}
    event["inputs"] = {"projects": "project-a", "commit": COMMIT}
    (tmp_path / "event.json").write_text(json.dumps(event))
    (tmp_path / "hosts").write_text(f"{PUBLIC_ADDRESS} {DOMAIN}\n")
    mounted = ["unshare", "--mount", "--propagation=private", "--", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"']
    done = subprocess.run(
        way.world.command(*mounted, str(tmp_path / "hosts"), str(ROOT / "infra" / "bin" / "release")),
        env={
            "PATH": os.environ["PATH"],
            "GITHUB_EVENT_NAME": "workflow_dispatch",
            "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
            "GITHUB_WORKSPACE": str(tmp_path),
            "GITHUB_RUN_ID": "17",
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            "MLOPS_HOOK_URL": f"https://{DOMAIN}",
            "MLOPS_HOOK_SECRET": way.hmac,
            "SSL_CERT_FILE": str(way.folder / "front.pem"),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    assert "| project-a | queued as item " in (tmp_path / "summary").read_text()
    assert [item.parameters["PROJECT"] for item in way.jenkins.trigger.leave_queue()] == ["project-a"]
    assert way.hmac not in done.stdout


@pytest.mark.parametrize("at", ["front", "vhost"])
def test_what_the_sender_adds_is_dropped_and_the_gate_adds_the_token(way: Way, at: str) -> None:
    body = release()
    reply = way.ask("POST", PATH, body, {**signed(way, body), **SPOOFED}, at=at)
    assert (reply.status, reply.by_gate) == (200, True)
    assert not {"x-jenkins", "set-cookie"} & set(reply.headers)
    (arrived,) = way.jenkins.arrived
    assert arrived.headers == [
        ("Host", "jenkins:8080"),
        ("Connection", "close"),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("X-Hub-Signature-256", signature(way.hmac.encode(), body)),
        ("token", way.token),
    ]
    assert arrived.body == body
    for word in ("mine", "10.9.9.9"):
        assert word not in arrived.line + repr(arrived.headers)


@pytest.mark.parametrize("at", ["front", "vhost"])
@pytest.mark.parametrize("given", [{}, {"X-Hub-Signature-256": f"sha256={'5' * 64}"}, {"X-Hub-Signature-256": "5"}])
def test_without_the_right_signature_nothing_is_started_and_nothing_told(way: Way, at: str, given: dict[str, str]) -> None:
    body = release()
    reply = way.ask("POST", PATH, body, {"Content-Type": "application/json", **SPOOFED, **given}, at=at)
    assert (reply.status, reply.by_gate, reply.body) == (403, True, "refused\n")
    # It has reached Jenkins, which alone knows the key; its answer repeats all headers, and has not left.
    assert len(way.jenkins.arrived) == 1
    assert way.jenkins.trigger.leave_queue() == []
    assert way.token not in repr(reply)


def test_a_wrong_key_is_final_for_the_sender(way: Way, send: Send) -> None:
    right, way.hmac = way.hmac, "0" * 64
    try:
        (sent,) = send()
    finally:
        way.hmac = right
    assert (sent.queued, sent.tries) == (False, 1)
    assert sent.answer.words.startswith("Jenkins refuses the signature (403)")
    assert way.jenkins.trigger.leave_queue() == []


def test_a_project_that_is_none_is_filtered_out(way: Way) -> None:
    body = release("../x")
    reply = way.ask("POST", PATH, body, signed(way, body))
    assert reply.status == 200
    assert json.loads(reply.body)["jobs"]["train"]["triggered"] is False
    assert way.jenkins.trigger.leave_queue() == []


def test_the_logs_say_what_came_and_hold_no_secret(way: Way, send: Send) -> None:
    (sent,) = send()
    assert sent.queued
    for at in ("vhost", "front"):
        way.ask(
            "POST", f"{PATH}?token={way.token}", release(), {"token": way.token, "Authorization": f"Bearer {way.hmac}"}, at=at
        )
    way.ask("POST", PATH, release(), {"X-Hub-Signature-256": f"sha256={'7' * 64}", "Referer": f"https://x/{way.token}"})
    # What nginx itself would say of an error: the whole request line and where it came from.
    told = {"Content-Length": "70000", "Referer": f"https://x/{way.token}"}
    assert way.ask("POST", f"{PATH}?token={way.token}", headers=told).status == 413
    # A line is written after its answer.
    until_sync(lambda: way.front.log.splitlines()[-1].split()[1] == "413", "the last of them to be written down")
    until_sync(lambda: way.gate.log.splitlines()[-1].split()[1] == "403", "what came through to be written down")
    gate, front = way.gate.log, way.front.log
    for log in (gate, front, way.frps.log, way.client.program.log):
        for secret in (way.token, way.hmac, way.frp_token, way.client.password, "7" * 64, signature(way.hmac.encode(), b"")):
            assert secret not in log
    line = gate.splitlines()[-1]
    assert GATE_LINE.fullmatch(line), line
    assert f" 403 POST {PATH} " in line
    assert line.endswith(" upstream 403")
    assert f" 404 POST {PATH} " in front  # without its query
    assert " from 203.0.113.20 " in front.splitlines()[-1]
