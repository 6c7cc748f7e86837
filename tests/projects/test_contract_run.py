"""A training from its environment to its exit status: done, failed, stopped."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
import yaml

from projects._template.src.contract.checkpoints import newest
from tests.projects.kit import COMMIT, TEMPLATE, ran, training

# Each epoch has ten steps. `step` may be replaced.
STEPS = """
def step(number):
    pass

def write(folder):
    (folder / "weights").write_text("whole")

def train(run):
    state = State(seed=1)
    run.start(epochs=2, steps=20, device="cpu")
    for epoch in (1, 2):
        for number in range(1, 11):
            step(state.step + 1)
            state.step += 1
            state.step_in_epoch += 1
            run.stop_if_asked(state, write)
        state.epoch, state.step_in_epoch = epoch, 0
        run.epoch(state, 2, {"train_loss": 1.0 / epoch}, 0.5)
        run.save(state, write)
"""
END = "\nsys.exit(contract.main(train))\n"


def test_a_stop_before_the_first_step_ends_at_once(tmp_path: Path) -> None:
    program = """
def train(run):
    tell("loading")
    wait_for("never")
"""
    with training(tmp_path / "out", program + END) as stopped:
        stopped.until_marked("loading")
        stopped.send()
        assert stopped.status() == 143
    (event,) = stopped.events()
    assert (event["event"], event["reason"], event["epoch"]) == ("stopped", "sigterm", 0)
    assert stopped.stderr == ""
    assert not (stopped.out / "checkpoint").exists()


def test_a_stop_before_the_first_step_gets_past_who_takes_every_exception(tmp_path: Path) -> None:
    """Libraries that load data try again after any Exception."""
    program = """
def train(run):
    try:
        tell("loading")
        wait_for("never")
    except Exception:
        run.start(epochs=1, steps=1, device="cpu")
"""
    with training(tmp_path / "out", program + END) as stopped:
        stopped.until_marked("loading")
        stopped.send()
        assert stopped.status() == 143
    assert [event["event"] for event in stopped.events()] == ["stopped"]


def test_a_stop_while_a_failure_is_told_of_hides_nothing(tmp_path: Path) -> None:
    program = """
def train(run):
    write = run.events.write

    def slow(event, **fields):
        os.kill(os.getpid(), signal.SIGTERM)
        write(event, **fields)

    run.events.write = slow
    raise TrainingError("the data set is empty")
"""
    status, failed = ran(tmp_path / "out", program + END)
    assert status in (1, 143)
    assert failed.stderr == ""
    assert len(failed.events()) == 1


def test_a_stop_lets_the_step_in_flight_end(tmp_path: Path) -> None:
    program = """
def step(number):
    if number == 13:
        tell("in step")
        wait_for("go on")
        tell("step done")
"""
    with training(tmp_path / "out", STEPS + program + END) as stopped:
        stopped.until_marked("in step")
        stopped.send()
        (stopped.out / "go on").touch()
        assert stopped.status() == 143
    assert (stopped.out / "step done").exists()
    place, state = newest(stopped.out / "checkpoint")
    assert (place.name, state.epoch, state.step, state.step_in_epoch) == ("epoch-1-step-13", 1, 13, 3)
    assert (place / "weights").read_text(encoding="utf-8") == "whole"
    checkpoint, last = stopped.events()[-2:]
    assert (checkpoint["event"], checkpoint["path"]) == ("checkpoint", "checkpoint/epoch-1-step-13")
    assert (last["event"], last["reason"], last["epoch"]) == ("stopped", "sigterm", 1)
    assert stopped.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_another_stop_while_the_checkpoint_is_written_breaks_nothing(tmp_path: Path, number: signal.Signals) -> None:
    program = """
def step(number):
    if number == 3:
        tell("in step")
        wait_for("go on")

def write(folder):
    (folder / "weights").write_text("wh")
    tell("writing")
    wait_for("write on")
    (folder / "weights").write_text("whole")
"""
    with training(tmp_path / "out", STEPS + program + END) as stopped:
        stopped.until_marked("in step")
        stopped.send()
        (stopped.out / "go on").touch()
        stopped.until_marked("writing")
        stopped.send(number)
        (stopped.out / "write on").touch()
        assert stopped.status() == 143
    place, state = newest(stopped.out / "checkpoint")
    assert (place / "weights").read_text(encoding="utf-8") == "whole"
    assert state.step == 3
    assert [event["event"] for event in stopped.events()] == ["start", "checkpoint", "stopped"]
    assert stopped.events()[-1]["reason"] == "sigterm"
    assert stopped.stderr == ""


def test_ctrl_c_is_a_stop_too(tmp_path: Path) -> None:
    program = """
