"""Where requests may go: https alone, one path, nothing secret in what is said about it."""

from __future__ import annotations

import pytest

from infra.release.address import PATH, target
from infra.release.release import Problem
from tests.infra.release.events import KEY


def problem(url: str, key: str = KEY) -> str:
    with pytest.raises(Problem) as caught:
        target({"MLOPS_HOOK_URL": url, "MLOPS_HOOK_SECRET": key})
    assert caught.value.__cause__ is None
    return str(caught.value)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://hook.example.org", "hook.example.org", 443),
        (" https://hook.example.org/\n", "hook.example.org", 443),
        (f"https://HOOK.example.org:8443{PATH}", "hook.example.org", 8443),
        (f"https://hook.example.org{PATH}/", "hook.example.org", 443),
        ("https://192.0.2.7", "192.0.2.7", 443),
    ],
)
def test_an_address(url: str, host: str, port: int) -> None:
    found = target({"MLOPS_HOOK_URL": url, "MLOPS_HOOK_SECRET": f" {KEY}\n"})
    assert (found.host, found.port, found.key) == (host, port, KEY.encode())
    assert found.shown == f"https://{host}{':8443' if port != 443 else ''}{PATH}"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "is not set"),
        ("http://hook.example.org", "does not begin with https://"),
        ("HTTP://hook.example.org", "does not begin with https://"),
        ("hook.example.org", "does not begin with https://"),
        ("//hook.example.org", "does not begin with https://"),
        ("file:///etc/passwd", "does not begin with https://"),
        ("https://", "names no host"),
        ("https://a b.example.org", "has line ends, blanks"),
        ("https://-hook.example.org", "names no host"),
        (f"https://{'a' * 64}.example.org", "names no host"),
        ("https://hook.example.org:0", "names no host"),
        ("https://hook.example.org:99999", "is no address"),
        ("https://[::1", "is no address"),
        ("https://hook.example.org\n.example", "has line ends"),
        ("https://hook.example.org/login", "has another path"),
        (f"https://hook.example.org{PATH}X", "has another path"),
        (f"https://hook.example.org{PATH}?token=s3cret", "holds more than a host"),
        ("https://hook.example.org/#x", "holds more than a host"),
        ("https://user:s3cret@hook.example.org", "holds more than a host"),
    ],
)
def test_no_address(url: str, says: str) -> None:
    said = problem(url)
    assert says in said
    assert "s3cret" not in said


@pytest.mark.parametrize("key", ["", "s3cret", "x" * 15, "two lines of\nthem, and long", "ключ" * 8, "\udcff" * 20, "a b" * 10])
def test_no_key(key: str) -> None:
    said = problem("https://hook.example.org", key)
    assert said.startswith("MLOPS_HOOK_SECRET is not ")
    assert not key or key not in said


def test_a_key_shows_itself_nowhere() -> None:
    found = target({"MLOPS_HOOK_URL": "https://hook.example.org", "MLOPS_HOOK_SECRET": KEY})
    assert KEY not in f"{found!r} {found} {found.shown}"
