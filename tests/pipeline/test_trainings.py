"""Trainings on a real Engine, through the steps that Jenkins calls."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.pipeline.workplace import CONFIG, DOCKERFILE, Workplace
from tests.support import skips
from tests.support.waiting import until_sync

TRAINS = """
echo '{"event":"start","ts":1,"project":"small","commit":"x","epochs":1,"steps":1,"device":"cpu","config":{}}'
echo "$MLOPS_PROJECT $MLOPS_JOB $MLOPS_BUILD $OUT_DIR $(id -u)"
mkdir -p $OUT_DIR/model && echo weights >$OUT_DIR/model/weights
best='{"metric":"val_loss","value":0.25,"epoch":1}'
echo '{"event":"end","ts":2,"status":"ok","best":'$best',"seconds":1}' | tee $OUT_DIR/events.jsonl
"""

# Takes `$1` seconds for its checkpoint, in which more signals change nothing.
SAVES = """
save() {{
    trap '' TERM
    echo saving
    sleep {seconds}
    mkdir -p $OUT_DIR/checkpoint/epoch-3
    echo weights >$OUT_DIR/checkpoint/epoch-3/weights
    echo epoch-3 >$OUT_DIR/checkpoint/latest
    echo '{{"event":"stopped","ts":1,"reason":"sigterm","epoch":3}}' | tee $OUT_DIR/events.jsonl
    exit 143
}}
trap save TERM
echo training
while :; do sleep 0.05; done
"""


def saves(seconds: float) -> str:
    return SAVES.format(seconds=seconds)


def test_a_training_goes_to_its_end(work: Workplace) -> None:
    commit = work.project("small", TRAINS)
    before = set(work.volumes())
    container = work.started("small", commit, "7")
    labels = work.engine.inspect(container)["Config"]["Labels"]
    followed = work.good("follow", BUILD_NUMBER="7")
    finished = work.good("finish", BUILD_NUMBER="7")
    assert "small train 7 /out 1000" in followed.stdout
    assert "small #7: ok: best val_loss 0.25 in epoch 1." in finished.stderr
    assert work.file("7", "out/model/weights").read_text() == "weights\n"
    assert work.file("7", "train.log").read_text() == followed.stdout
    assert labels["mlops.commit"] == commit
    assert labels["mlops.build-url"] == "http://jenkins.test/job/train/1/"
    assert work.containers() == []
    # What is read from the Hub is kept for the next training, and nothing else.
    assert set(work.volumes()) - before == {"mlops-hub-small"}


def test_a_training_is_shut_in(work: Workplace) -> None:
    """No root, no writing but to /out and /tmp, no capabilities, a limit for everything."""
    script = """
touch /app/here 2>/dev/null || echo app is read-only
touch /tmp/here && echo tmp is writable
touch $OUT_DIR/here && echo out is writable
touch $HF_HOME/here && echo the cache is writable
grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status
"""
    # The image itself would let everybody write there.
    dockerfile = DOCKERFILE.replace("USER", "RUN chmod 777 /app\nUSER")
    container = work.started("small", work.project("small", script, Dockerfile=dockerfile), "1")
    said = work.good("follow", BUILD_NUMBER="1").stdout
    limits = work.engine.inspect(container)["HostConfig"]
    assert sorted(said.splitlines()) == [
        "CapBnd:\t0000000000000000",
        "CapEff:\t0000000000000000",
        "NoNewPrivs:\t1",
        "app is read-only",
        "out is writable",
        "the cache is writable",
        "tmp is writable",
    ]
    assert limits["Memory"] == limits["MemorySwap"] == 256 << 20
    assert limits["ShmSize"] == 16 << 20
    assert limits["NanoCpus"] == 1_000_000_000
    assert limits["Init"] is True


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo epoch 1; echo 'ValueError: no column price' >&2; exit 3", "exit 3: ValueError: no column price"),
        (
            """echo '{"event":"error","ts":1,"error":"KeyError","message":"cut"}' >$OUT_DIR/events.jsonl; echo bye; exit 1""",
            "exit 1: KeyError: cut",
        ),
        ("exit 1", "exit 1: it said nothing."),
        ("kill -9 $$", "killed from outside (SIGKILL); it left no checkpoint."),
    ],
)
def test_a_training_fails(work: Workplace, script: str, reason: str) -> None:
    work.started("small", work.project("small", script), "2")
    work.good("follow", BUILD_NUMBER="2")
    finished = work.step("finish", BUILD_NUMBER="2")
    assert finished.returncode == 1
    assert work.result("2")["status"] == "failed"
    assert work.result("2")["reason"] == reason
    assert reason in finished.stderr
    assert work.containers() == []


def test_a_training_runs_out_of_memory(work: Workplace) -> None:
    if not work.engine.limits_memory:
        pytest.skip(skips.NO_MEMORY_LIMIT)
    config = CONFIG.replace("256m", "24m")
    work.started("greedy", work.project("greedy", "tail /dev/zero", config_dot_yaml=config), "3")
    work.good("follow", BUILD_NUMBER="3")
    assert work.step("finish", BUILD_NUMBER="3").returncode == 1
    assert work.result("3")["status"] == "out-of-memory"
    assert work.result("3")["reason"] == "killed at its limit of 24 MiB (resources.memory); it left no checkpoint."


def test_an_engine_that_learns_of_it_too_late_has_its_event(work: Workplace, tmp_path: Path) -> None:
    """The kernel's news may come after the container's end: then the container itself does not say so."""
    if not work.engine.limits_memory:
        pytest.skip(skips.NO_MEMORY_LIMIT)
    real = shutil.which("docker", path=work.environment["PATH"])
    late = tmp_path / "docker"
    late.write_text(f"""#!/bin/sh
