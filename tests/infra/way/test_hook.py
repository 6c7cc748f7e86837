"""The stand-in for the webhook trigger accepts, refuses and says what a real one did (recordings gwt-*)."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.hook import Arrived, Trigger

RECORDED = {one["name"]: one for one in json.loads((Path(__file__).parent / "recordings" / "webhook-answers.json").read_text())}
KEY = b"another key than the one of the recordings, which is not known"
TOKEN = RECORDED["gwt-good"]["token"]
WRONG = {"gwt-wrong-signature", "gwt-wrong-token-wrong-signature"}


def _signature(one: dict[str, Any]) -> str | None:
    """Written like the recorded one, and as right or wrong."""
    given = one["signature"]
    if given is None or one["name"] in WRONG:
        return None if given is None else str(given)
    before, _, digits = given.rpartition("=")
    right = hmac.new(KEY, one["body"].encode(), hashlib.sha256).hexdigest()
    right = right.upper() if digits.strip().isupper() else right
    return f"{before}={' ' * digits.count(' ')}{right}" if before else right


@pytest.mark.parametrize("name", RECORDED)
def test_it_answers_as_recorded(name: str) -> None:
    one = RECORDED[name]
    job = ((one["answer"]["jobs"] or {}).get("train")) or {}
    expression = job.get("regexpFilterExpression", "")
    trigger = Trigger(KEY, TOKEN, expression=expression, text="$PROJECT" if expression else "")
    signature = _signature(one)
    headers = [("X-Hub-Signature-256", signature)] if signature is not None else []
    headers += [("token", one["token"])] if one["token"] is not None else []
    status, text = trigger.answer(Arrived("POST / HTTP/1.1", headers, one["body"].encode()))
    answer = json.loads(text)
    assert status == one["status"]
    assert list(answer) == list(one["answer"])
    if status == 200:
        assert answer["message"] == one["answer"]["message"]
        assert list(answer["jobs"]["train"]) == list(job)
        assert answer["jobs"]["train"]["triggered"] is job["triggered"]
        assert (answer["jobs"]["train"]["id"] > 0) is (job["id"] > 0) is bool(trigger.leave_queue())
        assert bool(answer["jobs"]["train"]["url"]) is bool(job["url"])
    elif status == 404:
        assert answer == one["answer"]
    else:
        for words in ("did not pass whitelist", "Did not find a matching whitelisted host:"):
            assert words in answer["message"]
            assert words in one["answer"]["message"]
        # All headers, the token among them.
        assert f"token=[{one['token']}]" in answer["message"]
        assert f"token=[{one['token']}]" in one["answer"]["message"]


def test_the_filter_is_the_jobs_own() -> None:
    trigger = Trigger(KEY, TOKEN)

    def triggered(**different: object) -> bool:
        told = {"project": "project-a", "commit": "a" * 40, "delivery": "delivery-1", "timestamp": 1_795_941_506, **different}
        body = json.dumps({key: value for key, value in told.items() if value is not None}).encode()
        digest = hmac.new(KEY, body, hashlib.sha256).hexdigest()
        headers = [("X-Hub-Signature-256", f"sha256={digest}"), ("token", TOKEN)]
        status, text = trigger.answer(Arrived("POST / HTTP/1.1", headers, body))
        assert status == 200
        return bool(json.loads(text)["jobs"]["train"]["triggered"])

    assert triggered()
    assert not any(triggered(**{name: None}) for name in ("project", "commit", "delivery", "timestamp"))
    assert not triggered(project="../x")
    assert not triggered(commit="a" * 39)
    assert not triggered(delivery="a b")
    assert not triggered(timestamp="1795941506\n")
