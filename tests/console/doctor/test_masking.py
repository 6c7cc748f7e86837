"""What is hidden of a text, and what is not."""

from __future__ import annotations

import pytest

from console.doctor.masking import MASK, Masking

PLAIN = Masking([])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("password: hunter2", f"password: {MASK}"),
        ("the password is: hunter2 today", f"the password is: {MASK} today"),
        ("Your API_TOKEN was: 'hunter2'", f"Your API_TOKEN was: '{MASK}'"),
        (
            "password is generated for root@localhost: hunter2",
            f"password is generated for root@localhost: {MASK}",
        ),
        ("+ mysql -uroot -phunter2 mlops", f"+ mysql -uroot -p{MASK} mlops"),
        ('{"api_token": "hunter2", "epoch": 3}', f'{{"api_token": "{MASK}", "epoch": 3}}'),
        ("{'secret': 'hunter2'}", f"{{'secret': '{MASK}'}}"),
        ("DB_PASSWORD=hunter2 go", f"DB_PASSWORD={MASK} go"),
        ("curl -H 'Authorization: Bearer hunter2'", f"curl -H 'Authorization: Bearer {MASK}'"),
        ("https://me:hunter2@example.org/x", f"https://me:{MASK}@example.org/x"),
        ("using hf_hunter2hunter2", f"using {MASK}"),
        ("github_pat_11AAhunter2_x ghp_hunter2hunter2", f"{MASK} {MASK}"),
        ("token 11a0b1c2d3e4f5061728394a5b6c7d8e9f ok", f"token {MASK} ok"),
        ("x eyJhbGciOi.eyJzdWIiOiIx.hunter2sig y", f"x {MASK} y"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n-----END OPENSSH PRIVATE KEY-----\nafter", f"{MASK}\nafter"),
        ("-----BEGIN PRIVATE KEY-----\nhunter2", f"{MASK}"),
    ],
)
def test_secrets_by_name_and_by_form(text: str, left: str) -> None:
    assert PLAIN.text(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "epoch 3: loss 0.21, 1200 steps",
        "14:03:46 [id=41] INFO hudson.model.Run#execute: train",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "tokenizer: bpe, 32000 words",
        "see docs/platform.md: key facts",
        "the password is wrong",
        "loss is: 0.21",
        "mysql is up; mkdir -pv /data",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert PLAIN.text(text) == text


def test_values_that_are_known_are_hidden_wherever_they_stand() -> None:
    known = Masking(["hunter2\n", "a\nsecond-line\n", "none", "longer-hunter2"])
    assert known.text("xhunter2x longer-hunter2 second-line none") == f"x{MASK}x {MASK} {MASK} none"
    told = known.data({"items": [{"key": "jenkins.token", "value": None, "note": "hunter2"}], "password": "p", "count": 3})
    assert told == {
        "items": [{"key": "jenkins.token", "value": None, "note": MASK}],
        "password": MASK,
        "count": 3,
    }


def test_what_leaves_holds_no_control() -> None:
    assert "\x1b" not in PLAIN.text("\x1b]52;c;aGk=\x07[2J") + str(PLAIN.data({"a": "\x1b[2J"}))
