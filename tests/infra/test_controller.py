"""The controller's entry point and its probe, run as they are, in folders of a test."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.infra import controller
from tests.support.casc import files
from tests.support.casc.schema import wrong
from tests.support.recorded import series
from tests.support.waiting import until_sync

LOCAL = "unclassified:\n  location:\n    adminAddress: ops@example.org\n"
# Says what it was started with and as which process; then waits, and says what ended it.
JENKINS = """#!/bin/bash
trap 'echo TERM >>"$TOLD"; exit 7' TERM
printf '%s\\n' "$$" "$AGENT_HOST_KEY" "$@" >"$TOLD.new"
mv "$TOLD.new" "$TOLD"
sleep infinity &
wait
"""


class Room:
    """What the container has, below one folder: secrets, configuration, a place for what is made, and two stand-ins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told = folder / "told"
        self.casc = folder / "run" / "casc"
        self.held = folder / "run" / "held"
        for name in ("run", "share", "etc/casc.d", "secrets", "bin"):
            (folder / name).mkdir(parents=True)
        (folder / "share" / "casc.yaml").write_text(controller.CASC, encoding="utf-8")
        (folder / "secrets" / "agent-host-key.pub").write_text(f"{controller.HOST_KEY} root@agent\n", encoding="utf-8")
        self.stand_in("hold-secrets", '#!/bin/sh\necho "$*" >"$WAITED"\n')
        self.stand_in("jenkins.sh", JENKINS)

    def stand_in(self, name: str, text: str) -> None:
        program = self.folder / "bin" / name
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        """The entry point, in a process group of its own."""
        places = {
            "MLOPS_RUN": "run",
            "MLOPS_SHARE": "share",
            "MLOPS_ETC": "etc",
            "SECRETS_DIR": "secrets",
            "JENKINS_HOME": "home",
        }
        environment = {
            **controller.environment(),
            **{name: str(self.folder / place) for name, place in places.items()},
            "TOLD": str(self.told),
            "WAITED": str(self.folder / "waited"),
            "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin",
            **settings,
        }
        return subprocess.Popen(
            [str(controller.FOLDER / "entrypoint"), *arguments],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def configuration(self) -> dict[str, object]:
        """The files that Jenkins would read, by name."""
        return {path.name: files.load(path.read_text(encoding="utf-8")) for path in sorted(self.casc.iterdir())}


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(room: Room) -> Iterator[Start]:
    """Start the entry point; at the end nothing of it is left."""
    started = []

    def run(*arguments: str, **settings: str) -> subprocess.Popen[str]:
        started.append(room.start(*arguments, **settings))
        return started[-1]

    yield run
    for process in started:
        # The child of a shell that waits stays behind when the shell goes; in a container that is the end of both.
        with process, suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def up(room: Room, process: subprocess.Popen[str]) -> list[str]:
    """What Jenkins was told, once it was started."""
    until_sync(lambda: room.told.exists() or process.poll() is not None, "Jenkins to be started")
    assert room.told.exists()
    return room.told.read_text(encoding="utf-8").splitlines()


def test_only_the_plugins_of_the_image_count(room: Room, start: Start) -> None:
    """Jenkins' own start would leave a newer one and one that the image has no more; all the rest of its home stays."""
    (room.folder / "home/plugins/left-over").mkdir(parents=True)
    (room.folder / "home/jobs").mkdir()
    up(room, start())
    assert [path.name for path in (room.folder / "home").iterdir()] == ["jobs"]


def test_jenkins_takes_the_place_of_the_entry_point(room: Room, start: Start) -> None:
    process = start("--first", "second word")
    pid, key, *arguments = up(room, process)
    assert int(pid) == process.pid
    assert key == controller.HOST_KEY
    assert arguments == ["--first", "second word"]
    process.terminate()
    assert process.wait() == 7
    assert room.told.read_text(encoding="utf-8").endswith("\nTERM\n")


def test_nothing_is_started_before_the_secrets_are_there(room: Room, start: Start) -> None:
    room.stand_in("hold-secrets", "#!/bin/sh\nexit 9\n")
    process = start()
    assert process.wait() == 9
    assert not room.told.exists()
    assert not room.casc.exists()


def test_it_waits_for_the_secrets_of_the_service(room: Room, start: Start) -> None:
    up(room, start())
    service, *names = (room.folder / "waited").read_text(encoding="utf-8").split()
    assert service == "jenkins"
    assert sorted(names) == sorted(controller.secrets())


@pytest.mark.parametrize(("said", "count"), [("0", 0), ("none", 0), ("1", 1), ("8", 8), ("16", 16)])
def test_each_gpu_has_a_lock(room: Room, start: Start, said: str, count: int) -> None:
    up(room, start(MLOPS_GPUS=said))
    found = room.configuration()
    assert list(found) == (["gpus.yaml", "platform.yaml"] if count else ["platform.yaml"])
    if count:
        gpus = found["gpus.yaml"]
        assert gpus == {
            "unclassified": {
                "lockableResourcesManager": {
                    "declaredResources": [
                        {
                            "name": f"trainer-1-gpu-{index}",
                            "labels": "gpu-trainer-1",
                            "description": f"GPU {index} of trainer-1",
                        }
                        for index in range(count)
                    ]
                }
            }
        }
        assert wrong(gpus, controller.SCHEMA) == []
        files.merged(found["platform.yaml"], gpus)


def test_the_locks_are_those_that_the_jenkinsfile_asks_for() -> None:
    nodes = [node["permanent"]["name"] for node in controller.tree()["jenkins"]["nodes"]]
    assert nodes == ["trainer-1"]
    assert 'lock(label: "gpu-${env.NODE_NAME}"' in (controller.ROOT / "Jenkinsfile").read_text(encoding="utf-8")


def test_what_a_site_adds_is_read_too(room: Room, start: Start) -> None:
    folder = room.folder / "etc" / "casc.d"
    (folder / "site.yaml").write_text(LOCAL, encoding="utf-8")
    (folder / "README.md").write_text("# no configuration\n", encoding="utf-8")
    (folder / "platform.yaml").write_text("jenkins:\n  scmCheckoutRetryCount: 2\n", encoding="utf-8")
    up(room, start())
    found = room.configuration()
    assert list(found) == ["local-platform.yaml", "local-site.yaml", "platform.yaml"]
    assert found["platform.yaml"] == files.load(controller.CASC)


def test_a_start_leaves_nothing_of_the_one_before(room: Room, start: Start) -> None:
    (room.folder / "etc" / "casc.d" / "site.yaml").write_text(LOCAL, encoding="utf-8")
    first = start(MLOPS_GPUS="2")
    up(room, first)
    first.kill()
    first.wait()
    room.told.unlink()
    (room.folder / "etc" / "casc.d" / "site.yaml").unlink()
    up(room, start(MLOPS_GPUS="0"))
    assert list(room.configuration()) == ["platform.yaml"]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("MLOPS_REPOSITORY_URL", "https://x/'+evil+'.git", "MLOPS_REPOSITORY_URL is no https:// address of a repository"),
        ("MLOPS_REPOSITORY_URL", 'https://x/".git', "MLOPS_REPOSITORY_URL is no https:// address of a repository"),
        ("MLOPS_REPOSITORY_URL", "https://x/\n.git", "MLOPS_REPOSITORY_URL is no https:// address of a repository"),
        ("MLOPS_REPOSITORY_URL", "https://x/${webhook-hmac}", "MLOPS_REPOSITORY_URL is no https:// address of a repository"),
        ("MLOPS_REPOSITORY_URL", "", "MLOPS_REPOSITORY_URL is no https:// address of a repository"),
        ("RELEASE_BRANCH", "main'", "RELEASE_BRANCH is no name of a branch"),
        ("RELEASE_BRANCH", "main|.*", "RELEASE_BRANCH is no name of a branch"),
        ("RELEASE_BRANCH", "", "RELEASE_BRANCH is no name of a branch"),
        ("MLOPS_GPUS", "all", "MLOPS_GPUS is 'all', and has to be a number of GPUs"),
        ("MLOPS_GPUS", "0,1", "MLOPS_GPUS is '0,1', and has to be a number of GPUs"),
        ("MLOPS_GPUS", "-1", "MLOPS_GPUS is '-1', and has to be a number of GPUs"),
        ("MLOPS_GPUS", "08", "MLOPS_GPUS is '08', and has to be a number of GPUs"),
        ("MLOPS_GPUS", "1none", "MLOPS_GPUS is '1none', and has to be a number of GPUs"),
        ("MLOPS_GPUS", "100", "MLOPS_GPUS is '100', and has to be a number of GPUs"),
        ("MLOPS_GPUS", "", "MLOPS_GPUS is '', and has to be a number of GPUs"),
        ("AGENT_EXECUTORS", "many", "AGENT_EXECUTORS is 'many', and has to be a number of builds"),
        ("AGENT_EXECUTORS", "0", "AGENT_EXECUTORS is '0', and has to be a number of builds"),
    ],
)
def test_a_setting_that_cannot_be_is_held(room: Room, start: Start, name: str, value: str, sentence: str) -> None:
    process = start(**{name: value})
    line = f"jenkins: {sentence}: mend it in infra/.env, then docker compose up -d jenkins\n"
    assert process.stderr is not None
    assert process.stderr.readline() == line
    until_sync(lambda: room.held.exists() and room.held.read_text(encoding="utf-8") == line, "the probe's sentence")
    assert process.poll() is None
    assert not room.told.exists()
    # The probe says it too, and a stop is a stop.
    assert probe(room, "http://127.0.0.1:1") == (1, line)
    process.terminate()
    assert process.wait() == 0


