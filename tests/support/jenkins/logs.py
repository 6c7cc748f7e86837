"""Logs over HTTP: progressiveText with its offsets."""

from __future__ import annotations

from console.demo.controller import Controller
from console.demo.controller.rawlog import RawLog, without_notes
from tests.support.jenkins import answers
from tests.support.jenkins.answers import Answer
from tests.support.jenkins.requests import Request


def progressive(controller: Controller, request: Request, log: RawLog | bytes, *, more: bool) -> Answer:
    """`logText/progressiveText`: line ends become CR LF; a start that is no number from 0 on is a 500."""
    text = request.fields.get("start", "0")
    if not text.isdigit():
        return answers.oops(controller)
    if isinstance(log, RawLog):
        shown, size = log.read(int(text))
    else:
        size = len(log)
        start = int(text) if int(text) <= size else 0
        shown = without_notes(log[start:]).decode("utf-8", "replace")
    return answers.text(shown.replace("\n", "\r\n"), size=size, more=more)
