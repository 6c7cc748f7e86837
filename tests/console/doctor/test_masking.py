"""What is hidden of a text, and what is not."""

from __future__ import annotations

import json

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
        ("https://hooks.slack.com/services/T0/B0/hunter2 x", f"https://hooks.slack.com/{MASK} x"),
        ("https://discord.com/api/webhooks/1/hunter2", f"https://discord.com/api/webhooks/{MASK}"),
        ("https://api.telegram.org/bot1:hunter2/send", f"https://api.telegram.org/bot{MASK}/send"),
        # Colours within what it is known by.
        ("\x1b[36mpassword\x1b[0m=hunter2hunter", f"password={MASK}"),
        ("\x1b[36mpass\x1b[1mword\x1b[0m: \x1b[35mhunter2\x1b[0m", f"password: {MASK}"),
        ("ghp_hunt\x1b[1mer2hunter2", MASK),
        # INI, TOML, YAML and programs.
        ("password = hunter2", f"password = {MASK}"),
        ('auth.token = "hunter2"', f'auth.token = "{MASK}"'),
        (
            "[default]\naws_secret_access_key = hunter2/x+y\nregion = a",
            f"[default]\naws_secret_access_key = {MASK}\nregion = a",
        ),
        ("DB_PASSWORD= hunter2", f"DB_PASSWORD={MASK} {MASK}"),
        ("password => 'hunter2'", f"password => '{MASK}'"),
        ('os.environ["API_TOKEN"] = "hunter2"', f'os.environ["API_TOKEN"] = "{MASK}"'),
        ('token: str = "hunter2"', f'token: str = "{MASK}"'),
        ('secret = """\nhunter2\n"""\nx = 1', f"secret = {MASK}\nx = 1"),
        ("secret: |\n  hunter2\n  hunter2\nx: 1", f"secret: {MASK}\nx: 1"),
        ('"tokens": ["hunter2", "hunter3"], "x": 1', f'"tokens": {MASK}, "x": 1'),
        ('"tokens": [\n  "hunter2",\n  "hun]ter3"\n], "x": 1', f'"tokens": {MASK}, "x": 1'),
        ("password: hun,ter}2 x", f"password: {MASK} x"),
        ("token: Bearer hunter2", f"token: Bearer {MASK}"),
        ("password: 12345678", f"password: {MASK}"),
        ("api_key = 12345678", f"api_key = {MASK}"),
        ("DB_PASS=12345678", f"DB_PASS={MASK}"),
        # Within what bears another name.
        ('{"message": "the password: hunter2"}', f'{{"message": "the password: {MASK}"}}'),
        ("it is password: hunter2", f"it is password: {MASK}"),
        (r'{"log": "{\"password\": \"hunter2\", \"a\": 1}"}', rf'{{"log": "{{\"password\": \"{MASK}\", \"a\": 1}}"}}'),
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
        "tokens 1234",
        "num_tokens: 512",
        "num_tokens: 512, lr: 3e-4",
        "{'max_tokens': 512, 'num_keys': 3, 'loss': 0.2}",
        "max_tokens=512,lr=0.1 tokens=1.5M; ms_per_token: 0.12",
        "train --max-tokens 512 --num-keys=4",
        "tokens: [101, 2023, 102]",
        "tokenizer = bert",
        "if key == other: std::key::make()",
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


def test_a_value_is_found_however_it_is_written() -> None:
    known = Masking(['hun"ter\\2\u00e9', "87654321", "tab\thunter2"])
    assert known.text('a hun\x1b[31m"ter\\2\u00e9 b') == f"a {MASK} b"
    assert known.text(json.dumps({"a": 'hun"ter\\2\u00e9'})) == f'{{"a": "{MASK}"}}'
    assert known.text("x tab\thunter2") == f"x tab   {MASK}"
    assert known.data({"n": 87654321, "m": 7, "87654321": True}) == {"n": MASK, "m": 7, MASK: True}


def test_half_a_value_is_none_that_is_shown() -> None:
    """A line is cut after what is to be hidden was looked for."""
    told = Masking(["hunter2-hunter2-hunter2"]).text("x" * 4080 + "hunter2-hunter2-hunter2")
    assert "hunter" not in told


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ({"seen": "password: hunter2"}, {"seen": f"password: {MASK}"}),
        ({"output": '{"auth_token": "hunter2"}'}, {"output": f'{{"auth_token": "{MASK}"}}'}),
        ({"password": 12345678, "max_tokens": 512}, {"password": MASK, "max_tokens": 512}),
        ({"password": 1.5, "secret": True, "token": None}, {"password": MASK, "secret": True, "token": None}),
        ({"tokens": ["hunter2", "hunter3"]}, {"tokens": [MASK, MASK]}),
        ({"tokens": [101, 102], "token": [101]}, {"tokens": [101, 102], "token": [MASK]}),
        ({"credentials": {"user": "me", "deep": [{"x": "y"}]}}, {"credentials": {"user": MASK, "deep": [{"x": MASK}]}}),
        ({"name": "HF_TOKEN", "value": "hunter2"}, {"name": "HF_TOKEN", "value": MASK}),
        ({"name": "EPOCHS", "value": "3"}, {"name": "EPOCHS", "value": "3"}),
        ({"value": ["/usr/bin/tell", "--token", "hunter2", "-v"]}, {"value": ["/usr/bin/tell", "--token", MASK, "-v"]}),
        ({"value": ["mysql", "-phunter2", "a\nb"]}, {"value": ["mysql", f"-p{MASK}", "a\nb"]}),
        ({"command": ["train", "--max-tokens", "512"]}, {"command": ["train", "--max-tokens", "512"]}),
        ({"key": "jenkins.token_file", "value": "/etc/token"}, {"key": "jenkins.token_file", "value": "/etc/token"}),
    ],
)
def test_in_what_json_holds(value: object, left: object) -> None:
    assert PLAIN.data(value) == left


@pytest.mark.parametrize(
    "piece",
    [
        *("max_tokens:1,", "max_tokens=1,", "tokens: [1, ", "token: [", "password: |\n ", "key: \"\"\" ", "--max-tokens '5 "),
        *("a is ", "is ", "is password ", "\\", '\\"', '\\"key', "key: \\\"", "key: \\'", '"key"', "key "),
        *("key\t\t", "key: ********"),
        *("hooks.slack.com/", "eyJaaaaaa.", "password: hun,", "password = (", "key: Bearer ", "\x1b[36mkey\x1b[0m= "),
    ],
)  # fmt: skip
def test_long_lines_take_no_time(piece: str) -> None:
    """What goes back over what it has read would not end here before the test does."""
    assert PLAIN.text(piece * (1_000_000 // len(piece)))
    assert PLAIN.text(f"password: {piece[0]}" + piece * (1_000_000 // len(piece)))


def test_what_leaves_holds_no_control() -> None:
    assert "\x1b" not in PLAIN.text("\x1b]52;c;aGk=\x07[2J") + str(PLAIN.data({"a": "\x1b[2J"}))
