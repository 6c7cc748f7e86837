"""The commands, in process, on sources in the test's hands: what they print, and how they end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import jsonschema
import pytest

from console.demo import demo_machine
from console.model.container import ContainerState, Health
from console.model.machine import MachineReading
from console.model.service import ComposeProject
from console.model.source import SourceError, SourceState
from console.sources.protocols import Machine
from console.text import clean
from tests.console.cli.calling import SCHEMAS, FakeBackend, answer, call
from tests.console.fakes import FakeCompose, FakeEngine, container, failing, inspection
from tests.console.ui.worlds import PROJECT, fleet


@pytest.fixture
def backend(tmp_path: Path) -> FakeBackend:
    return FakeBackend(FakeEngine(*fleet()), FakeCompose(PROJECT), tmp_path)


@pytest.mark.parametrize("schema", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.name)
def test_schemas_are_schemas(schema: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(schema.read_text()))


def test_status_says_the_worst_first(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    status, document = answer(backend, capsys, "status")
    assert status == 1
    assert [item["target"] for item in document["items"]][:2] == ["service/cache", "service/flaky"]
    assert document["sources"]["docker"]["state"] == "ok"
    assert call(backend, "status") == 1
    lines = capsys.readouterr().out.split("\n")
    assert lines[0].startswith("train-01  ")
    assert lines[0].endswith("6 need a look")
    assert "cache killed" in lines[1]


def test_status_is_good_when_all_is_well(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    backend.engine, backend.compose = FakeEngine(container("web", service="web", health=Health.HEALTHY)), FakeCompose()
    status, document = answer(backend, capsys, "status")
    assert (status, document["items"]) == (0, [])
    assert document["notes"][0].startswith("Drift is unknown")
    assert call(backend, "status") == 0
    assert "all is well" in capsys.readouterr().out


class Eager(FakeBackend):
    """Knows how often the machine had been read when the other sources were made."""

    reads = 0
    reads_before = -1

    def machine(self, *, foresees: bool = True) -> Machine:
        told = demo_machine()
        read = told.read

        async def counted(folders: Mapping[str, str]) -> MachineReading:
            self.reads += 1
            return await read(folders)

        told.read = counted  # type: ignore[method-assign]  # the demo's, and seen at work
        return told

    def sources(self) -> tuple[FakeEngine, FakeCompose]:
        self.reads_before = self.reads
        return super().sources()


def test_status_begins_with_the_processor_which_takes_its_time(tmp_path: Path) -> None:
    eager = Eager(FakeEngine(*fleet()), FakeCompose(PROJECT), tmp_path)
    assert call(eager, "status", "--json") == 1
    assert (eager.reads_before, eager.reads) == (1, 2)


def test_services_tell_what_is_declared_and_what_runs(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    status, document = answer(backend, capsys, "services")
    found = {item["name"]: item for item in document["items"]}
    assert status == 1
    assert found["worker"]["state"] == "1 of 2"
    assert (found["worker"]["running"], found["worker"]["wanted"]) == (1, 2)
    assert found["jenkins"]["drift"] == "image"
    assert found["tunnel"]["containers"] == []
    assert found["portainer"]["since_exact"] is False


@pytest.mark.parametrize(("names", "status"), [(("gate",), 0), (("gate", "cache"), 1)])
def test_the_exit_status_is_about_what_was_asked(
    backend: FakeBackend, capsys: pytest.CaptureFixture[str], names: tuple[str, ...], status: int
) -> None:
    got, document = answer(backend, capsys, "services", *names)
    assert got == status
    assert [item["name"] for item in document["items"]] == list(names)


def test_a_service_that_is_not_there_names_the_nearest(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(backend, "services", "portaner") == 2
    assert capsys.readouterr().err == "mlops-console: there is no service portaner. Did you mean portainer?\n"


def test_a_service_goes_by_the_name_it_is_shown_with(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    both = [container(f"{one}-web-1", service="web", project=one, health=Health.HEALTHY) for one in ("alpha", "beta")]
    backend.engine, backend.compose = FakeEngine(*both), FakeCompose()
    assert call(backend, "services") == 0
    assert "beta/web" in capsys.readouterr().out
    _, document = answer(backend, capsys, "services", "beta/web")
    assert [item["project"] for item in document["items"]] == ["beta"]
    _, document = answer(backend, capsys, "services", "web")
    assert [item["project"] for item in document["items"]] == ["alpha", "beta"]


def test_containers_hold_everything_but_the_values_of_the_environment(
    backend: FakeBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    status, document = answer(backend, capsys, "containers")
    assert status == 0
    found = {item["name"]: item for item in document["items"]}
    assert len(found) == len(fleet())
    assert found["mlops-cache-1"]["oom_killed"] is True
    assert found["mlops-flaky-1"]["restarts"] == 14
    assert found["mlops-gate-1"]["ports"][0]["host_port"] == 18080
    assert found["mlops-project-a-128"]["training"] is True
    assert "s3cret-value" not in json.dumps(document)
    assert "compose" not in document["sources"]
    assert backend.compose.asked == 0, "containers needs Docker only"


def test_containers_by_name_or_id(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    scratch = next(one for one in fleet() if one.name == "scratch")
    assert call(backend, "containers", scratch.id[:12]) == 1
    assert "exited 3" in capsys.readouterr().out
    assert call(backend, "containers", "--running", "--json") == 0
    assert "scratch" not in capsys.readouterr().out


@pytest.mark.parametrize("command", ["status", "services", "containers"])
def test_docker_out_of_reach_is_three(backend: FakeBackend, capsys: pytest.CaptureFixture[str], command: str) -> None:
    backend.engine.failure = SourceError(SourceState.DENIED, clean("No permission for /var/run/docker.sock."))
    status, document = answer(backend, capsys, command)
    assert status == 3
    assert document["sources"]["docker"] == {
        "state": "denied",
        "reason": "No permission for /var/run/docker.sock.",
        "taken_at": None,
    }
    assert call(backend, command) == 3
    got = capsys.readouterr()
    assert "No permission for /var/run/docker.sock." in got.out + got.err


def test_a_broken_compose_file_leaves_the_rest_working(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    backend.compose = FakeCompose(SourceError(SourceState.STALE, clean("compose.yml line 3: did not find expected key")))
    status, document = answer(backend, capsys, "services", "gate")
    assert status == 1, "as `status` and the doctor have it"
    assert document["items"][0]["drift"] == "unknown"
    assert document["sources"]["compose"]["state"] == "stale"
    assert "compose.yml line 3" in document["notes"][0]


def test_warnings_of_the_file_are_told(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    warned = ComposeProject(PROJECT.name, PROJECT.file, PROJECT.services, (clean("x.yml: variable TAG is not set"),))
    backend.compose = FakeCompose(warned)
    assert call(backend, "status") == 1
    assert "! x.yml: variable TAG is not set" in capsys.readouterr().out


def test_hostile_names_stay_harmless_on_a_pipe_and_in_json(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    nasty = "\x1b]52;c;aGk=\x07[@click=app.quit]x[/]\u202e\x9b2J"
    backend.engine = FakeEngine(container(nasty, details=failing(nasty), health=Health.UNHEALTHY, labels={nasty: nasty}))
    call(backend, "containers")
    text = capsys.readouterr().out
    assert "[@click=app.quit]x[/]<U+202E>" in text
    call(backend, "containers", "--json")
    for out in (text, capsys.readouterr().out):
        assert not set(out) & set("\x1b\x07\x9b\u202e")


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("servces",), "there is no command servces. Did you mean services?"),
        (("status", "--wach"), "there is no option --wach. Did you mean --watch?"),
        (("status", "--config"), None),
        (("completion", "tcsh"), "tcsh"),
        (("logs",), "logs wants TARGET. See: mlops-console logs --help"),
        (("job", "enable"), "job enable wants"),
        (("support", "-o"), "-o wants a value."),
        (("support", "-o", ""), "-o '' names no file."),
        (("--json",), "--json wants a command"),
    ],
)
def test_wrong_use_is_a_sentence(
    backend: FakeBackend, capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], says: str | None
) -> None:
    if says is None:
        with pytest.raises(Exception, match="wants a value"):
            call(backend, *argv)
        return
    assert call(backend, *argv) == 2
    err = capsys.readouterr().err
    assert says in err
    assert "Traceback" not in err


def test_wrong_settings_are_told_with_their_lines(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    backend.config = backend.folder / "mine.toml"
    backend.config.write_text("[docker]\ntiemout = 3\n")
    assert call(backend, "config", "show") == 2
    err = capsys.readouterr().err
    assert f"{backend.config} line 2: there is no setting docker.tiemout. Did you mean docker.timeout?" in err


def test_config_show_hides_secrets_and_names_origins(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    backend.env = {"MLOPS_JENKINS_TOKEN": "t0ken-value", "DOCKER_HOST": "unix:///x.sock"}
    status, document = answer(backend, capsys, "config", "show")
    found = {item["key"]: item for item in document["items"]}
    assert status == 0
    assert found["jenkins.token"] == {
        "key": "jenkins.token",
        "value": None,
        "set": True,
        "origin": "environment",
        "where": "MLOPS_JENKINS_TOKEN",
    }
    assert found["docker.host"]["value"] == "unix:///x.sock"
    assert call(backend, "config", "show") == 0
    text = capsys.readouterr().out
    assert "********" in text
    assert "t0ken-value" not in text


@pytest.mark.parametrize("words", [("servces",), ("services", "portaner"), ("config", "show", "--wrong"), ()])
def test_programs_are_told_of_wrong_use_in_json(
    backend: FakeBackend, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert call(backend, *words, "--json") == 2
    got = capsys.readouterr()
    document = json.loads(got.out)
    jsonschema.Draft202012Validator(json.loads((SCHEMAS / "error.schema.json").read_text())).validate(document)
    assert [f"mlops-console: {item['message']}" for item in document["items"]] == got.err.splitlines()


def test_every_mistake_in_the_settings_is_an_item(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    backend.config = backend.folder / "mine.toml"
    backend.config.write_text("[docker]\ntiemout = 3\nhots = 1\n")
    status, document = answer(backend, capsys, "config", "show")
    assert (status, document["kind"], len(document["items"])) == (2, "error", 2)


def test_status_has_a_sentence_for_each_system(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    _, document = answer(backend, capsys, "status")
    assert document["summaries"]["docker"].startswith(f"29.7.2, {len(fleet())} containers")
    assert document["summaries"].keys() == document["sources"].keys()


def test_config_path_and_init_work_while_a_file_is_broken(
    backend: FakeBackend, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(backend.folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(backend.folder / "xdg"))
    (backend.folder / ".mlops-console.toml").write_text("not toml")
    assert call(backend, "config", "path") == 0
    assert "read       " in capsys.readouterr().out
    assert call(backend, "config", "init") == 0
    assert "Wrote " in capsys.readouterr().out


def test_config_path_does_not_call_a_missing_file_read(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(backend.folder / "missing.toml")
    _, document = answer(backend, capsys, "config", "path", "--config", missing)
    assert [item["found"] for item in document["items"] if item["path"] == missing] == [False]


@pytest.mark.parametrize("occupied", ["folder", "link"])
def test_config_init_leaves_nothing_beside_what_it_cannot_replace(
    backend: FakeBackend, capsys: pytest.CaptureFixture[str], occupied: str
) -> None:
    place = backend.folder / "place"
    target = place / "config.toml"
    place.mkdir()
    target.mkdir() if occupied == "folder" else target.symlink_to(place / "nowhere")
    assert call(backend, "config", "init", "--config", str(target)) == 2
    assert "is already there" in capsys.readouterr().err
    if occupied == "folder":
        assert call(backend, "config", "init", "--force", "--config", str(target)) == 2
        assert "cannot be written" in capsys.readouterr().err
    assert [path.name for path in place.iterdir()] == ["config.toml"]


def test_config_init_answers_programs_too(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    target = backend.folder / "new" / "config.toml"
    status, document = answer(backend, capsys, "config", "init", "--config", str(target))
    assert (status, document["items"]) == (0, [{"path": str(target), "role": "given", "found": True}])
    assert target.parent.stat().st_mode & 0o777 == 0o700


def test_config_path(backend: FakeBackend, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(backend.folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(backend.folder / "xdg"))
    _, document = answer(backend, capsys, "config", "path")
    assert [item["role"] for item in document["items"]] == ["administrator", "user", "repository"]
    assert call(backend, "config", "path") == 0
    assert "your own" in capsys.readouterr().out


def test_config_init_writes_once_and_for_its_owner_only(
    backend: FakeBackend, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(backend.folder / "xdg"))
    target = backend.folder / "xdg" / "mlops-console" / "config.toml"
    assert call(backend, "config", "init") == 0
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in target.parent.iterdir()] == ["config.toml"]
    target.write_text("# mine\n")
    assert call(backend, "config", "init") == 2
    assert target.read_text() == "# mine\n"
    assert "--force replaces it" in capsys.readouterr().err
    assert call(backend, "config", "init", "--force") == 0
    assert "#timeout = 5.0" in target.read_text()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(backend: FakeBackend, capsys: pytest.CaptureFixture[str], shell: str) -> None:
    assert call(backend, "completion", shell) == 0
    assert "_MLOPS_CONSOLE_COMPLETE" in capsys.readouterr().out


def test_help_knows_every_command_and_the_global_options(backend: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(backend, "--help") == 0
    text = capsys.readouterr().out
    for word in ("status", "services", "containers", "config", "completion", "--host", "--json", "--read-only"):
        assert word in text
    assert call(backend, "services", "--help") == 0
    assert "--watch" in capsys.readouterr().out
    assert call(backend, "config", "--help") == 0
    assert "--config CONFIG" in capsys.readouterr().out


def test_a_replica_that_needs_no_look_is_not_an_error(backend: FakeBackend) -> None:
    done = container("job", service="job", state=ContainerState.EXITED, exit_code=0, details=inspection())
    backend.engine, backend.compose = FakeEngine(done), FakeCompose()
    assert call(backend, "services", "job") == 0
