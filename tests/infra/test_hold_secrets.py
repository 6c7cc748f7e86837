"""The script that waits until a service has its secrets, in every shell that an image may have."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repository.clone import ROOT
from tests.support.waiting import until_sync

SCRIPT = ROOT / "infra" / "jenkins" / "hold-secrets"
SHELLS = [shell for shell in (("sh",), ("bash", "--posix"), ("busybox", "sh")) if shutil.which(shell[0])]
AGAIN = "run make secrets, then docker compose up -d --force-recreate gate"


class Holding:
    """The script at work on a folder of secrets."""

    def __init__(self, folder: Path, shell: tuple[str, ...]) -> None:
        self.secrets, self._state = folder / "secrets", folder / "state"
        self._output = folder / "output"
        self.secrets.mkdir()
        self._shell = shell
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *names: str) -> None:
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [*self._shell, str(SCRIPT), "gate", *names],
                env={**os.environ, "SECRETS_DIR": str(self.secrets), "HOLD_DIR": str(self._state)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def write(self, name: str, content: str = "a secret", mode: int = 0o400) -> None:
        file = self.secrets / name
        file.touch(mode=0o600)
        file.chmod(0o600)
        file.write_text(content)
        file.chmod(mode)

    def holds(self, sentence: str) -> None:
        """Wait until this is what the health check will find, and the last line said."""
        line = f"gate: secret {sentence}: {AGAIN}\n"
        until_sync(lambda: self.held() == line, f"{line!r}, not {self.held()!r}")
        assert self.output().endswith(line)

    def held(self) -> str:
        file = self._state / "held"
        return file.read_text() if file.exists() else ""

    def output(self) -> str:
        return self._output.read_text()

    def ends(self) -> int:
        assert self._process is not None
        return self._process.wait(20)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@pytest.fixture(params=SHELLS, ids=lambda shell: str(shell[0]))
def holding(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Holding]:
    """For each shell that is here."""
    made = Holding(tmp_path, request.param)
    yield made
    made.close()


def test_it_says_each_fault_until_somebody_has_put_it_right(holding: Holding) -> None:
    holding.start("token", "key.pub")
    holding.holds("token is missing")
    holding.write("token", "")
    holding.holds("token is empty")
    holding.write("token", mode=0o644)
    holding.holds("token is readable by everybody (0644)")
    holding.write("token", mode=0o602)
    holding.holds("token is open to everybody (0602)")
    holding.write("token")
    holding.holds("key.pub is missing")
    (holding.secrets / "key.pub").mkdir()
    holding.holds("key.pub is no file")
    (holding.secrets / "key.pub").rmdir()
    holding.write("key.pub", mode=0o444)
    assert holding.ends() == 0
    assert holding.held() == ""
    said = holding.output().splitlines()
    assert len(said) == 7
    assert said[-1] == "gate: the secrets are good now"


def test_good_ones_are_passed_over_in_silence(holding: Holding) -> None:
    holding.write("token", mode=0o440)
    holding.write("key.pub", mode=0o444)
    holding.write("frp-ca", "none\n", mode=0o644)
    holding.start("token", "key.pub", "frp-ca")
    assert holding.ends() == 0
    assert holding.output() == ""
    assert holding.held() == ""


def test_what_a_secret_holds_is_never_said(holding: Holding) -> None:
    holding.write("token", "do-not-tell", mode=0o644)
    holding.start("token")
    holding.holds("token is readable by everybody (0644)")
    holding.write("token", "do-not-tell")
    assert holding.ends() == 0
    assert "do-not-tell" not in holding.output()
