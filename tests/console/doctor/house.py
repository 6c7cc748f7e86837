"""A whole platform that is well, for the doctor: a real Engine and Compose project of busybox services, a Jenkins and a Hub
over HTTP, a public front with TLS, files with owners and modes. A test breaks one thing and looks at what is named.
"""

from __future__ import annotations

import http.server
import json
import os
import shutil
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from console.demo.controller import OPERATOR, Controller, Node, Permission, Pipeline, Say
from console.main import main
from tests.console.actions.stage import TRAIN
from tests.console.cli.calling import SCHEMAS
from tests.support import hook, scratch
from tests.support.engine import Engine, compose_program
from tests.support.hub import Hub
from tests.support.jenkins.reaching import TOKEN, allow
from tests.support.jenkins.server import JenkinsServer
from tests.support.tunnels import make_keys
from tests.support.waiting import until_sync

ROOT = Path(__file__).parents[3]
HEALTHY = ROOT / "infra" / "frp" / "healthy"
PLUGINS = {"configuration-as-code": "2117.vc05a_0b_e6b_f4e", "ssh-slaves": "3.1141"}
RIGHTS = OPERATOR | {Permission.AGENT_CONNECT, Permission.AGENT_DISCONNECT}
SECRETS: Mapping[str, str] = {
    "webhook-hmac": "a" * 64,
    "webhook-token": "b" * 64,
    "hf-read-token": "hf_read",
    "hf-write-token": "hf_write",
    "frp-admin-password": "c" * 64,
}
UP = '{"http":[{"name":"webhook","type":"http","status":"running","err":""}]}'
REFUSED = (
    "2026-11-23 14:00:00.000 [W] [client/service.go:315] connect to server error: "
    "token in login doesn't match token from configuration"
)
MARKED = "X-Mlops-Gate: 1"
_SERVER = "trap 'exit 0' TERM; nc -ll -p {port} -e /house/{name}.sh & while :; do sleep 1000 & wait $!; done"
# What curl in the gate's own image does with the same words; busybox has none.
_CURL = """\
#!/bin/sh
method=GET
while [ $# -gt 1 ]; do
    case $1 in
        -X) method=$2; shift ;;
        -m | --data) shift ;;
    esac
    shift
done
path=/${1#http://127.0.0.1:8080/}
printf '%s %s HTTP/1.0\\r\\n\\r\\n' "$method" "$path" | nc -w 5 127.0.0.1 8080
"""
_GATE = """\
#!/bin/sh
read -r method path rest
case "$method $path" in
    'POST /generic-webhook-trigger/invoke') cat /house/gate.unsigned ;;
    *) cat /house/gate.other ;;
esac
"""
_FRP = "#!/bin/sh\nread -r line\ncat /house/frp.answer\n"
_PROJECT = """\
name: {name}
x-service: &service
  image: busybox:test
  pull_policy: never
  network_mode: none
  restart: unless-stopped
  stop_grace_period: 1s
  logging: {{driver: json-file, options: {{max-size: 1m, max-file: "2"}}}}
  command: ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1000 & wait $$!; done"]
services:
  jenkins:
    <<: *service
    environment: {{HF_ENDPOINT: "{hub}"}}
    secrets: [webhook-hmac, webhook-token, hf-read-token, hf-write-token]
    healthcheck:
      test: [CMD-SHELL, "cat /house/jenkins.probe && test ! -e /house/jenkins.sick"]
      interval: 1s
      timeout: 10m
      retries: 1
    volumes: ["{house}:/house"]
  agent:
    <<: *service
    healthcheck: {{test: [CMD-SHELL, "test ! -e /house/agent.sick || ! echo 'no disk is left'"], interval: 1s, retries: 1}}
    volumes: ["{house}:/house"]
  gate:
    <<: *service
    command: ["sh", "-c", "{gate}"]
    healthcheck: {{test: [CMD-SHELL, "cat /house/gate.probe; test ! -e /house/gate.sick"], interval: 1s, retries: 1}}
    secrets: [webhook-token]
    volumes: ["{house}:/house", "{house}/curl:/bin/curl:ro"]
  frp_client:
    <<: *service
    command: ["sh", "-c", "{frp}"]
    environment: {{FRP_SERVER_ADDR: frps.example.org, FRP_SERVER_PORT: "7000", FRP_DOMAIN: "{domain}"}}
    secrets: [frp-admin-password]
    tmpfs: [/run/mlops]
    healthcheck: {{test: [CMD, /bin/sh, /house/healthy], interval: 1s, timeout: 10m, retries: 1}}
    volumes: ["{house}:/house"]
secrets:
{secrets}
"""


