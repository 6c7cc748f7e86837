"""How much of a model is sent is told while it is, as Docker counts it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from console.model.stagestep import step_now
from infra.jenkins.steps import publish
from tests.support.engine import Engine
from tests.support.images import BUSYBOX, import_busybox
from tests.support.waiting import until_sync


@pytest.mark.parametrize(
    ("told", "sent"),
    [
        ("1.2kB / 118MB\n", 118_000_000),
        ("0B / 0B", 0),
        ("656B / 0B", 0),
        ("3.4MB / 1.02GB", 1_020_000_000),
        ("1GB / 2.5TB", 2_500_000_000_000),
        ("-- / --", None),
        ("", None),
    ],
)
def test_what_docker_says_was_sent(told: str, sent: int | None) -> None:
    assert publish.sent_of(told) == sent


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9949, "9.9 kB"),
        (9950, "10 kB"),
        (411_900_000, "412 MB"),
        (999_499_999, "999 MB"),
        (999_500_000, "1.0 GB"),
        (1_849_000_000, "1.8 GB"),
        (3 * 10**15, "3000 TB"),
    ],
)
def test_sizes_in_three_figures_at_most(count: int, words: str) -> None:
    assert publish._size(count) == words


def test_a_folder_is_as_large_as_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "weights").write_bytes(bytes(5000))
    assert publish._bytes(tmp_path / "deep" / "weights") == 5000
    assert publish._bytes(b"abc") == 3
    assert publish._bytes(tmp_path) >= 5000


def test_it_is_told_while_it_is_sent(
    networked_engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Through a real bridge, and read by the console as it stands in the build's log."""
    engine = networked_engine
    import_busybox(engine)
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    monkeypatch.setattr(publish, "TOLD_SECONDS", 0.05)
    hears = engine.docker("run", "-d", BUSYBOX, "nc", "-ll", "-p", "9999", "-e", "cat").strip()
    address = engine.docker("inspect", "--format={{.NetworkSettings.IPAddress}}", hears).strip()
    part = f"dd if=/dev/zero bs=1M count=3 2>/dev/null | nc {address} 9999 >/dev/null & wait"
    sends = engine.docker("run", "-d", BUSYBOX, "sh", "-c", f"for part in 1 2 3; do {part}; done; sleep 600").strip()
    over, lines = threading.Event(), list[str]()

    def all_of_it() -> bool:
        lines.extend(capsys.readouterr().err.splitlines())
        return "[publish] 8.0 MB of 8.0 MB sent" in lines

    watcher = threading.Thread(target=publish._tell_progress, args=(sends, 8_000_000, over))
    watcher.start()
    try:
        until_sync(all_of_it)
    finally:
        over.set()
        watcher.join()
    assert step_now(["[Pipeline] { (Publish)", *lines]) == "8.0 MB of 8.0 MB sent"
    assert all(step_now([line]) is not None for line in lines)