def step(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGINT)
"""
    status, stopped = ran(tmp_path / "out", STEPS + program + END)
    assert (status, stopped.events()[-1]["reason"], stopped.stderr) == (143, "sigint", "")


def test_a_stop_right_after_an_epoch_writes_no_second_checkpoint(tmp_path: Path) -> None:
    program = """
written = 0

def write(folder):
    global written
    written += 1
    (folder / "weights").write_text(str(written))

def train(run):
    run.start(epochs=2, steps=20, device="cpu")
    state = State(seed=1, epoch=1, step=10)
    run.save(state, write)
    os.kill(os.getpid(), signal.SIGTERM)
    run.stop_if_asked(state, write)
"""
    status, stopped = ran(tmp_path / "out", program + END)
    assert status == 143
    place, _ = newest(stopped.out / "checkpoint")
    assert (place.name, (place / "weights").read_text(encoding="utf-8")) == ("epoch-1", "1")
    assert stopped.events()[-1]["epoch"] == 1


def test_a_stop_after_the_last_step_does_not_throw_the_result_away(tmp_path: Path) -> None:
    program = """
def train(run):
    state = State(seed=1)
    run.start(epochs=1, steps=1, device="cpu")
    os.kill(os.getpid(), signal.SIGTERM)
    run.finish(state, ModelCard("t", "s", "u", [Comparison("m", {"mse": 1.0})], {}, {}))
"""
    status, done = ran(tmp_path / "out", program + END)
    assert (status, done.events()[-1]["event"]) == (0, "end")
    assert (done.out / "metrics.json").exists()


def test_an_exception_has_a_traceback_and_an_event(tmp_path: Path) -> None:
    program = """
def step(number):
    if number == 3:
        raise ValueError("a weight is not a number")
"""
    status, failed = ran(tmp_path / "out", STEPS + program + END)
    assert status == 1
    assert failed.stderr.startswith("Traceback (most recent call last):\n")
    assert failed.stderr.endswith("ValueError: a weight is not a number\n")
    event = failed.events()[-1]
    assert (event["event"], event["error"], event["message"]) == ("error", "ValueError", "a weight is not a number")
    assert (failed.out / "events.jsonl").read_text(encoding="utf-8") == failed.stdout


def test_what_somebody_can_mend_has_no_traceback(tmp_path: Path) -> None:
    program = """
def train(run):
    raise TrainingError("the data set is empty: upload it again")
"""
    status, failed = ran(tmp_path / "out", program + END)
    assert (status, failed.stderr) == (1, "")
    (event,) = failed.events()
    assert (event["error"], event["message"]) == ("TrainingError", "the data set is empty: upload it again")


def test_a_checkpoint_that_cannot_be_written_is_a_failure_even_in_a_stop(tmp_path: Path) -> None:
    program = """
def step(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGTERM)

def write(folder):
    raise OSError(28, "No space left on device")
"""
    status, failed = ran(tmp_path / "out", STEPS + program + END)
    assert status == 1
    assert [event["event"] for event in failed.events()] == ["start", "error"]


def test_numbers_that_are_not_finite_reach_every_file(tmp_path: Path) -> None:
    program = """
def train(run):
    state = State(seed=1, epoch=1, step=1)
    run.start(epochs=1, steps=1, device="cpu", rows={"train": 5})
    bad = {"train_loss": float("nan"), "val_loss": float("inf"), "val_gain": float("-inf")}
    run.step(state, bad)
    run.epoch(state, 1, bad, 0.5)
    state.best = {"metric": "val_loss", "value": float("inf"), "epoch": 1}
    run.save(state, lambda folder: None)
    run.finish(state, ModelCard("t", "s", "u", [Comparison("m", {"mse": float("nan")})], {}, {}))