if [ "$2" = inspect ]; then {real} "$@" | sed 's/"OOMKilled": true/"OOMKilled": false/'; else exec {real} "$@"; fi
""")
    late.chmod(0o755)
    path = f"{tmp_path}:{work.environment['PATH']}"
    config = CONFIG.replace("256m", "24m")
    work.started("greedy", work.project("greedy", "tail /dev/zero", config_dot_yaml=config), "4")
    work.good("follow", BUILD_NUMBER="4")
    assert work.step("finish", BUILD_NUMBER="4", PATH=path).returncode == 1
    assert work.result("4")["status"] == "out-of-memory"
    work.started("killed", work.project("killed", "kill -KILL 1; kill -KILL $$"), "5")
    work.good("follow", BUILD_NUMBER="5")
    assert work.step("finish", BUILD_NUMBER="5", PATH=path).returncode == 1
    assert work.result("5")["status"] == "failed"


@pytest.mark.parametrize("seconds", [0, 25])
def test_a_training_is_stopped_and_its_checkpoint_kept(work: Workplace, seconds: int) -> None:
    """25 seconds are more than Jenkins waits for a step: `finish` is one of its own for that."""
    container = work.started("small", work.project("small", saves(seconds)), "4")
    work.says(container, "training")
    finished = work.step("finish", BUILD_NUMBER="4")
    assert finished.returncode == 143
    assert work.result("4")["reason"] == "stopped as asked; its newest checkpoint is epoch-3."
    assert work.file("4", "out/checkpoint/epoch-3/weights").read_text() == "weights\n"
    assert "saving" in work.file("4", "train.log").read_text()
    assert work.containers() == []


def test_stopped_twice(work: Workplace) -> None:
    """The second stop of a build kills the first `finish`: the next one waits for the same checkpoint."""
    container = work.started("small", work.project("small", saves(2)), "5")
    work.says(container, "training")
    first = work.begin("finish", BUILD_NUMBER="5")
    work.says(container, "saving")
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    finished = work.step("finish", BUILD_NUMBER="5")
    assert finished.returncode == 143
    assert work.result("5")["checkpoint"] == "epoch-3"
    assert work.containers() == []


def test_two_finish_at_once(work: Workplace) -> None:
    container = work.started("small", work.project("small", saves(1)), "5")
    work.says(container, "training")
    both = [work.begin("finish", BUILD_NUMBER="5") for _ in range(2)]
    assert [process.wait(60) for process in both] == [143, 143]
    assert work.result("5")["checkpoint"] == "epoch-3"


def test_a_training_that_does_not_listen_is_killed(work: Workplace) -> None:
    container = work.started("deaf", work.project("deaf", "trap '' TERM; echo training; while :; do sleep 1; done"), "6")
    work.says(container, "training")
    assert work.step("finish", BUILD_NUMBER="6", MLOPS_STOP_GRACE="1").returncode == 143
    assert work.result("6")["reason"] == "asked to stop, not done after 1s, and killed; it left no checkpoint."


def test_a_training_times_out(work: Workplace) -> None:
    config = CONFIG.replace("timeout: 5m", "timeout: 1s")
    work.started("slow", work.project("slow", saves(0), config_dot_yaml=config), "8")
    followed = work.good("follow", BUILD_NUMBER="8")
    assert work.step("finish", BUILD_NUMBER="8").returncode == 1
    assert "1s are over (resources.timeout)" in followed.stderr
    assert "saving" in followed.stdout
    assert work.result("8")["status"] == "timed-out"
    assert work.result("8")["reason"] == "timed out after 1s (resources.timeout); its newest checkpoint is epoch-3."


def test_a_training_that_cannot_be_started(work: Workplace) -> None:
    script = "#!/no/such/shell\nexec sh src/main.sh\n"
    commit = work.project("odd", run_dot_sh=script)
    named = {"PROJECT": "odd", "COMMIT": commit, "BUILD_NUMBER": "9"}
    work.good("check", **named)
    work.good("build", **named)
    started = work.step("start", **named)
    # With --init some Engines find out when the process is there already.
    assert started.returncode in {0, 1}
    assert work.step("finish", BUILD_NUMBER="9").returncode == 1
    assert work.result("9")["status"] == "could-not-start"
    assert "its command cannot be run" in work.result("9")["reason"]
    assert work.containers() == []


def test_a_gpu_that_the_engine_cannot_give(work: Workplace) -> None:
    commit = work.project("gpu", config_dot_yaml=CONFIG.replace("gpus: 0", "gpus: 1"))
    named = {"PROJECT": "gpu", "COMMIT": commit, "BUILD_NUMBER": "9", "MLOPS_GPUS": "1"}
    work.good("check", **named)
    work.good("build", **named)
    started = work.step("start", **named)
    assert started.returncode == 1
    assert "has no driver for one (nvidia-container-toolkit)" in started.stderr
    assert work.step("finish", **named).returncode == 1
    assert work.result("9")["status"] == "could-not-start"
    assert work.containers() == []


def test_two_trainings_at_once(work: Workplace) -> None:
    """Of one project and commit: they share the image and nothing else."""
    commit = work.project("small", "echo $MLOPS_BUILD >$OUT_DIR/mine; while [ ! -e /tmp/never ]; do sleep 0.05; done")
    first, second = (work.started("small", commit, build) for build in ("11", "12"))
    assert first != second
    assert len(work.containers()) == 2
    for build in ("11", "12"):
        work.step("finish", BUILD_NUMBER=build, MLOPS_STOP_GRACE="1")
        assert work.file(build, "out/mine").read_text() == f"{build}\n"
    assert work.containers() == []


def test_a_run_by_hand_with_the_same_number_is_no_hindrance(work: Workplace) -> None:
    commit = work.project("small", saves(0))
    work.started("small", commit, "1")
    work.started("small", commit, "1", JOB_NAME="team/other job")
    assert sorted(work.containers()) == ["mlops-small-1", "mlops-small-1-team-other-job"]
    assert work.step("finish", BUILD_NUMBER="1", JOB_NAME="team/other job").returncode == 143
    assert work.containers() == ["mlops-small-1"]


def test_what_is_no_plain_file_stays_behind(work: Workplace) -> None:
    """What a training wrote is published by somebody who can read more than it could."""
    script = (
        "mkdir $OUT_DIR/model; ln -s /etc/passwd $OUT_DIR/model/passwd; mkfifo $OUT_DIR/pipe; echo good >$OUT_DIR/model/weights"
    )
    work.started("sly", work.project("sly", script), "13")
    work.good("follow", BUILD_NUMBER="13")
    finished = work.good("finish", BUILD_NUMBER="13")
    assert sorted(path.name for path in work.file("13", "out").rglob("*")) == ["model", "weights"]
    assert "model/passwd is no plain file" in finished.stderr


def test_a_start_that_was_killed_is_begun_anew(work: Workplace) -> None:
    """Between create and start: nothing of the first one is used, and nothing of it stays."""
    commit = work.project("small", TRAINS)
    named = {"PROJECT": "small", "COMMIT": commit, "BUILD_NUMBER": "14"}
    work.good("check", **named)
    work.good("build", **named)
    run = work.run("14")
    labels = ["mlops.managed=true", "mlops.job=train", "mlops.build=14", "mlops.purpose=train", f"mlops.run={run['run']}"]
    work.engine.docker("create", "--name=mlops-small-14", *(f"--label={label}" for label in labels), run["image"])
    work.good("start", **named)
    work.good("follow", **named)
    work.good("finish", **named)
    assert work.containers() == []


def test_start_twice_is_one_training(work: Workplace) -> None:
    container = work.started("small", work.project("small", saves(0)), "15")
    work.good("start", BUILD_NUMBER="15")
    assert work.run("15")["container"] == container
    assert len(work.containers()) == 1


def test_finish_after_finish_says_the_same(work: Workplace) -> None:
    work.started("small", work.project("small", "exit 5"), "16")
    work.good("follow", BUILD_NUMBER="16")
    first, second = (work.step("finish", BUILD_NUMBER="16") for _ in range(2))
    assert (first.returncode, first.stderr) == (second.returncode, second.stderr)


def test_somebody_removes_the_container(work: Workplace) -> None:
    container = work.started("small", work.project("small", saves(0)), "17")
    following = work.begin("follow", BUILD_NUMBER="17")
    until_sync(lambda: "training" in work.output(following))
    work.engine.docker("rm", "--force", container)
    assert following.wait(60) == 0
    assert work.step("finish", BUILD_NUMBER="17").returncode == 1
    assert "its container is gone" in work.result("17")["reason"]