class House:
    """All of it, running and well. What a test changes it puts back."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.folder = scratch.new_folder("house")
        self.home, self.infra, self.shared = self.folder / "home", self.folder / "infra", self.folder / "shared"
        for folder in (self.home, self.infra / "secrets", self.infra / "jenkins", self.shared):
            folder.mkdir(parents=True)
        self.home.chmod(0o700)
        self.hub = Hub()
        self.hub.add_user("acme", read=SECRETS["hf-read-token"], write=SECRETS["hf-write-token"])
        self.front = Front(self.folder)
        self.controller = Controller(lambda: round(time.time() * 1000))
        allow(self.controller, RIGHTS)
        self.controller.add_node(Node("trainer-1", ("trainer",)))
        self.controller.add_job("train", Pipeline((Say("hello"),)), parameters=TRAIN)
        self.jenkins = JenkinsServer(self.controller)
        self.jenkins.__enter__()
        self.compose = self.infra / "docker-compose.yml"
        self._write()
        self.up()

    def _write(self) -> None:
        for name, content in SECRETS.items():
            self.secret(name, content)
        self.put("curl", _CURL, 0o755)
        self.put("gate.sh", _GATE, 0o755)
        self.put("frpc.sh", _FRP, 0o755)
        shutil.copy(HEALTHY, self.shared / "healthy")
        self.gate(unsigned=403)
        self.frp(UP)
        self.put("gate.probe", "the gate is open\n")
        self.put("jenkins.probe", "Jenkins is up\n")
        names = "\n".join(f"  {name}: {{file: secrets/{name}}}" for name in SECRETS)
        self.compose.write_text(
            _PROJECT.format(
                name=f"mlops{self.folder.name}".replace("-", "").replace(".", "").replace("_", "").lower(),
                hub=self.hub.endpoint,
                house=self.shared,
                domain=f"127.0.0.1:{self.front.port}",
                gate=_SERVER.format(port=8080, name="gate").replace("$", "$$"),
                frp=_SERVER.format(port=7400, name="frpc").replace("$", "$$"),
                secrets=names,
            )
        )

    def up(self, *services: str) -> None:
        """Make and start what is missing, and wait until it is well."""
        self.docker("up", "--detach", "--no-build", *services)
        for service in services or ("jenkins", "agent", "gate", "frp_client"):
            self.until(service, "healthy")

    def until(self, service: str, word: str) -> None:
        """Wait until Docker says so of the service's probe."""
        until_sync(lambda: self._health(service) == word, f"{service} to be {word}", 60.0)

    def _health(self, service: str) -> str:
        return str(self.engine.inspect(self.container(service))["State"]["Health"]["Status"])

    def container(self, service: str) -> str:
        names = self.engine.docker("compose", "-f", str(self.compose), "ps", "-a", "--format", "{{.Name}}", service)
        return str(names).strip()

    def docker(self, *words: str) -> None:
        self.engine.docker("compose", "--progress=quiet", "-f", str(self.compose), *words)

    def put(self, name: str, text: str, mode: int = 0o644) -> None:
        """A file that all services see; in one step, since probes read it all the time."""
        beside = self.shared / f".{name}"
        beside.write_text(text)
        beside.chmod(mode)
        beside.replace(self.shared / name)

    def gate(self, *, unsigned: int, other: int = 404, mark: str = MARKED) -> None:
        for name, status in (("unsigned", unsigned), ("other", other)):
            self.put(f"gate.{name}", f"HTTP/1.1 {status} Something\r\n{mark}\r\n\r\nrefused\n")

    def frp(self, body: str, status: str = "200 OK") -> None:
        self.put("frp.answer", f"HTTP/1.0 {status}\r\n\r\n{body}")

    def secret(self, name: str, content: str) -> Path:
        file = self.infra / "secrets" / name
        # The same file: containers have it, and no other of its name.
        file.touch()
        file.chmod(0o600)
        file.write_text(content)
        os.chown(file, 1000, 1000)
        file.chmod(0o400)
        return file

    def environ(self, patch: pytest.MonkeyPatch) -> None:
        """What a person at this server has."""
        for name in [*os.environ]:
            if name.startswith(("MLOPS_", "DOCKER_", "HF_", "XDG_")) or name.lower().endswith("_proxy"):
                patch.delenv(name)
        patch.setenv("DOCKER_HOST", self.engine.host)
        patch.setenv("HOME", str(self.home))
        patch.setenv("MLOPS_JENKINS_URL", self.jenkins.url)
        patch.setenv("MLOPS_JENKINS_USER", "operator")
        patch.setenv("MLOPS_JENKINS_TOKEN", TOKEN)
        patch.setenv("SSL_CERT_FILE", str(self.folder / "ca.pem"))
        patch.chdir(self.folder)
        # Disks of machines that run tests are as full as they are.
        patch.setattr("console.model.machine_words.ATTENTION", 101.0)
        patch.setattr("console.model.machine_words.BROKEN", 101.0)
        plugins = self.home / ".docker" / "cli-plugins"
        plugins.mkdir(parents=True, exist_ok=True)
        program = compose_program()
        with suppress(FileExistsError):
            if program is not None:
                (plugins / "docker-compose").symlink_to(program)

    def close(self) -> None:
        with suppress(AssertionError):
            self.engine.docker("compose", "-f", str(self.compose), "down", "--timeout=0", "--volumes")
        self.jenkins.__exit__(None, None, None)
        self.front.close()
        self.hub.close()
        shutil.rmtree(self.folder)