"""
    status, done = ran(tmp_path / "out", program + END)
    assert (status, done.stderr) == (0, "")
    bad = {"train_loss": "nan", "val_loss": "inf", "val_gain": "-inf"}
    assert [event["metrics"] for event in done.events() if "metrics" in event] == [bad, bad]
    assert done.events("end")[0]["best"]["value"] == "inf"
    metrics = json.loads((done.out / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["history"] == [{"epoch": 1, **bad}]
    assert metrics["test"] == {"m": {"mse": "nan"}}


def test_the_environment_is_what_the_run_says_of_itself(tmp_path: Path) -> None:
    status, done = ran(tmp_path / "out", STEPS + END, MLOPS_OVERRIDES="epochs=2\nlearning_rate=0.5")
    assert status == 0
    start = done.events("start")[0]
    assert (start["project"], start["commit"]) == ("project-t", COMMIT)
    assert start["config"] == {"epochs": 2, "learning_rate": 0.5, "seed": 7}
    assert not start.keys() & {"resumed_epoch", "resumed_step"}


def test_a_wrong_override_is_one_sentence(tmp_path: Path) -> None:
    status, failed = ran(tmp_path / "out", MLOPS_OVERRIDES="epoch=2")
    assert (status, failed.stderr) == (1, "")
    (event,) = failed.events()
    assert event["message"] == "config.yaml: train has no epoch; did you mean epochs?"


@pytest.mark.parametrize("content", [None, b"epoch-9\n"])
def test_a_checkpoint_that_is_no_good_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    (tmp_path / "checkpoint").mkdir()
    if content:
        (tmp_path / "checkpoint" / "latest").write_bytes(content)
    status, failed = ran(tmp_path / "out", RESUME_DIR=str(tmp_path / "checkpoint"))
    assert (status, failed.stderr) == (1, "")
    (event,) = failed.events()
    assert event["message"].startswith(f"there is no checkpoint to resume from in {tmp_path / 'checkpoint'}: ")


# --- the template's own training


def results(out: Path) -> tuple[bytes, bytes]:
    return (out / "metrics.json").read_bytes(), (out / "model" / "line.json").read_bytes()


# Sends itself a stop in the step that SIGNAL_AT numbers, counted over all epochs.
AT_STEP = """
from src import train
done, step = 0, train.Line.step

def counted(self, x, y, rate):
    global done
    step(self, x, y, rate)
    done += 1
    if done == int(os.environ["SIGNAL_AT"]):
        os.kill(os.getpid(), signal.SIGTERM)

