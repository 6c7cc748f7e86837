"""The same steps inside an agent's container with nothing but the Engine's socket: as uid 1000, in the socket's group."""

from __future__ import annotations

import shlex

import pytest

from tests.pipeline.test_trainings import saves
from tests.pipeline.workplace import ROOT, Workplace
from tests.support import skips
from tests.support.engine import Engine, NoEngineError
from tests.support.pythonbase import AGENT, import_agent
from tests.support.waiting import until_sync


@pytest.fixture
def agent_image(engine: Engine) -> None:
    """The agent's image, in the Engine if it is not there already."""
    try:
        if not engine.docker("images", "--quiet", AGENT):
            import_agent(engine)
    except NoEngineError as error:
        pytest.skip(skips.NO_ENGINE.format(why=error))


class Agent:
    """A container that lives on, with the repositories copied into it: no folder of the host is mounted."""

    def __init__(self, work: Workplace) -> None:
        self._engine = work.engine
        group = work.engine.socket.stat().st_gid
        work.engine.socket.chmod(0o660)
        self.name = work.engine.docker(
            *("run", "--detach", "--init", "--network=host", "--user=1000:1000", f"--group-add={group}"),
            f"--mount=type=bind,src={work.engine.socket},dst=/var/run/docker.sock",
            *(AGENT, "sleep", "600"),
        ).strip()
        for source, place in ((ROOT / "infra", "/srv/infra"), (ROOT / "console" / "text", "/srv/console/text")):
            self._copy(source, place)
        self._copy(work.repository, "/srv/repository")
        self._variables = {
            **{name: value for name, value in work.environment.items() if name.startswith(("MLOPS_", "JOB_", "BUILD_"))},
            "MLOPS_REPOSITORY": "/srv/repository",
            "RUNS_DIR": "/tmp/runs",
        }

    def _copy(self, source: object, place: str) -> None:
        self._engine.docker("exec", "--user=0", self.name, "mkdir", "-p", place)
        self._engine.docker("cp", f"{source}/.", f"{self.name}:{place}")
        self._engine.docker("exec", "--user=0", self.name, "chown", "-R", "1000:1000", place)

    def step(self, name: str, **variables: str) -> str:
        """What a step says, and its exit status as the last word."""
        env = " ".join(f"{key}={shlex.quote(value)}" for key, value in {**self._variables, **variables}.items())
        command = f"cd /tmp && env {env} /srv/infra/jenkins/bin/{name} 2>&1; echo $?"
        return self._engine.docker("exec", self.name, "sh", "-c", command, limit=120)

    def read(self, path: str) -> str:
        return self._engine.docker("exec", self.name, "cat", path)

    def close(self) -> None:
        self._engine.docker("rm", "--force", "--volumes", self.name)


def test_the_whole_way(work: Workplace, agent_image: None) -> None:
    script = saves(1).replace("echo training\n", "cat $RESUME_DIR/latest 2>/dev/null; echo training\n")
    commit = work.project("small", script)
    agent = Agent(work)
    try:
        for build, resume in (("1", ""), ("2", "1")):
            named = {"PROJECT": "small", "COMMIT": commit, "BUILD_NUMBER": build, "RESUME_FROM": resume}
            judged = agent.step("request /dev/null", **named, SCHEDULED="1", RELEASE_BRANCH="main")
            assert judged == f"train small@{commit[:12]} {commit}\n0\n"
            for step in ("check", "build", "start"):
                said = agent.step(step, **named)
                assert said.endswith("\n0\n"), said
            work.says(f"mlops-small-{build}", "training")
            said = agent.step("finish", **named)
            assert said.endswith("\n143\n"), said
            assert agent.read(f"/tmp/runs/train-{build}/out/checkpoint/epoch-3/weights") == "weights\n"
            assert agent.step("fact status", **named) == "stopped\n0\n"
            assert "[artifacts] 4 files in /tmp/kept: " in agent.step("artifacts /tmp/kept", **named)
            assert ("epoch-3" in agent.read(f"/tmp/runs/train-{build}/train.log")) is (build == "2")
        assert work.containers() == []
    finally:
        agent.close()


def test_without_the_sockets_group_it_says_so(work: Workplace, agent_image: None) -> None:
    commit = work.project("small")
    agent = Agent(work)
    try:
        work.engine.socket.chmod(0o600)
        said = agent.step("check", PROJECT="small", COMMIT=commit, BUILD_NUMBER="1")
    finally:
        work.engine.socket.chmod(0o660)
        agent.close()
    assert said.endswith("\n3\n")
    assert "The Docker Engine may not be used by this user" in said
    assert "Traceback" not in said


def test_a_follower_inside_gets_everything(work: Workplace, agent_image: None) -> None:
    commit = work.project("small", "seq 5000")
    agent = Agent(work)
    try:
        named = {"PROJECT": "small", "COMMIT": commit, "BUILD_NUMBER": "1"}
        for step in ("check", "build", "start"):
            agent.step(step, **named)
        until_sync(lambda: not work.engine.inspect("mlops-small-1")["State"]["Running"])
        assert agent.step("follow", **named) == "".join(f"{number}\n" for number in range(1, 5001)) + "0\n"
        assert agent.step("finish", **named).endswith("\n0\n")
    finally:
        agent.close()