def room_environment(room: Room) -> dict[str, str]:
    home = room.folder / "home"
    home.mkdir(exist_ok=True)
    return {"PATH": "/usr/bin:/bin", "MLOPS_RUN": str(room.folder / "run"), "JENKINS_HOME": str(home)}


@contextmanager
def answering(status: int, body: str) -> Iterator[str]:
    """The address of a server that answers `/login` so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = body.encode()
            self.send_response(status if self.path == "/login" else 404)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Nothing: the tests' output is no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def probe(room: Room, address: str, **settings: str) -> tuple[int, str]:
    environment = {**room_environment(room), "MLOPS_CONTROLLER": address, **settings}
    ended = subprocess.run([str(controller.FOLDER / "healthy")], env=environment, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout


(FAILED_PAGE,) = {one.body for one in series("startup-casc-failure") if one.status == 500}
(STARTING_PAGE,) = {one.body for one in series("startup-casc-failure") if one.status == 503}
UNKNOWN = "io.jenkins.plugins.casc.UnknownAttributesException: jenkins: Invalid configuration elements for type: class jenkins"
WRONG = "io.jenkins.plugins.casc.ConfiguratorException: error configuring 'jenkins' with io.jenkins.plugins.casc.core"
COULD_NOT = "Jenkins is up, and its configuration could not be applied (500): "


@pytest.mark.parametrize(
    ("status", "body", "code", "sentence"),
    [
        (200, "<html>Sign in</html>", 0, "Jenkins is up"),
        (503, STARTING_PAGE, 1, "Jenkins is starting (503)"),
        (500, FAILED_PAGE, 1, f"{COULD_NOT}see docker compose logs jenkins"),
        (500, f"{FAILED_PAGE}<pre>{UNKNOWN}\n\tat x\n</pre>", 1, COULD_NOT + UNKNOWN.removeprefix("io.jenkins.plugins.")),
        (500, f"<pre>{WRONG}<br>{UNKNOWN}</pre>", 1, COULD_NOT + WRONG.removeprefix("io.jenkins.plugins.")),
        (500, f"<pre>casc.LongException: {'x' * 1000}</pre>", 1, COULD_NOT + f"casc.LongException: {'x' * 1000}"[:300]),
        (404, "", 1, "Jenkins answers 404 to /login"),
        (403, "", 1, "Jenkins answers 403 to /login"),
    ],
)
def test_the_probe_says_how_jenkins_is(room: Room, status: int, body: str, code: int, sentence: str) -> None:
    with answering(status, body) as address:
        assert probe(room, address) == (code, f"{sentence}\n")


def test_a_controller_that_is_not_there(room: Room) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert probe(room, f"http://127.0.0.1:{unused.getsockname()[1]}") == (1, "Jenkins does not answer\n")


def test_a_controller_that_says_nothing(room: Room) -> None:
    """The probe gives up before Docker ends it, so that its words are kept."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert probe(room, f"http://127.0.0.1:{silent.getsockname()[1]}") == (1, "Jenkins does not answer\n")
    patience = (controller.FOLDER / "healthy").read_text(encoding="utf-8").split("curl -s -m ")[1].split()[0]
    assert int(patience) < int(str(controller.service()["healthcheck"]["timeout"]).rstrip("s"))