train.Line.step = counted
sys.exit(contract.main(train.train))
"""


def test_a_training_to_its_end(tmp_path: Path) -> None:
    status, done = ran(tmp_path / "out", MLOPS_OVERRIDES="epochs=3")
    assert (status, done.stderr) == (0, "")
    assert [event["event"] for event in done.events()] == ["start", *["epoch", "checkpoint"] * 3, "end"]
    assert (done.out / "events.jsonl").read_text(encoding="utf-8") == done.stdout
    assert sorted(path.name for path in done.out.iterdir()) == [
        "README.md",
        "checkpoint",
        "events.jsonl",
        "metrics.json",
        "model",
    ]
    metrics = json.loads((done.out / "metrics.json").read_text(encoding="utf-8"))
    assert [entry["epoch"] for entry in metrics["history"]] == [1, 2, 3]
    assert metrics["best"] == done.events("end")[0]["best"]
    assert metrics["best"]["value"] == min(entry["val_loss"] for entry in metrics["history"])
    assert metrics["test"]["line"]["mse"] < metrics["test"]["mean of the training points"]["mse"] / 10
    front = (done.out / "README.md").read_text(encoding="utf-8").split("---\n")[1]
    assert yaml.safe_load(front) == {"tags": ["project-t"]}


def test_the_same_training_twice_is_the_same_to_the_bit(tmp_path: Path) -> None:
    for name in ("first", "second"):
        assert ran(tmp_path / name, MLOPS_OVERRIDES="epochs=3")[0] == 0
    assert results(tmp_path / "first") == results(tmp_path / "second")
    assert ran(tmp_path / "other", MLOPS_OVERRIDES="epochs=3\nseed=8")[0] == 0
    assert results(tmp_path / "other") != results(tmp_path / "first")


def test_stopped_and_resumed_is_the_same_to_the_bit(tmp_path: Path) -> None:
    with training(tmp_path / "stopped", MLOPS_OVERRIDES="epochs=100000") as stopped:
        stopped.until_event("checkpoint")
        stopped.send()
        assert stopped.status() == 143
    assert [event["event"] for event in stopped.events()][-2:] == ["checkpoint", "stopped"]
    place, state = newest(stopped.out / "checkpoint")
    assert stopped.events("checkpoint")[-1]["path"] == f"checkpoint/{place.name}"
    assert stopped.events("stopped")[0]["epoch"] == state.epoch
    assert not (stopped.out / "metrics.json").exists()

    epochs = f"epochs={state.epoch + 2}"
    status, resumed = ran(tmp_path / "resumed", MLOPS_OVERRIDES=epochs, RESUME_DIR=str(stopped.out / "checkpoint"))
    assert (status, resumed.stderr) == (0, "")
    start = resumed.events("start")[0]
    assert (start["resumed_epoch"], start["resumed_step"]) == (state.epoch, state.step)
    assert [event["epoch"] for event in resumed.events("epoch")] == [state.epoch + 1, state.epoch + 2]
    assert ran(tmp_path / "whole", MLOPS_OVERRIDES=epochs)[0] == 0
    assert results(resumed.out) == results(tmp_path / "whole")


@pytest.mark.parametrize(
    "step",
    [
        1,
        199,
        200,
        201,
        450,
    ],
)
def test_stopped_at_any_step_and_resumed_is_the_same_to_the_bit(tmp_path: Path, step: int) -> None:
    status, stopped = ran(tmp_path / "stopped", AT_STEP, MLOPS_OVERRIDES="epochs=4", SIGNAL_AT=str(step))
    assert status == 143
    checkpoint = stopped.out / "checkpoint"
    assert newest(checkpoint)[1].step == step
    assert newest(checkpoint)[0].name == f"epoch-{step // 200}" + (f"-step-{step}" if step % 200 else "")
    status, resumed = ran(tmp_path / "resumed", MLOPS_OVERRIDES="epochs=4", RESUME_DIR=str(checkpoint))
    assert (status, resumed.stderr) == (0, "")
    assert ran(tmp_path / "whole", MLOPS_OVERRIDES="epochs=4")[0] == 0
    assert results(resumed.out) == results(tmp_path / "whole")


def test_stopped_twice_and_resumed_in_the_same_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    checkpoint = str(out / "checkpoint")
    assert ran(out, AT_STEP, MLOPS_OVERRIDES="epochs=4", SIGNAL_AT="250")[0] == 143
    again = {"MLOPS_OVERRIDES": "epochs=4", "RESUME_DIR": checkpoint}
    assert ran(out, AT_STEP, **again, SIGNAL_AT="300")[0] == 143
    assert newest(out / "checkpoint")[1].step == 550
    assert ran(out, **again)[0] == 0
    assert ran(tmp_path / "whole", MLOPS_OVERRIDES="epochs=4")[0] == 0
    assert results(out) == results(tmp_path / "whole")
    told = [json.loads(line)["event"] for line in (out / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    assert (told.count("start"), told.count("stopped"), told[-1]) == (3, 2, "end")


def test_a_stop_in_the_last_step_of_all_ends_well(tmp_path: Path) -> None:
    status, done = ran(tmp_path / "out", AT_STEP, MLOPS_OVERRIDES="epochs=2", SIGNAL_AT="400")
    assert (status, done.events()[-1]["event"]) == (0, "end")


def test_resumed_where_nothing_is_left_to_do_writes_the_results_again(tmp_path: Path) -> None:
    assert ran(tmp_path / "first", MLOPS_OVERRIDES="epochs=2")[0] == 0
    status, again = ran(tmp_path / "again", MLOPS_OVERRIDES="epochs=2", RESUME_DIR=str(tmp_path / "first" / "checkpoint"))
    assert (status, again.stderr) == (0, "")
    assert results(again.out) == results(tmp_path / "first")


def test_the_settings_of_the_template_are_those_of_its_schema(tmp_path: Path) -> None:
    program = """
import dataclasses, json
from src.train import Settings
print(json.dumps(sorted(field.name for field in dataclasses.fields(Settings))))
"""
    status, done = ran(tmp_path / "out", program)
    schema = json.loads((TEMPLATE / "config.schema.json").read_text(encoding="utf-8"))
    assert (status, json.loads(done.stdout)) == (0, sorted(schema["properties"]))
