"""What is a secret by its name or its form, and what only looks a little like one."""

from __future__ import annotations

import shlex

import pytest

from console.model.secretnames import MASK, arguments, label_value, masked, secret


@pytest.mark.parametrize(
    "name",
    [
        *(
            "HF_TOKEN",
            "token",
            "tokens",
            "X-Api-Key",
            "passwd",
            "PASSWORD",
            "passphrase",
            "credentials",
            "my/secret",
            "tokenizer_key",
        ),
        *(
            "requirepass",
            "--masterpass",
            "pass",
            "DB_PASS",
            "db.pass",
            "ldap-pass",
            "DB_PASS_1",
            "pass2",
            "DB_PASS_PROD",
            "sslpass",
            "MYSQL_PWD",
            "db_pwd",
        ),
    ],
)
def test_called_like_a_secret(name: str) -> None:
    assert secret(name)


@pytest.mark.parametrize(
    "name",
    [
        *("bypass", "--proxy-bypass", "compass", "passive", "passenger", "encompass", "surpass", "trespass", "passthrough"),
        *("PWD", "OLDPWD", "--pwd", "init_pwd_dir"),
        *("pass-through", "pass_env", "passes", "tokenizer", "--tokenizer-path", "keep", "PATH", ""),
    ],
)
def test_called_only_a_little_like_one(name: str) -> None:
    assert not secret(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('["--password", "--token", "hunter2"]', '["--password", "********", "********"]'),
        ("redis --requirepass hunter2", "redis --requirepass ********"),
        ("redis -requirepass  hunter2 -v", "redis -requirepass  ******** -v"),
        ("x --password -abc y", "x --password ******** y"),
        ("x --password --token abc y", "x --password ******** ******** y"),
        ("x --password 'a b'c d", "x --password ******** d"),
        ('x --password "a \\" b" d', "x --password ******** d"),
        ("x --password a'b c'd e", "x --password ******** e"),
        ("x --password a\\ b c", "x --password ******** c"),
        ("x --password a&b", "x --password ********"),
        ("x --password \\\n hunter2", "x --password \\\u240a ********"),
        ('sh -c "mysql --password hunter3"', 'sh -c "mysql --password ********"'),
        ('sh -c "mysql --password hunter3" a', 'sh -c "mysql --password ********" a'),
        ("(mysql --password 'hunter3')", "(mysql --password ********"),
        ('["--password", "hunter2", "-v"]', '["--password", "********", "-v"]'),
        ("x --token=abc --api-key=d --token", "x --token=******** --api-key=******** --token"),
        ("x --bypass a --passive b --compass c --tokenizer d", "x --bypass a --passive b --compass c --tokenizer d"),
        ("the password is of nobody's business", "the password is of nobody's business"),
        ("a-token b", "a-token b"),
        ("curl -H 'Authorization: Bearer abcdef' http://x", "curl -H 'Authorization: Bearer ********' http://x"),
        ("authorization: basic YWI6Y2Q=\nnext", "authorization: basic ********\u240anext"),
        ('{"Authorization": "Bearer abc", "a": 1}', '{"Authorization": "Bearer ********", "a": 1}'),
        ("-H Authorization:abc -v", "-H Authorization:********"),
        ('Authorization: Digest username="me", response="abc"', "Authorization: ********"),
        ("sent Bearer eyJhbGciOi.eyJzdWI.x-y_z and", "sent Bearer ******** and"),
        ("Basic dXNlcjpwYXNz", "Basic ********"),
        ("Basic usage: a bearer token, Basic authentication", "Basic usage: a bearer token, Basic authentication"),
        ("//me:hunter2@host/share", "//me:********@host/share"),
        ("postgres://me:hunter2@db/x http://h:80/a", "postgres://me:********@db/x http://h:80/a"),
    ],
)
def test_in_any_text(text: str, shown: str) -> None:
    assert masked(text) == shown
    if "\n" not in text:
        assert masked(shown) == shown


def test_lines_stay_where_they_are_asked_for() -> None:
    assert masked("a\nTOKEN=b\n--key c", lines=True) == "a\nTOKEN=********\n--key ********"


@pytest.mark.parametrize("quoted", ["hunter2", "it's", 'a "b" c', "a b", "$x`y", "-x", "a\\b", "a=b&c=d", "a;b|c"])
def test_however_a_shell_has_it_quoted(quoted: str) -> None:
    for line in (["run", "--password", quoted, "end"], ["run", f"PASSWORD={quoted}", "end"], ["run", f"--password={quoted}"]):
        told = masked(shlex.join(line))
        assert quoted not in told
        assert not told.startswith("run ****")
        assert MASK in told


@pytest.mark.parametrize("quoted", ["hunter2", "it's", 'a "b" c', "a b", "$x`y", "-x", "a\\b", "a=b&c=d", "a;b|c"])
def test_a_password_of_mysql_stands_behind_one_letter(quoted: str) -> None:
    for program in ("mysql", "/usr/bin/mysqldump", "mariadb-admin"):
        words = [program, "-u", "root", f"-p{quoted}", "-P3306", "mlops"]
        assert masked(shlex.join(words)).replace("'", "") == f"{program} -u root -p{MASK} -P3306 mlops"
        assert arguments(words) == (program, "-u", "root", f"-p{MASK}", "-P3306", "mlops")
        assert masked(f'["{program}", "-phunter2", "x"]') == f'["{program}", "-p{MASK}", "x"]'
    assert masked("sh -c 'mysql -phunter2' x") == f"sh -c 'mysql -p{MASK}' x"


@pytest.mark.parametrize(
    "text", ["mysql -p mlops", "mysql --port 3306", "mysql -V; mkdir -pv x", "run -p80:80 mysql", "ls mysql/-p1"]
)
def test_other_options_called_p_stay(text: str) -> None:
    assert masked(text) == text
    assert arguments(text.split()[:3]) == tuple(text.split()[:3])


def test_arguments_are_words() -> None:
    words = (
        "redis",
        "--requirepass",
        "hunter 2",
        "--password",
        "-abc",
        "sh",
        "-c",
        "m --password hunter3",
        "--token",
        "",
        "x",
    )
    assert arguments(words) == (
        *("redis", "--requirepass", MASK, "--password", MASK, "sh", "-c", f"m --password {MASK}", "--token", "", "x"),
    )
    assert arguments(("--password", "--token", "abc")) == ("--password", MASK, MASK)
    assert arguments(("--password=a", "b", "token", "c")) == (f"--password={MASK}", "b", "token", "c")
    assert arguments(()) == ()


def test_labels() -> None:
    assert label_value("org/my.token", "a") == MASK
    assert label_value("org/my.token", "") == ""
    assert label_value("url", "https://me:hunter2@x \x1b[2J") == f"https://me:{MASK}@x "
    assert label_value("mlops.project", "project-a") == "project-a"


@pytest.mark.parametrize(
    "piece",
    [
        "key",
        "key=",
        "--key ",
        "--key -",
        "'key=",
        "bearer a",
        "authorization:",
        "://a:",
        "a'--pass \"",
        "\\",
        "mysql ",
        "mysql -p'",
        ' -p"',
    ],
)
def test_long_texts_take_no_time(piece: str) -> None:
    """A pattern that goes back over what it has read would not end here before the test does."""
    assert masked(piece * 100_000)
