"""`make dataset PROJECT=x`: projects/x/dataset makes the data, the Hub gets them once, config.yaml pins them."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from . import build, docker, hub, inputs, publish, source, start
from .problem import Exit, Problem, parameter, say
from .progress import Builder
from .record import LOCAL, Record, root

_MEMORY = "2g"


def step() -> int:
    """PROJECT, and REPO for a name other than PROJECT-data, from the environment."""
    project = parameter("PROJECT", default="")
    folder = root() / "projects" / project / "dataset"
    if not source.NAME.fullmatch(project) or not (folder / "Dockerfile").is_file():
        raise Problem(
            f"PROJECT={project}: there is no projects/{project or 'NAME'}/dataset/Dockerfile that makes a data set.", Exit.USAGE
        )
    config = folder.parent / "config.yaml"
    pin(config.read_text(encoding="utf-8"), "owner/name", "0" * 40)  # before anything is uploaded
    secret = hub.token(hub.WRITE)
    if secret is None:
        raise Problem(f"No Hub token to upload with: put a write token into a file, chmod 600 it, and name it in {hub.WRITE}.")
    hub.check_write_token(f"{project}-data")
    record = Record(project=project, commit="0" * 40, job=LOCAL, build=0, purpose="dataset")
    with tempfile.TemporaryDirectory() as made:
        make(folder, record, Path(made))
        request = {
            "kind": "dataset",
            "repo": os.environ.get("REPO") or f"{project}-data",
            "private": True,
            "message": f"The data set of {project}",
            "tag": None,
        }
        event = publish.upload(record, {path.name: path for path in sorted(Path(made).iterdir())}, request, secret)
    record_revision(config, event)
    say(f"[dataset] {event['repo']} at {event['revision']}: {event['url']}")
    say(f"[dataset] projects/{project}/config.yaml pins it. Commit that, then: make train PROJECT={project}")
    return Exit.OK


def make(folder: Path, record: Record, into: Path) -> None:
    """Build projects/x/dataset, run it without a network, and take what it wrote into /out. Raises Problem."""
    labels = {"mlops.project": record.project, "mlops.purpose": "dataset"}
    image = build.folder_image(
        folder, f"mlops/{record.project}-dataset", "the image that makes the data set", labels, Builder().take
    )
    with inputs.volumes(image, record.labels, {start.OUT: ""}, {}) as helper:
        container = docker.call(
            "create",
            "--init",
            f"--user={inputs.USER}:{inputs.USER}",
            "--read-only",
            "--tmpfs=/tmp:rw,nosuid,nodev,mode=1777",
            f"--volumes-from={helper}",
            f"--memory={_MEMORY}",
            "--network=none",
            "--cap-drop=ALL",
            "--security-opt=no-new-privileges",
            *docker.options("--label", (f"{name}={value}" for name, value in record.labels.items())),
            image,
        ).strip()
    try:
        docker.call("start", "--attach", container, limit=None)
        inputs.take(container, start.OUT, into)
    except docker.DockerError as error:
        raise Problem(f"The data set could not be made: {error.said or f'exit {error.exit}'}") from error
    finally:
        docker.remove(container)
    if not any(into.iterdir()):
        raise Problem(f"projects/{record.project}/dataset has written nothing into {start.OUT}.")


def record_revision(config: Path, event: dict[str, Any]) -> None:
    """Write repository and revision into the section data of config.yaml; all else in it stays as it is."""
    text = pin(config.read_text(encoding="utf-8"), str(event["repo"]), str(event["revision"]))
    beside = config.with_name(f".{config.name}.new")
    beside.write_text(text, encoding="utf-8")
    shutil.copymode(config, beside)
    beside.replace(config)


def pin(text: str, repo: str, revision: str) -> str:
    """The text of config.yaml with `data.repo` and `data.revision` set. Raises Problem when it has no such lines."""
    for key, value in (("repo", repo), ("revision", revision)):
        line = re.compile(rf"(^data:[^\n]*\n(?:[ #][^\n]*\n|\n)*?[ ]+{key}:)[^\n#]*?([ ]*(?:#[^\n]*)?\n)", re.MULTILINE)
        text, count = line.subn(rf"\g<1> {value}\g<2>", text, count=1)
        if count != 1:
            raise Problem("config.yaml has no section data with a line each for repo and revision: docs/projects.md shows it.")
    return text