def test_a_volume_that_is_full(room: Room) -> None:
    """A small one of its own, which goes away with the process that has it."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    home = room_environment(room)["JENKINS_HOME"]
    script = 'mount -t tmpfs -o size=4k tmpfs "$1" && { head -c 9000 /dev/zero >"$1/full" 2>/dev/null; exec "$2"; }'
    with answering(200, "") as address:
        ended = subprocess.run(
            [
                "unshare",
                "-m" if os.getuid() == 0 else "-rm",
                "sh",
                "-c",
                script,
                "sh",
                home,
                str(controller.FOLDER / "healthy"),
            ],
            env={**room_environment(room), "MLOPS_CONTROLLER": address},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.stdout == f"the volume jenkins-home ({home}) cannot be written to: is the disk full?\n"
        assert (ended.returncode, ended.stderr) == (1, "")
        assert probe(room, address)[0] == 0


def test_a_volume_that_is_not_there(room: Room) -> None:
    home = str(room.folder / "gone")
    sentence = f"the volume jenkins-home ({home}) cannot be written to: is the disk full?\n"
    with answering(200, "") as address:
        assert probe(room, address, JENKINS_HOME=home) == (1, sentence)


def test_the_probe_leaves_nothing_in_the_volume(room: Room) -> None:
    with answering(200, "") as address:
        assert probe(room, address)[0] == 0
    assert list((room.folder / "home").iterdir()) == []
