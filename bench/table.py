"""What one would write with Textual's own table: every container of the Engine a row, its figures read anew every two seconds.

It reads the list again each time, and CPU and memory from the kernel's files of the rows that can be seen, as the console does.
"""

from __future__ import annotations

from typing import Any

from textual.app import App, ComposeResult
from textual.widgets import DataTable

from bench.minimal import ask
from console.sources.docker_engine.cgroup import CgroupReader

STEP_SECONDS = 2.0


class Table(App[None]):
    def compose(self) -> ComposeResult:
        yield DataTable[str](cursor_type="row")

    def on_mount(self) -> None:
        self._cgroups = CgroupReader()
        self._pids: dict[str, int] = {}
        table = self.query_one(DataTable)
        self._columns = table.add_columns("name", "state", "status", "cpu", "memory")
        for one in self._listed():
            table.add_row(one["Names"][0].strip("/"), one["State"], one["Status"], "", "", key=one["Id"])
        self.set_interval(STEP_SECONDS, self._refresh)

    def _listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ask("/containers/json?all=1")
        return sorted(found, key=lambda one: (one["Names"][0][:7] != "/crowd-", one["Names"][0]))

    def _refresh(self) -> None:
        table = self.query_one(DataTable)
        first = round(table.scroll_y)
        for at, one in enumerate(self._listed()):
            key = one["Id"]
            table.update_cell(key, self._columns[2], one["Status"])
            if first <= at < first + table.size.height:
                if key not in self._pids:
                    self._pids[key] = ask(f"/containers/{key}/json")["State"]["Pid"]
                usage = self._cgroups.read(key, self._pids[key])
                if usage is not None:
                    table.update_cell(key, self._columns[3], f"{usage.cpu or 0:.1f}%")
                    table.update_cell(key, self._columns[4], f"{(usage.memory or 0) / 1e6:.1f} MB")


if __name__ == "__main__":
    Table().run()
