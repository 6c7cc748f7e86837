"""The table of hops, the code that uses it, and what the platform says of the same things."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

import console.doctor
from console.cli.group import COMMANDS
from console.doctor.hops import EVERYWHERE, HOPS, remedy
from console.doctor.job import PARAMETERS
from console.doctor.page import markdown
from console.doctor.secrets import READERS
from console.doctor.walk import LOOKS
from infra.platform.catalogue import SECRETS

FOLDER = Path(console.doctor.__file__).parent
CASC = Path(__file__).parents[3] / "infra" / "jenkins" / "casc.yaml"
NAMES = {"names": "NAMES", "name": "NAME", "path": "PATH", "mode": "MODE", "user": "USER", "permission": "PERMISSION"}


def test_every_hop_is_looked_at_by_somebody() -> None:
    assert list(LOOKS) == [one.id for one in HOPS]


def test_no_hop_rests_on_one_that_rests_on_it() -> None:
    """Those that it needs come before it; of waiting there is no ring."""
    order = {one.id: at for at, one in enumerate(HOPS)}
    assert all(order[before] < order[one.id] for one in HOPS for before in one.needs)
    waits = {one.id: {*one.needs, *one.hears} for one in HOPS}
    while waits:
        free = {name for name, before in waits.items() if not before & waits.keys()}
        assert free, waits
        waits = {name: before for name, before in waits.items() if name not in free}


def texts(file: Path) -> set[str]:
    return {
        one.value
        for one in ast.walk(ast.parse(file.read_text()))
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    }


@pytest.mark.parametrize("hop", HOPS, ids=lambda one: one.id)
def test_the_page_has_no_remedy_that_nobody_ever_hears(hop: object) -> None:
    one = next(each for each in HOPS if each is hop)
    used = texts(FOLDER / f"{one.id}.py") | texts(FOLDER / "gate.py") | texts(FOLDER / "findings.py")
    assert set(one.remedies) <= used


def test_every_remedy_for_any_hop_is_heard_and_stands_on_the_page() -> None:
    used = set().union(*(texts(file) for file in FOLDER.glob("*.py") if file.name != "hops.py"))
    assert set(EVERYWHERE) <= used
    for key, each in EVERYWHERE.items():
        assert remedy("gate" if key != "starting" else "public", key, {}).do == each.do.replace("`", "")
        assert f"| {each.sees} | {each.do} |" in markdown()


def test_a_hop_finds_nothing_bad_that_has_no_remedy() -> None:
    """Only `findings` makes one by hand, out of the table; whoever else did would tell no remedy, or one of its own."""
    for file in FOLDER.glob("*.py"):
        if file.name == "findings.py":
            continue
        for one in ast.walk(ast.parse(file.read_text())):
            if isinstance(one, ast.Call) and getattr(one.func, "id", "") == "Finding":
                # The walk fills in the remedy of a file that cannot be looked at.
                assert file.name == "settings.py", file


@pytest.mark.parametrize("hop", HOPS, ids=lambda one: one.id)
def test_the_page_and_the_command_say_the_same(hop: object) -> None:
    one = next(each for each in HOPS if each is hop)
    page = markdown()
    for key, each in one.remedies.items():
        told = remedy(one.id, key, NAMES)
        assert "`" not in told.do
        assert f"| {each.sees} | {told.do.replace('|', chr(92) + '|')} |" in page.replace("`", "")
        assert all(command in each.do.format_map(NAMES) for command in told.command.split(" && "))


@pytest.mark.parametrize("hop", HOPS, ids=lambda one: one.id)
def test_what_is_marked_as_a_command_is_one(hop: object) -> None:
    """Ours are commands that the console has, and nothing else of ours stands there unmarked."""
    one = next(each for each in HOPS if each is hop)
    for each in one.remedies.values():
        texts = each.do.split("`")
        assert len(texts) % 2 == 1, "every command ends"
        assert not any(re.search(r"mlops-console [a-z]", text) or "sudo " in text for text in texts[::2]), each.do
        for command in texts[1::2]:
            assert shlex.split(command)
            words = command.removeprefix("sudo ").split()
            if words[0] == "mlops-console":
                assert words[1] in COMMANDS or f"{words[1]} {words[2]}" in COMMANDS, command
            if words[:2] == ["make", "secrets"]:
                assert command.startswith("sudo "), "secrets are root's"


@pytest.mark.parametrize(
    ("hop", "key", "names", "command"),
    [
        ("docker", "full", {}, "mlops-console prune --dry-run"),
        ("compose", "stopped", {"names": "web gate"}, "mlops-console service start web gate"),
        ("gate", "held", {}, "sudo make secrets && mlops-console service recreate gate"),
        ("secrets", "open", {"name": "a-b"}, "sudo mlops-console doctor --fix && sudo make secrets ROTATE=a-b"),
        ("docker", "rotation", {"names": "web"}, ""),
        # By itself it would come before what people are to do by hand.
        ("docker", "live-restore", {}, ""),
        ("jenkins", "configuration", {}, ""),
        ("docker", "hangs", {}, "journalctl -u docker -n 50"),
        ("tunnel", "refused", {}, ""),
        ("settings", "open", {"mode": "0600", "path": "/home/a/.config/x.toml"}, "chmod 0600 /home/a/.config/x.toml"),
        # What a shell would take for something else is for people to read, not to copy.
        ("settings", "open", {"mode": "0600", "path": "/home/a/my file; reboot"}, ""),
        ("job", "offline", {"names": "$(reboot)"}, ""),
        ("job", "offline", {"names": "`reboot`"}, ""),
        ("job", "offline", {"names": "--all"}, ""),
        ("job", "offline", {"names": "a\nreboot"}, ""),
    ],
)
def test_what_is_copied_is_a_command_that_a_shell_takes_as_it_stands(
    hop: str, key: str, names: dict[str, str], command: str
) -> None:
    assert remedy(hop, key, names).command == command


def test_secrets_are_those_that_the_platform_makes() -> None:
    made = {one.name: (one.owner, one.mode) for one in SECRETS}
    # Nobody's container reads this one, so no Compose file has it.
    assert made.pop("portainer-developer-password")
    assert made == dict(READERS)


def test_the_recorder_is_the_service_that_the_playbook_makes() -> None:
    unit = remedy("recorder", "stopped", {}).command.split()[-1]
    assert (CASC.parents[1] / "ansible" / "roles" / "console" / "templates" / f"{unit}.service").is_file()


def test_parameters_are_those_of_the_job() -> None:
    casc = CASC.read_text()
    kinds = {"text": "stringParam", "boolean": "booleanParam", "lines": "textParam"}
    for name, kind in PARAMETERS.items():
        assert f"{kinds[kind.value]}('{name}'" in casc
    assert casc.count("Param('") == len(PARAMETERS)
