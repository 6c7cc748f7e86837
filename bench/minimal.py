"""The least a Textual app with two tables can do: ask the Engine for its containers and show them."""

from __future__ import annotations

import http.client
import json
import socket
import sys
from typing import Any

from textual.app import App, ComposeResult
from textual.widgets import DataTable


class _Connection(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])


def ask(target: str) -> Any:
    """What the Engine answers."""
    connection = _Connection("docker")
    try:
        connection.request("GET", target)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


class Minimal(App[None]):
    def compose(self) -> ComposeResult:
        yield DataTable[str]()
        yield DataTable[str]()

    def on_mount(self) -> None:
        containers = ask("/containers/json?all=1")
        first, second = self.query(DataTable)
        first.add_columns("name", "state", "status", "image")
        for container in containers:
            first.add_row(container["Names"][0].strip("/"), container["State"], container["Status"], container["Image"])
        second.add_columns("fact", "value")
        second.add_row("containers", str(len(containers)))


if __name__ == "__main__":
    Minimal().run()