class Front:
    """The public side, with TLS: what frps, frpc and gate make of it is the hook's own, behind the gate's mark."""

    def __init__(self, folder: Path) -> None:
        make_keys(folder, "IP:127.0.0.1")
        self.trigger = hook.Trigger(SECRETS["webhook-hmac"].encode(), SECRETS["webhook-token"])
        self.marked = True
        self.status: int | None = None
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(folder / "server.pem", folder / "server-key.pem")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(0.01), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(front: Front) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = 10.0

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = [*self.headers.items(), ("token", SECRETS["webhook-token"])]
            status, text = front.trigger.answer(hook.Arrived(self.requestline, headers, body))
            self.send_response(front.status or status)
            if front.marked:
                self.send_header("X-Mlops-Gate", "1")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *arguments: object) -> None:
            """Nothing."""

    return Handler


Items = Mapping[str, Mapping[str, Any]]


def examined(capsys: pytest.CaptureFixture[str], *words: str) -> Items:
    """What the command says of each hop, as programs get it."""
    capsys.readouterr()
    status = main(["doctor", *words, "--json"])
    document = json.loads(capsys.readouterr().out)
    schema = json.loads((SCHEMAS / "hops.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    found = {item["id"]: item for item in document["items"]}
    broken = [name for name, item in found.items() if item["state"] == "broken"]
    assert document["broken"] == (broken[0] if broken else None)
    assert status == (1 if broken else 0)
    # Nobody is told to look at a hop that is neither broken nor starting.
    coming = [name for name, item in found.items() if item["state"] == "warning" and "starting" in item["seen"]]
    assert {item["because"] for item in found.values()} <= {None, *broken, *coming}
    return found


def blamed(found: Items) -> list[str]:
    """Hops that something is wrong with."""
    return [name for name, item in found.items() if item["state"] in ("broken", "warning")]
