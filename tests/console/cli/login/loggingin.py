"""A person who logs in: what is typed, what is kept, what is told."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from console.demo.controller import (
    OPERATOR,
    Permission,
)
from console.main import main
from tests.console.cli.calling import SCHEMAS
from tests.support.jenkins import JenkinsServer

TOKEN = "11" + "b" * 32
PASSWORD = "correct-horse"
SEES_NODES = OPERATOR | {Permission.AGENT_CONNECT}


def kept(home: Path) -> Path:
    return home / "xdg" / "mlops-console" / "jenkins-login.json"


def login(monkeypatch: pytest.MonkeyPatch, *words: str, typed: str = f"{TOKEN}\n") -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    return main(["login", *words])


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    schema = json.loads((SCHEMAS / f"{told['kind']}.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(told)
    return told


def root(server: JenkinsServer) -> str:
    return server.url.rstrip("/")
