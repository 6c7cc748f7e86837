"""Who plays on the demo's server, and what happens to whom in each cycle of three minutes."""

from __future__ import annotations

from console.demo.actor import DAY, GIB, HOUR, MIB, MINUTE, Act, Actor, ProbeScript
from console.demo.story import BY_NUMBER, End, Training
from console.model.container import Health, Mount, Port
from console.text import clean

PROJECT = "mlops"
FILE = "/srv/mlops/infra/docker-compose.yml"


def _port(inner: int, outer: int | None = None) -> Port:
    return Port(inner, clean("tcp"), clean("127.0.0.1") if outer else None, outer)


def _volume(name: str, target: str) -> Mount:
    return Mount(clean("volume"), clean(name), clean(target), read_only=False)


def _bind(source: str, target: str, *, read_only: bool = False) -> Mount:
    return Mount(clean("bind"), clean(source), clean(target), read_only)


def _secret(name: str) -> Mount:
    return _bind(f"/srv/mlops/infra/secrets/{name}", f"/run/secrets/{name}", read_only=True)


def _training(training: Training, cpu: float = 0.0, memory: int = 0) -> Actor:
    """The container of a training, with what it uses while it runs."""
    project, number, commit, manner = training.project, training.number, training.commit, training.manner
    url = f"http://127.0.0.1:8080/job/train/{number}/"
    return Actor(
        f"mlops-{project}-{number}",
        f"mlops/{project}:{commit[:12]}",
        # What is still to come is made and started at once: nobody sees it in between.
        created=-training.begins + (1.0 if training.begins < 0 else 0.0),
        up=-training.begins,
        ended=None if training.ends is None else -training.ends,
        exit_code=training.exit_code,
        oom=training.end is End.MEMORY,
        cpu=cpu,
        memory=memory,
        limit=training.memory * GIB,
        policy="no",
        command="python -m src.train --config config.yaml",
        user="1000:1000",
        mounts=(
            _volume("mlops_hf_cache", "/cache"),
            _bind(f"/srv/mlops/runs/{project}/{number}", "/out"),
            _secret("hf-read-token"),
        ),
        environment=(
            ("HF_ENDPOINT", "https://huggingface.co"),
            ("HF_HOME", "/cache/huggingface"),
            ("HF_TOKEN_PATH", "/run/secrets/hf-read-token"),
            ("MLOPS_BUILD", str(number)),
            ("MLOPS_COMMIT", commit),
            ("MLOPS_JOB", "train"),
            *((("MLOPS_OVERRIDES", dict(training.given)["OVERRIDES"]),) if training.given else ()),
            ("MLOPS_PROJECT", project),
            ("OUT_DIR", "/out"),
        ),
        labels=(
            ("mlops.build", str(number)),
            ("mlops.build-url", url),
            ("mlops.commit", commit),
            ("mlops.gpu", "none" if manner.gpu is None else str(manner.gpu)),
            ("mlops.job", "train"),
            ("mlops.managed", "true"),
            ("mlops.project", project),
            ("mlops.purpose", "train"),
        ),
    )


