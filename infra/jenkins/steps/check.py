"""check: whether a training can be started at all, within seconds and before anything is built."""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import asdict

from . import config, docker, host, hub, source
from .config import Config
from .problem import Exit, Problem, parameter, say
from .record import LOCAL, Folder, Record, current, folder_name, job_and_build, root, runs
from .source import REQUIRED, Source

# Section of config.yaml -> what it is on the Hub.
PINNED = {"data": "dataset", "base_model": "model"}

_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def step() -> int:
    """The program: PROJECT, COMMIT, OVERRIDES, RESUME_FROM, JOB_NAME, BUILD_NUMBER, BUILD_URL, PUBLISH. Writes run.json."""
    folder = current()
    job, build = job_and_build()
    record = request(
        source.find(root(), parameter("PROJECT"), parameter("COMMIT", default="missing")),
        job,
        build,
        overrides=os.environ.get("OVERRIDES", ""),
        resume_from=os.environ.get("RESUME_FROM", ""),
        build_url=os.environ.get("BUILD_URL", ""),
        publish=wants_publish(),
    )
    folder.path.mkdir(parents=True, exist_ok=True)
    # Checked once more it is still the same training, until that has come to its end.
    before = folder.read("run.json") or {}
    same = (before.get("project"), before.get("commit")) == (record.project, record.commit)
    if same and folder.read("result.json") is None:
        record.run = str(before.get("run") or record.run)
    folder.keep(record)
    say(f"[check] {record.title} at {record.commit[:12]}: {summary(record)}")
    return Exit.OK


def wants_publish() -> bool:
    """PUBLISH=no trains without publishing."""
    return os.environ.get("PUBLISH", "yes").lower() not in {"no", "false", "0", "off"}


def request(
    where: Source, job: str, build: int, *, overrides: str, resume_from: str, build_url: str = "", publish: bool = True
) -> Record:
    """Check the project, the request and the host. Raises Problem with what is wrong and what to do."""
    source.must_be_in(where.root, where.commit, os.environ.get("RELEASE_BRANCH", ""))
    settings = project(where, overrides)
    info = docker.info()
    host.check_resources(settings.resources, info)
    host.check_disk(info)
    wanted = settings.publish if publish else None
    if "data" in settings.values and settings.pinned("data") is None:
        raise Problem(
            f"projects/{where.project}/config.yaml pins no data set yet. Once: make dataset PROJECT={where.project}, "
            "which uploads and pins it; then commit."
        )
    if not hub.is_offline():
        if wanted is not None:
            hub.check_write_token(wanted["repo"])
        for section, kind in PINNED.items():
            pinned = settings.pinned(section)
            if pinned is not None:
                hub.check_pinned(kind, *pinned)
    return Record(
        project=where.project,
        commit=where.commit,
        job=job,
        build=build,
        build_url=build_url,
        overrides="\n".join(f"{key}={value}" for key, value in config.split_overrides(overrides)),
        resume_from=resume_folder(job, resume_from, where.project).path.name if resume_from else "",
        resources=asdict(settings.resources),
        build_args=settings.build_args,
        publish=dict(wanted) if wanted is not None else None,
        run=secrets.token_hex(8),
    )


def project(where: Source, overrides: str = "") -> Config:
    """The contract of a project, as far as files show it: docs/projects.md. Raises Problem for the first breach."""
    name, modes = f"projects/{where.project}", where.modes()
    missing = [file for file in REQUIRED if file not in modes]
    if missing:
        raise Problem(f"{name} has no {missing[0]}: a project holds {', '.join(REQUIRED)}.")
    odd = [file for file, mode in modes.items() if mode == "120000"]
    if odd:
        raise Problem(f"{name}/{odd[0]} is a symbolic link: a project is self-contained.")
    if modes["run.sh"] != "100755":
        raise Problem(f"{name}/run.sh is not executable: git update-index --chmod=+x {name}/run.sh")
    _run_script(f"{name}/run.sh", where.text("run.sh") or "")
    _requirements(f"{name}/requirements.txt", where.text("requirements.txt") or "")
    _dockerfile(f"{name}/Dockerfile", where.text("Dockerfile") or "")
    text = where.text("config.yaml")
    return config.read(text or "", overrides, where.text("config.schema.json"), file=f"{name}/config.yaml")


