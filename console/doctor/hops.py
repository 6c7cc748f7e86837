"""The table of hops: what each looks at, which it rests on, and what to do about whatever can be wrong with it.

docs/troubleshooting.md is made from it (`page.py`), and the command says nothing else: so they cannot drift.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from console.text import Clean, clean


@dataclass(frozen=True, slots=True)
class Remedy:
    """`sees` says how it shows, in general; `do` what to do, with its commands in backticks. A `{name}` is filled with what was
    found."""

    sees: str
    do: str


@dataclass(frozen=True, slots=True)
class Advice:
    """A remedy with its gaps filled. `command` is what to type first, empty where that is nothing that can be copied."""

    do: Clean
    command: Clean


@dataclass(frozen=True, slots=True)
class Hop:
    """One hop. `asks` says what is looked at and `costs` what does not work while it is broken.

    Those that it `needs` have to be passable, else it is skipped; of those that it `hears` it waits for what they found, so
    that it does not blame itself for theirs. `limit` are seconds.
    """

    id: str
    title: str
    asks: str
    costs: str
    remedies: Mapping[str, Remedy]
    needs: tuple[str, ...] = ()
    hears: tuple[str, ...] = ()
    limit: float = 15.0


HOPS: tuple[Hop, ...] = (
    Hop(
        "settings",
        "Settings",
        "whether every file of settings can be read and makes sense, and whether others may change them or read a token",
        "others can get at settings or tokens, or nothing else can be asked",
        {
            "wrong": Remedy(
                "a file says something that is no setting", "correct the line; the files: `mlops-console config path`"
            ),
            "open": Remedy("others may change a file of settings, or read a token", "`chmod {mode} {path}`"),
            "owner": Remedy(
                "a file of settings is another user's", "`sudo chown {user} {path}`, once you have read what is in it"
            ),
        },
    ),
    Hop(
        "docker",
        "Docker",
        "whether the Engine answers and lets this user ask; room on its disk; logs that grow for ever; live-restore",
        "nothing of the platform can be seen or run",
        {
            "down": Remedy(
                "the Engine does not run", "`sudo systemctl start docker`; why it is down: `journalctl -u docker -n 50`"
            ),
            "hangs": Remedy(
                "the Engine is there, and does not answer as it should",
                "`journalctl -u docker -n 50` says why; `sudo systemctl restart docker` (ends trainings without live-restore)",
            ),
            "there": Remedy(
                "the Engine of another machine does not answer",
                "see whether Docker runs there, and the way to it; who named it: `mlops-console config show`",
            ),
            "denied": Remedy(
                "this user may not ask the Engine", "`sudo usermod -aG docker {user}`, then log in again: it is as good as root"
            ),
            "refuses": Remedy(
                "the Engine, or a proxy before it, refuses what is asked",
                "let that proxy pass GET requests, or have docker.host name the Engine itself",
            ),
            "address": Remedy(
                "the address of the Engine makes no sense, or no Engine is at it",
                "set docker.host, DOCKER_HOST or the docker context; who set it: `mlops-console config show`",
            ),
            "full": Remedy("the Engine's disk is full, nearly so, or will be within a day", "`mlops-console prune --dry-run`"),
            "rotation": Remedy(
                "logs of containers grow for ever",
                "set log-opts max-size in /etc/docker/daemon.json (make deploy does), then make {names} anew",
            ),
            "live-restore": Remedy(
                "a restart of the Engine would end trainings",
                "set live-restore in /etc/docker/daemon.json (make deploy does), then `sudo systemctl reload docker`",
            ),
        },
    ),
    Hop(
        "compose",
        "Compose",
        "whether the Compose file can be read; whether each of its services runs, is healthy, and is what the file says",
        "a part of the platform does not do its work",
        {
            "program": Remedy("there is no Docker Compose v2 here", "`sudo apt-get install docker-compose-plugin`"),
            "absent": Remedy("no file is where one was named", "correct compose.file; who set it: `mlops-console config show`"),
            "file": Remedy("the file cannot be read, or Compose refuses it", "correct it, or have compose.file name another"),
            "rights": Remedy("this user may not read a file that it needs", "run the doctor with sudo, or set its rights"),
            "stopped": Remedy(
                "a service was stopped, or has ended", "`mlops-console service start {names}`, or `mlops-console doctor --fix`"
            ),
            "missing": Remedy("a service was never made, or was removed", "`mlops-console service up {names}`"),
            "unhealthy": Remedy(
                "a service fails its probe, or crashes",
                "`mlops-console services {names}`; its log: `mlops-console logs {names}`",
            ),
            "drifted": Remedy("what runs is not what the file says", "`mlops-console service up {names}`"),
        },
        needs=("docker",),
        hears=("secrets", "jenkins", "gate", "tunnel"),
        limit=20.0,
    ),
    Hop(
        "secrets",
        "Secrets",
        "whether each secret of the Compose file is there, not empty, and has the owner and the mode that its reader needs",
        "services wait for their secrets, or others can read them",
        {
            "missing": Remedy("a secret is missing, or empty", "`sudo make secrets`"),
            "rights": Remedy(
                "a secret has the wrong owner or mode", "`sudo make secrets`, or `sudo mlops-console doctor --fix`"
            ),
            "open": Remedy(
                "a secret can be read by others", "`sudo mlops-console doctor --fix`; then `sudo make secrets ROTATE={name}`"
            ),
        },
        hears=("docker",),
    ),
    Hop(
        "jenkins",
        "Jenkins",
        "whether Jenkins answers, takes the token, has applied its configuration, and what its user may do",
        "no build can be seen or started",
        {
            "down": Remedy(
                "nobody answers at its address", "`mlops-console services jenkins`; its log: `mlops-console logs jenkins`"
            ),
            "starting": Remedy("it is starting", "wait a minute: `mlops-console services jenkins`"),
            "token": Remedy("it refuses the token, or takes us for nobody", "`mlops-console login`"),
            "login": Remedy("there is no token for it, or none that may be used", "`mlops-console login`"),
            "configuration": Remedy(
                "its configuration is broken", "correct infra/jenkins/casc.yaml, then `mlops-console service restart jenkins`"
            ),
            "rights": Remedy(
                "its user may not do what a console does",
                "have an administrator give {user} {permission}, or log in as operator",
            ),
            "other": Remedy("something else answers there", "correct jenkins.url, or what stands in front of Jenkins"),
        },
        hears=("settings", "docker", "secrets"),
        limit=20.0,
    ),
    Hop(
        "job",
        "Job train",
        "whether the job `train` is there with its parameters and may be built, a node is on line, plugins are as pinned",
        "no training can be started",
        {
            "missing": Remedy(
                "there is no job train", "apply the configuration: `mlops-console service restart jenkins`; why not: its log"
            ),
            "disabled": Remedy("the job is disabled", "`mlops-console job enable train`"),
            "parameters": Remedy(
                "its parameters are not those of infra/jenkins/casc.yaml",
                "`mlops-console service restart jenkins` applies the file",
            ),
            "offline": Remedy(
                "a person has taken the node off line", "`mlops-console node online {names}`, or `mlops-console doctor --fix`"
            ),
            "node": Remedy(
                "no node for trainings is on line", "`mlops-console nodes` says why; `mlops-console services agent`"
            ),
            "silent": Remedy(
                "Jenkins does not tell of the job, its nodes or its plugins", "its log says why: `mlops-console logs jenkins`"
            ),
            "plugins": Remedy(
                "plugins are not as infra/jenkins/plugins.txt has them", "`make up` builds the image and starts it anew"
            ),
        },
        needs=("jenkins",),
        limit=20.0,
    ),
    Hop(
        "gate",
        "Gate",
        "whether the gate answers on its one path and refuses an unsigned request there, and everything elsewhere",
        "a merged release cannot reach Jenkins, or something else can",
        {
            "down": Remedy(
                "the gate does not answer", "`mlops-console service restart gate`; its log: `mlops-console logs gate`"
            ),
            "held": Remedy("the gate waits for its secret", "`sudo make secrets`, then `mlops-console service recreate gate`"),
            "open": Remedy(
                "an unsigned request was taken",
                "stop it now: `mlops-console service stop gate`; then compare casc.yaml (whitelist)",
            ),
            "elsewhere": Remedy("another path than its own is let through", "`mlops-console service recreate gate`"),
            "token": Remedy(
                "Jenkins knows no job for it", "`mlops-console service recreate gate jenkins`: webhook-token differs"
            ),
            "behind": Remedy(
                "the gate does not reach Jenkins", "`mlops-console service recreate gate jenkins`: their network differs"
            ),
            "odd": Remedy(
                "it answers otherwise than it should",
                "`mlops-console service recreate gate`; its log: `mlops-console logs gate`",
            ),
        },
        needs=("docker",),
        hears=("jenkins", "secrets"),
    ),
    Hop(
        "tunnel",
        "Tunnel",
        "whether frpc's own interface answers, its proxy runs, and frps on the public server has taken it",
        "a merged release cannot reach Jenkins",
        {
            "held": Remedy(
                "frp_client waits for its secrets", "`sudo make secrets`, then `mlops-console service recreate frp_client`"
            ),
            "password": Remedy("frpc does not take its own password", "`mlops-console service recreate frp_client`"),
            "silent": Remedy(
                "frpc does not answer its probe", "`mlops-console logs frp_client`; `mlops-console service restart frp_client`"
            ),
            "refused": Remedy(
                "frps refuses the client: its token, its domain or its name",
                "give both sides the same frp-token: docs/way-in.md, The tunnel",
            ),
            "unreachable": Remedy(
                "frps does not answer", "see whether frps runs on the public server and its firewall lets port 7000 in"
            ),
            "starting": Remedy("it is being connected", "wait half a minute, and ask again"),
        },
        needs=("docker",),
        hears=("secrets",),
    ),
    Hop(
        "public",
        "Public way",
        "whether an unsigned request to the public address reaches the gate and is refused; with the secret readable, "
        "whether a signed one, which starts nothing, is taken",
        "a merged release cannot reach Jenkins",
        {
            "unreachable": Remedy(
                "nobody answers at the public address", "see whether front and frps run on the public server"
            ),
            "certificate": Remedy("its certificate cannot be trusted", "`sudo certbot renew` on the public server"),
            "not-gate": Remedy(
                "another than the gate answers", "`mlops-console services frp_client`; does FRP_DOMAIN name the public server?"
            ),
            "open": Remedy(
                "an unsigned request was taken", "stop it now: `mlops-console service stop frp_client`; then compare casc.yaml"
            ),
            "token": Remedy(
                "Jenkins knows no job for it", "`mlops-console service recreate gate jenkins`: webhook-token differs"
            ),
            "signature": Remedy(
                "Jenkins refuses what is signed with webhook-hmac",
                "`mlops-console service recreate jenkins`, so that it reads the new secret",
            ),
            "odd": Remedy("it answers otherwise than it should", "compare the ways in: docs/way-in.md, When it does not start"),
        },
        needs=("gate", "tunnel"),
        hears=("jenkins",),
        limit=25.0,
    ),
    Hop(
        "gpu",
        "GPU",
        "whether the driver tells of every card, the Engine has NVIDIA's toolkit, and a container sees the cards",
        "trainings get no GPU",
        {
            "driver": Remedy("the driver does not work", "`nvidia-smi` says why; after an update of the driver: `sudo reboot`"),
            "lost": Remedy(
                "a card tells nothing any more", "`dmesg | grep -i xid` says why; it comes back with a restart of the machine"
            ),
            "toolkit": Remedy(
                "the Engine knows no NVIDIA toolkit",
                "make deploy installs it; by hand: `nvidia-ctk runtime configure --runtime=docker`",
            ),
            "container": Remedy(
                "a container does not see the cards", "`sudo systemctl restart docker` after an update of driver or toolkit"
            ),
        },
        hears=("docker",),
        limit=30.0,
    ),
    Hop(
        "hub",
        "Hub",
        "whether the Hugging Face Hub answers, and whether it takes the tokens and for what",
        "models cannot be published, nor private ones fetched",
        {
            "down": Remedy(
                "the Hub does not answer", "see whether this machine has a way out, or set HF_ENDPOINT in infra/.env"
            ),
            "token": Remedy(
                "the Hub does not take a token", "`sudo make secrets GIVE={name}`, with a new one of huggingface.co"
            ),
            "rights": Remedy(
                "the write token may not write",
                "make one at huggingface.co that may write: `sudo make secrets GIVE=hf-write-token`",
            ),
            "odd": Remedy("something else answers there", "correct HF_ENDPOINT in infra/.env, or what stands in front of it"),
        },
        hears=("docker",),
    ),
    Hop(
        "clock",
        "Clock",
        "whether this machine's clock goes with those of Jenkins and of the Hub",
        "requests that start trainings are refused as too old",
        {
            "off": Remedy(
                "this machine's clock is wrong", "`sudo timedatectl set-ntp true`; timedatectl says whether it goes right"
            ),
            "jenkins": Remedy("the clock of Jenkins' machine is wrong", "set the clock there: `sudo timedatectl set-ntp true`"),
        },
        hears=("jenkins", "hub"),
    ),
    Hop(
        "recorder",
        "Recorder",
        "whether a recorder writes the history of runs, and whether its notices arrive",
        "what happens while nobody looks is not recorded, or nobody hears of it",
        {
            "stopped": Remedy(
                "the recorder does not run", "`sudo systemctl start mlops-console-record`, or `sudo mlops-console doctor --fix`"
            ),
            "failing": Remedy(
                "the recorder was started, and does not write", "its log says why: `journalctl -u mlops-console-record -n 50`"
            ),
            "nobody": Remedy(
                "there is a history, and nobody is there to write it", "`mlops-console record` writes it as long as it runs"
            ),
            "rights": Remedy("the history may not be read by this user", "`chmod g+r {path}`, for a group that you are in"),
            "notices": Remedy(
                "what it tells people does not arrive",
                "`mlops-console record --notices` lists it; mend what the settings say below notify, or who is told, then "
                "`mlops-console record --test-notification`",
            ),
        },
    ),
)

EVERYWHERE: Mapping[str, Remedy] = {
    "slow": Remedy("a hop takes too long", "ask again; where it stays so this machine, or its disk, is overloaded"),
    "starting": Remedy("what stands behind a hop is starting", "wait a minute, and ask again"),
    "unread": Remedy("something cannot be looked at", "what it shows says why; where it stays so: `mlops-console support`"),
    "defect": Remedy(
        "the doctor itself fails at a hop", "the other hops are right; tell it with what `mlops-console support` packs"
    ),
}
"""What may be wrong at any hop."""

_BY_ID = {hop.id: hop for hop in HOPS}
GAP = re.compile(r"\{(\w+)\}")
_THEN = frozenset({", then ", "; then "})
# What a shell takes as it stands: names come from a Compose file, from Jenkins, from paths.
_PLAIN = re.compile(r"[\w/.:@=+][\w/.:@=+-]*(?: [\w/.:@=+][\w/.:@=+-]*)*", re.ASCII)


def hop(name: str) -> Hop:
    return _BY_ID[name]


def number(name: str) -> int:
    """1 for the first."""
    return HOPS.index(_BY_ID[name]) + 1


def remedy(name: str, key: str, names: Mapping[str, str]) -> Advice:
    """What to do, with its gaps filled. A second command belongs to the first where it is for `then`; one that comes after
    what people do by hand is not offered: by itself it would be too early."""
    # Parted before names are filled in, which may hold backticks too.
    texts = (_BY_ID[name].remedies.get(key) or EVERYWHERE[key]).do.split("`")
    by_hand = texts[0].endswith(tuple(_THEN))
    commands, between = [] if by_hand else texts[1::2], texts[2::2]
    wanted = commands[:2] if between[:1] and between[0] in _THEN else commands[:1]
    command = " && ".join(wanted)
    safe = all(_PLAIN.fullmatch(names[gap]) for gap in GAP.findall(command))
    return Advice(clean("".join(texts).format_map(names)), clean(command.format_map(names)) if safe else Clean(""))
