"""Who plays on the demo's server, and what happens to whom in each cycle of three minutes."""

from __future__ import annotations

from dataclasses import dataclass, field

from console.model.container import Health, Mount, Port
from console.text import clean

CYCLE_SECONDS = 180.0
PROJECT = "mlops"
FILE = "infra/docker-compose.yml"
_MIB, _GIB = 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True)
class Act:
    """Something that happens `at` seconds after a cycle began. The acts of one actor end where they began."""

    at: float
    action: str
    exit_code: int = 0
    oom: bool = False
    health: Health | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """One container. `up` is how long it has run when the demo begins (seconds), `ended` how long ago it ended (None: it
    runs), `cpu` percent of one core and `memory` bytes around which its use moves."""

    name: str
    image: str
    service: str = ""
    number: int = 1
    up: float = 9 * 86400.0
    ended: float | None = None
    exit_code: int = 0
    oom: bool = False
    health: Health = Health.NONE
    probe: str = ""
    output: str = ""
    failing_for: float = 0.0
    cpu: float = 0.2
    memory: int = 40 * _MIB
    limit: int | None = None
    policy: str = "unless-stopped"
    command: str = ""
    restarts: int = 0
    user: str = ""
    ports: tuple[Port, ...] = ()
    mounts: tuple[Mount, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    acts: tuple[Act, ...] = field(default=())


def _port(inner: int, outer: int | None = None) -> Port:
    return Port(inner, clean("tcp"), clean("127.0.0.1") if outer else None, outer)


def _volume(name: str, target: str, *, read_only: bool = False) -> Mount:
    return Mount(clean("volume"), clean(name), clean(target), read_only)


def _bind(source: str, target: str, *, read_only: bool = False) -> Mount:
    return Mount(clean("bind"), clean(source), clean(target), read_only)


def _training(project: str, build: int, commit: str, gpu: str) -> tuple[tuple[str, str], ...]:
    return (
        ("mlops.managed", "true"),
        ("mlops.project", project),
        ("mlops.commit", commit),
        ("mlops.job", "train"),
        ("mlops.build", str(build)),
        ("mlops.build-url", f"http://127.0.0.1:8080/job/train/{build}/"),
        ("mlops.gpu", gpu),
        ("mlops.purpose", "train"),
    )


_WGET = "wget: can't connect to remote host (127.0.0.1:9000): Connection refused"
_READY = 'HTTP 200 {"status":"ok"}'

CAST: tuple[Actor, ...] = (
    Actor(
        "mlops-portainer-1",
        "portainer/portainer-ce:2.30.0",
        "portainer",
        health=Health.UNHEALTHY,
        probe="wget -q -O- http://127.0.0.1:9000/api/system/status",
        output=_WGET,
        failing_for=720.0,
        cpu=0.1,
        memory=41 * _MIB,
        limit=512 * _MIB,
        command="/portainer --admin-password-file /run/secrets/portainer_admin",
        ports=(_port(9443, 9443),),
        mounts=(
            _volume("mlops_portainer", "/data"),
            _bind("/srv/mlops/secrets/portainer_admin", "/run/secrets/portainer_admin", read_only=True),
        ),
        environment=(("PATH", "/"), ("TZ", "Asia/Tokyo")),
    ),
    Actor(
        "mlops-jenkins-1",
        "jenkins/jenkins:2.568.2-jdk21",
        "jenkins",
        health=Health.HEALTHY,
        probe="curl -fsS http://127.0.0.1:8080/login",
        output="HTTP 200",
        cpu=3.2,
        memory=1420 * _MIB,
        limit=4 * _GIB,
        command="/usr/bin/tini -- /usr/local/bin/jenkins.sh",
        user="1000:1000",
        ports=(_port(8080, 8080), _port(50000)),
        mounts=(
            _volume("mlops_jenkins_home", "/var/jenkins_home"),
            _bind("/srv/mlops/infra/jenkins/casc", "/etc/jenkins/casc", read_only=True),
        ),
        environment=(
            ("CASC_JENKINS_CONFIG", "/etc/jenkins/casc"),
            ("JAVA_OPTS", "-Djenkins.install.runSetupWizard=false -XX:MaxRAMPercentage=60"),
            ("JENKINS_ADMIN_PASSWORD", "an-invented-password"),
        ),
    ),
    Actor(
        "mlops-agent-1",
        "jenkins/ssh-agent:8.9.0-jdk21",
        "agent",
        health=Health.HEALTHY,
        probe="nc -z 127.0.0.1 22",
        output="ok",
        cpu=11.0,
        memory=610 * _MIB,
        limit=2 * _GIB,
        command="setup-sshd",
        mounts=(
            _bind("/var/run/docker.sock", "/var/run/docker.sock"),
            _volume("mlops_agent_work", "/home/jenkins/agent"),
        ),
    ),
    Actor(
        "mlops-gate-1",
        "mlops/gate:1.4.0",
        "gate",
        health=Health.HEALTHY,
        probe="wget -q -O- http://127.0.0.1:8000/healthz",
        output=_READY,
        cpu=0.3,
        memory=38 * _MIB,
        limit=128 * _MIB,
        command="python -m gate",
        ports=(_port(8000),),
        environment=(("GATE_SECRET_FILE", "/run/secrets/webhook_secret"), ("GATE_PROJECTS", "project-a,project-b")),
        acts=(
            Act(60.0, "die", 1),
            Act(61.0, "start"),
            Act(66.0, "die", 1),
            Act(68.0, "start"),
            Act(78.0, "health_status", health=Health.HEALTHY),
        ),
    ),
    Actor(
        "mlops-frp_client-1",
        "ghcr.io/fatedier/frpc:v0.70.1",
        "frp_client",
        health=Health.HEALTHY,
        probe="wget -q -O- http://127.0.0.1:7400/healthz",
        output="ok",
        cpu=0.1,
        memory=22 * _MIB,
        command="/usr/bin/frpc -c /etc/frp/frpc.toml",
        acts=(
            Act(100.0, "health_status", health=Health.UNHEALTHY),
            Act(130.0, "health_status", health=Health.HEALTHY),
        ),
    ),
    Actor(
        "mlops-metrics-1",
        "mlops/recorder:0.3.1",
        "metrics",
        cpu=1.4,
        memory=96 * _MIB,
        limit=128 * _MIB,
        command="python -m recorder",
        restarts=2,
        policy="always",
        acts=(Act(20.0, "oom"), Act(20.5, "die", 137, oom=True), Act(28.0, "start")),
    ),
    Actor("mlops-cache-1", "mlops/hub-cache:2.1.0", "cache", 1, cpu=0.6, memory=310 * _MIB, command="cache --keep 200G"),
    Actor(
        "mlops-migrate-1",
        "mlops/recorder:0.3.1",
        "migrate",
        up=9 * 86400.0,
        ended=9 * 86400.0 - 4.0,
        policy="no",
        command="python -m recorder.migrate",
    ),
    Actor(
        "mlops-search-1",
        "mlops/search:0.9.0",
        "search",
        up=35.0,
        health=Health.STARTING,
        probe="wget -q -O- http://127.0.0.1:7700/health",
        output="wget: server returned error: HTTP/1.1 503 Service Unavailable",
        cpu=62.0,
        memory=740 * _MIB,
        command="search --warm",
        acts=(
            Act(45.0, "health_status", health=Health.HEALTHY),
            Act(150.0, "die", 0),
            Act(152.0, "start"),
        ),
    ),
    Actor(
        "mlops-project-a-128",
        "mlops/project-a:7fa01469cc8e",
        up=964.0,
        cpu=380.0,
        memory=9_770 * _MIB,
        limit=16 * _GIB,
        policy="no",
        command="python -m src.train",
        user="1000:1000",
        mounts=(_volume("mlops_hf_cache", "/cache"),),
        environment=(
            ("MLOPS_PROJECT", "project-a"),
            ("MLOPS_BUILD", "128"),
            ("HF_TOKEN_PATH", "/run/secrets/hf_token"),
        ),
        labels=_training("project-a", 128, "7fa01469cc8e4d0b6c1f3a8e92b7d5140c6e8f21", "0"),
    ),
    Actor(
        "mlops-vision-large-7",
        "mlops/vision-large:c0ffee5a1b2d",
        up=5 * 3600.0,
        cpu=0.4,
        memory=43_600 * _MIB,
        limit=64 * _GIB,
        policy="no",
        command="python train.py",
        labels=_training("vision-large", 7, "c0ffee5a1b2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f", "1"),
    ),
    Actor(
        "mlops-project-b-41",
        "mlops/project-b:1d44b02e9c31",
        up=2580.0 + 1320.0,
        ended=1320.0,
        exit_code=137,
        oom=True,
        limit=16 * _GIB,
        policy="no",
        command="python -m src.train",
        labels=_training("project-b", 41, "1d44b02e9c31f7a6b5c4d3e2f1a0b9c8d7e6f5a4", "none"),
    ),
    Actor(
        "mlops-project-a-127",
        "mlops/project-a:5be90c1d77aa",
        up=5 * 3600.0 + 2280.0,
        ended=5 * 3600.0,
        policy="no",
        command="python -m src.train",
        labels=_training("project-a", 127, "5be90c1d77aa0f1e2d3c4b5a69788796a5b4c3d2", "0"),
    ),
    Actor("registry-mirror", "registry:2", up=31 * 86400.0, cpu=0.2, memory=64 * _MIB, ports=(_port(5000, 5000),)),
    Actor(
        "jupyter-sato",
        "jupyter/scipy-notebook:2026-10",
        up=3 * 86400.0,
        cpu=2.1,
        memory=2_310 * _MIB,
        ports=(_port(8888, 8888),),
        environment=(("JUPYTER_TOKEN", "an-invented-token"),),
        labels=(("持ち主", "佐藤"), ("用途", "実験ノート")),
    ),
    Actor("tensorboard", "tensorboard:2.20", up=6 * 86400.0, cpu=0.7, memory=420 * _MIB, ports=(_port(6006, 6006),)),
    Actor(
        "pensive_borg",
        "debian:12",
        up=7200.0,
        ended=3600.0,
        exit_code=130,
        policy="no",
        command="bash",
        # What a careless or malicious label looks like once it has passed the gate.
        labels=(("note\x1b]0;owned\x07", "[@click=app.quit]press me[/] \u202etxt.exe"),),
    ),
)

# What the file declares: image and how many. Jenkins was raised to a newer patch that nobody has rolled out yet.
DECLARED: tuple[tuple[str, str, int], ...] = (
    ("agent", "jenkins/ssh-agent:8.9.0-jdk21", 1),
    ("cache", "mlops/hub-cache:2.1.0", 2),
    ("frp_client", "ghcr.io/fatedier/frpc:v0.70.1", 1),
    ("gate", "mlops/gate:1.4.0", 1),
    ("jenkins", "jenkins/jenkins:2.568.3-jdk21", 1),
    ("metrics", "mlops/recorder:0.3.1", 1),
    ("migrate", "mlops/recorder:0.3.1", 1),
    ("portainer", "portainer/portainer-ce:2.30.0", 1),
    ("search", "mlops/search:0.9.0", 1),
)