def resume_folder(job: str, resume_from: str, project: str) -> Folder:
    """The run whose checkpoint is asked for: a build number of the same job, or a run's name (local-3). Raises Problem."""
    name = folder_name(job, resume_from) if resume_from.isdigit() else resume_from
    folder = Folder(runs() / name)
    if "/" in name or name.startswith(".") or folder.read("run.json") is None:
        raise Problem(f"RESUME_FROM={resume_from}: there is no run {name} here.")
    other = folder.record().project
    if other != project:
        raise Problem(f"RESUME_FROM={resume_from}: {name} trained {other}, not {project}.")
    if not (folder.out / "checkpoint" / "latest").is_file():
        raise Problem(f"RESUME_FROM={resume_from}: {name} has left no checkpoint.")
    return folder


def summary(record: Record) -> str:
    """What will run, for a line."""
    wanted = record.resources
    parts = [f"{wanted['cpus']:g} cores" if wanted["cpus"] else "all cores", host.human(wanted["memory"])]
    parts.append(f"{wanted['gpus']} GPU" + ("s" if wanted["gpus"] != 1 else ""))
    parts.append(f"at most {duration_words(wanted['timeout'])}")
    if record.resume_from:
        parts.append(f"goes on from {record.resume_from}")
    if record.overrides:
        parts.append("with " + ", ".join(record.overrides.splitlines()))
    # By hand there is a person already.
    asked = ", if a person approves" if record.publish and record.publish.get("approve") and record.job != LOCAL else ""
    parts.append(f"publishes to {record.publish['repo']}{asked}" if record.publish else "publishes nothing")
    return ", ".join(parts)


def duration_words(seconds: float) -> str:
    """ "90s", "5m", "2h 30m" for people."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole}s"
    minutes = round(whole / 60)
    if minutes < 120:
        return f"{minutes}m"
    return f"{minutes // 60}h {minutes % 60}m" if minutes % 60 else f"{minutes // 60}h"


def _run_script(name: str, text: str) -> None:
    if not text.startswith("#!"):
        raise Problem(f"{name} does not begin with #!/bin/sh.")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    # The whole last command, also when it is continued over several lines.
    first_of_last = len(lines) - 1
    while first_of_last > 0 and lines[first_of_last - 1].endswith("\\"):
        first_of_last -= 1
    if not lines or not lines[first_of_last].startswith("exec "):
        raise Problem(f"{name} does not end in exec: without it a stop never reaches the training, and its checkpoint is lost.")


def _requirements(name: str, text: str) -> None:
    joined = re.sub(r"\\\n", " ", text)
    for number, line in enumerate(joined.splitlines(), start=1):
        entry = line.split(" #")[0].strip()
        if not entry or entry.startswith("#"):
            continue
        first = entry.split()[0]
        if first.startswith("-"):
            raise Problem(f"{name}: {first} is not wanted here: pins with hashes, and nothing else.")
        if "==" not in entry or not _HASH.search(entry):
            raise Problem(
                f"{name}: {first} is not pinned with a hash (entry {number}): make lock writes it from requirements.in."
            )


def _dockerfile(name: str, text: str) -> None:
    users = re.findall(r"^\s*USER\s+(\S+)", text, re.MULTILINE | re.IGNORECASE)
    if not users or users[-1].split(":")[0] in {"root", "0"}:
        raise Problem(f"{name} does not end as a user other than root: USER 1000:1000.")
    if not re.search(r"^\s*(CMD|ENTRYPOINT)\b.*run\.sh", text, re.MULTILINE | re.IGNORECASE):
        raise Problem(f'{name} does not start run.sh: CMD ["./run.sh"].')