_SERVICES: tuple[Actor, ...] = (
    Actor(
        "mlops-portainer-1",
        "portainer/portainer-ce:2.30.0",
        "portainer",
        health=Health.UNHEALTHY,
        health_for=12 * MINUTE,
        probe=ProbeScript(
            "wget -q -O- http://127.0.0.1:9000/api/system/status",
            good='{"Version":"2.30.0"}',
            bad="wget: can't connect to remote host (127.0.0.1:9000): Connection refused",
            interval=30.0,
        ),
        cpu=0.1,
        memory=41 * MIB,
        limit=512 * MIB,
        command="/portainer --admin-password-file /run/secrets/portainer-admin-password",
        ports=(_port(9443, 9443),),
        mounts=(_volume("mlops_portainer", "/data"), _secret("portainer-admin-password")),
        environment=(("PATH", "/"), ("TZ", "Asia/Tokyo")),
    ),
    Actor(
        "mlops-jenkins-1",
        "jenkins/jenkins:2.568.2",
        "jenkins",
        health=Health.HEALTHY,
        health_for=9 * DAY - 90.0,
        probe=ProbeScript("curl -fsS -o /dev/null http://127.0.0.1:8080/login", good="", interval=30.0, start_period=120.0),
        cpu=3.2,
        memory=1420 * MIB,
        limit=4 * GIB,
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
        ),
    ),
    Actor(
        "mlops-agent-1",
        "jenkins/ssh-agent:8.9.0-jdk21",
        "agent",
        health=Health.HEALTHY,
        health_for=9 * DAY - 30.0,
        probe=ProbeScript("nc -z 127.0.0.1 22", good="", interval=30.0),
        cpu=11.0,
        memory=610 * MIB,
        limit=2 * GIB,
        command="setup-sshd",
        ports=(_port(22),),
        mounts=(
            _bind("/var/run/docker.sock", "/var/run/docker.sock"),
            _volume("mlops_agent_work", "/home/jenkins/agent"),
        ),
        environment=(("JENKINS_AGENT_SSH_PUBKEY", "ssh-ed25519 an-invented-key jenkins"),),
    ),
    Actor(
        "mlops-gate-1",
        "mlops/gate:1.4.0",
        "gate",
        health=Health.HEALTHY,
        health_for=9 * DAY - 10.0,
        probe=ProbeScript("/bin/sh /etc/mlops/healthy", good="the gate is open"),
        cpu=0.3,
        memory=38 * MIB,
        limit=128 * MIB,
        command="/bin/sh /etc/mlops/entrypoint",
        user="1000:1000",
        ports=(_port(8080),),
        mounts=(_secret("webhook-token"),),
    ),
    # Loses its server for half a minute.
    Actor(
        "mlops-frp_client-1",
        "ghcr.io/fatedier/frpc:v0.70.1",
        "frp_client",
        health=Health.HEALTHY,
        health_for=50.0,
        probe=ProbeScript(
            "/bin/sh /etc/mlops/healthy",
            good="the tunnel to frps.example.org is up since {since}",
            bad="no connection to frps at frps.example.org:7000; frpc goes on trying, its log says why",
        ),
        cpu=0.1,
        memory=22 * MIB,
        limit=128 * MIB,
        command="/bin/sh /etc/mlops/entrypoint",
        user="1000:1000",
        mounts=(_bind("/srv/mlops/infra/frp/frpc.toml", "/etc/mlops/frpc.toml", read_only=True), _secret("frp-token")),
        environment=(
            ("FRP_DOMAIN", "hook.example.org"),
            ("FRP_SERVER_ADDR", "frps.example.org"),
            ("FRP_SERVER_NAME", ""),
            ("FRP_SERVER_PORT", "7000"),
        ),
        acts=(
            Act(100.0, "health_status", health=Health.UNHEALTHY),
            Act(130.0, "health_status", health=Health.HEALTHY),
        ),
    ),
    # Leaks until the kernel ends it.
    Actor(
        "mlops-metrics-1",
        "mlops/recorder:0.3.1",
        "metrics",
        up=152.0,
        ended=159.5,
        restarts=2,
        cpu=1.4,
        memory=60 * MIB,
        leak=440 * 1024,
        limit=128 * MIB,
        policy="always",
        command="python -m recorder",
        ports=(_port(9100),),
        mounts=(_volume("mlops_metrics", "/var/lib/recorder"),),
        environment=(("RECORDER_DB_PASSWORD", "an-invented-password"), ("RECORDER_KEEP", "30d")),
        acts=(Act(20.0, "oom"), Act(20.5, "die", 137), Act(28.0, "start")),
    ),
    # The file wants two of it.
    Actor(
        "mlops-cache-1",
        "mlops/hub-cache:2.1.0",
        "cache",
        cpu=0.6,
        memory=310 * MIB,
        command="cache --keep 200G",
        ports=(_port(8081),),
        mounts=(_volume("mlops_hf_cache", "/cache"),),
    ),
    Actor(
        "mlops-migrate-1",
        "mlops/recorder:0.3.1",
        "migrate",
        created=9 * DAY + 4.0,
        ended=9 * DAY,
        exit_code=0,
        policy="no",
        command="python -m recorder.migrate",
        mounts=(_volume("mlops_metrics", "/var/lib/recorder"),),
        environment=(("RECORDER_DB_PASSWORD", "an-invented-password"),),
    ),
    # Takes a minute to warm up; later it crashes, again and again after longer pauses of the Engine, and recovers.
    Actor(
        "mlops-search-1",
        "mlops/search:0.9.0",
        "search",
        created=3 * DAY,
        up=30.5,
        ended=36.5,
        restarts=4,
        health=Health.STARTING,
        health_for=30.5,
        probe=ProbeScript(
            "search health --url http://127.0.0.1:7700",
            good="available",
            bad="not ready: the index is loading",
            start_period=60.0,
        ),
        cpu=62.0,
        memory=740 * MIB,
        limit=2 * GIB,
        command="search --warm",
        ports=(_port(7700, 7700),),
        mounts=(_volume("mlops_search", "/data"),),
        environment=(("SEARCH_MASTER_KEY", "an-invented-key"),),
        acts=(
            Act(39.5, "health_status", health=Health.HEALTHY),
            Act(130.0, "die", 1),
            Act(130.75, "start"),
            Act(133.0, "die", 1),
            Act(134.5, "start"),
            Act(137.5, "die", 1),
            Act(140.5, "start"),
            Act(143.5, "die", 1),
            Act(149.5, "start"),
        ),
    ),
)

