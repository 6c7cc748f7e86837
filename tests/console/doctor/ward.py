"""The house for one test, in which something is broken."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from console.main import main
from tests.console.doctor.house import House, Items, blamed, examined


class Ward:
    """The house for one test: `is_named` looks at what the command says, and everything is put back at the end."""

    def __init__(self, house: House, capsys: pytest.CaptureFixture[str]) -> None:
        self.house = house
        self.capsys = capsys
        self.undo: list[Callable[[], object]] = []

    def is_named(self, hop: str, *said: str, state: str = "broken") -> Items:
        """This hop alone is blamed, in these words, and with something to do."""
        found = examined(self.capsys)
        assert blamed(found) == [hop], {name: found[name] for name in found}
        one = found[hop]
        assert one["state"] == state
        for words in said:
            assert words in f"{one['seen']} / {one['do']}"
        assert one["do"]
        return found

    def mends(self, what: str) -> None:
        """`--fix` agrees to nothing by itself, shows what it would do, does it, and then all is well."""
        assert main(["doctor", "--fix"]) == 2
        assert "--yes" in self.capsys.readouterr().err
        assert main(["doctor", "--fix", "--dry-run", "--json"]) == 0
        plan = json.loads(self.capsys.readouterr().out)
        assert what in json.dumps(plan["says"] + plan["items"])
        assert main(["doctor", "--fix", "--yes", "--json"]) == 0
        outcome = json.loads(self.capsys.readouterr().out)
        assert (outcome["kind"], outcome["act"]) == ("outcome", "doctor-fix")
        assert {item["fate"] for item in outcome["items"]} == {"done"}
        assert blamed(examined(self.capsys)) == []
        assert main(["audit", "--json"]) == 0
        acts = json.loads(self.capsys.readouterr().out)["items"]
        assert any(one["act"] == "doctor-fix" for one in acts)


def sick(ward: Ward, service: str, said: str) -> None:
    """Its probe fails and says this, until the test is over."""
    house = ward.house
    was = (house.shared / f"{service}.probe").read_text()
    house.put(f"{service}.probe", f"{said}\n")
    house.put(f"{service}.sick", "")
    ward.undo.append(lambda: house.until(service, "healthy"))
    ward.undo.append(lambda: house.put(f"{service}.probe", was))
    ward.undo.append((house.shared / f"{service}.sick").unlink)
    house.until(service, "unhealthy")