# Percent of one core and bytes, of those whose containers are still there, or will be.
_LOADS = {
    118: (96.0, 1_310 * MIB),
    119: (0.0, 0),
    121: (0.0, 0),
    125: (0.0, 0),
    126: (0.4, 43_600 * MIB),
    127: (0.0, 0),
    128: (380.0, 9_770 * MIB),
    129: (290.0, 6_120 * MIB),
    130: (380.0, 9_770 * MIB),
    131: (610.0, 11_200 * MIB),
}
_TRAININGS: tuple[Actor, ...] = tuple(_training(BY_NUMBER[number], *_LOADS[number]) for number in sorted(_LOADS, reverse=True))

_OTHERS: tuple[Actor, ...] = (
    Actor(
        "registry-mirror",
        "registry:2",
        created=31 * DAY,
        memory=64 * MIB,
        command="/entrypoint.sh /etc/docker/registry/config.yml",
        ports=(_port(5000, 5000),),
        mounts=(_volume("registry_mirror", "/var/lib/registry"),),
        environment=(("REGISTRY_PROXY_REMOTEURL", "https://registry-1.docker.io"),),
    ),
    Actor(
        "jupyter-sato",
        "jupyter/scipy-notebook:2026-10",
        created=3 * DAY,
        cpu=2.1,
        memory=2_310 * MIB,
        limit=8 * GIB,
        command="tini -g -- start-notebook.py",
        user="jovyan",
        ports=(_port(8888, 8888),),
        mounts=(_bind("/home/sato/ノート", "/home/jovyan/notes"),),
        environment=(("JUPYTER_TOKEN", "an-invented-token"),),
        labels=(("持ち主", "佐藤"), ("用途", "画像分類の実験ノート")),
    ),
    Actor(
        "tensorboard",
        "tensorboard:2.20",
        created=6 * DAY,
        cpu=0.7,
        memory=420 * MIB,
        command="tensorboard --logdir /runs --bind_all",
        ports=(_port(6006, 6006),),
        mounts=(_bind("/srv/mlops/runs", "/runs", read_only=True),),
    ),
    # Docker allows no such names, but a label or a command may hold anything: it looks like this behind the gate.
    Actor(
        "pensive_borg",
        "debian:12",
        created=2 * HOUR,
        ended=1 * HOUR,
        exit_code=130,
        policy="no",
        command="bash -c 'printf \x1b]52;c;ZWNobyBvd25lZA==\x07'",
        labels=(
            ("note\x1b]0;owned\x07", "[@click=app.quit]press me[/]"),
            ("invoice", "\u202efdp.exe"),
            ("prompt", "\x1b[2J\x1b[Hroot@train-01:~# "),
        ),
    ),
)

CAST: tuple[Actor, ...] = (*_SERVICES, *_TRAININGS, *_OTHERS)

# Name, image and how many the file declares. Jenkins was raised to a newer patch that nobody has rolled out yet.
DECLARED: tuple[tuple[str, str, int], ...] = (
    ("agent", "jenkins/ssh-agent:8.9.0-jdk21", 1),
    ("cache", "mlops/hub-cache:2.1.0", 2),
    ("frp_client", "ghcr.io/fatedier/frpc:v0.70.1", 1),
    ("gate", "mlops/gate:1.4.0", 1),
    ("jenkins", "jenkins/jenkins:2.568.3", 1),
    ("metrics", "mlops/recorder:0.3.1", 1),
    ("migrate", "mlops/recorder:0.3.1", 1),
    ("portainer", "portainer/portainer-ce:2.30.0", 1),
    ("search", "mlops/search:0.9.0", 1),
)
