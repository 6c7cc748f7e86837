"""Events of the contract, other JSON lines, printed dicts."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.runs.reading import Form, Phase
from console.runs.records import read_dict, read_json
from tests.console.runs.lines import one, read, values


def test_each_event_of_the_contract() -> None:
    start, step, epoch, checkpoint, published, stopped, error, end = read(
        '{"event":"start","ts":1795413618.25,"project":"project-b","epochs":40,"steps":1200,"device":"cpu","config":{"lr":0.1}}',
        '{"event":"step","ts":1795413619,"epoch":3,"step":310,"metrics":{"train_loss":0.231},"lr":0.001}',
        '{"event":"epoch","ts":1795413620,"epoch":3,"epochs":40,"step":400,"metrics":{"val_loss":"nan","x":2},"seconds":12.3}',
        '{"event":"checkpoint","ts":1795413621,"epoch":3,"path":"checkpoint/epoch-3","bytes":48231}',
        '{"event":"published","ts":1795413622,"repo":"org/b","tag":"build-48","url":"https://example.org/b"}',
        '{"event":"stopped","ts":1795413623,"reason":"sigterm","epoch":3}',
        '{"event":"error","ts":1795413624,"error":"ValueError","message":"bad"}',
        '{"event":"end","ts":1795413625,"status":"ok","best":{"metric":"val_accuracy","value":0.95,"epoch":31},"seconds":611.2}',
    )
    assert (start.time, start.epochs, start.steps, start.metrics) == (1795413618250000000, 40, 1200, ())
    assert (step.form, step.epoch, step.step, step.lr, values(step)) == (Form.EVENT, 3, 310, 0.001, {"train_loss": 0.231})
    assert (epoch.epochs, epoch.step, list(values(epoch))) == (40, 400, ["val_loss", "x"])
    assert math.isnan(values(epoch)["val_loss"])
    assert (checkpoint.event, checkpoint.note, checkpoint.metrics) == ("checkpoint", "checkpoint/epoch-3", ())
    assert (published.note, stopped.note, error.note, end.note) == ("https://example.org/b", "sigterm", "ValueError: bad", "ok")
    assert end.metrics == ()


@pytest.mark.parametrize(("written", "value"), [("inf", math.inf), ("-inf", -math.inf)])
def test_what_is_not_finite_is_written_as_text(written: str, value: float) -> None:
    assert values(one(f'{{"event":"step","step":1,"metrics":{{"loss":"{written}"}}}}')) == {"loss": value}


def test_json_lines_of_other_programs() -> None:
    assert values(one('{"step": 10, "epoch": 1, "loss": 2.128}')) == {"loss": 2.128}
    nested = one('{"msg": "epoch", "epoch": 1, "metrics": {"train": {"log_loss": 0.2}, "val": {"auc": 0.9}}, "eta0": 0.002}')
    assert (nested.form, values(nested)) == (Form.RECORD, {"train_log_loss": 0.2, "val_auc": 0.9})


@pytest.mark.parametrize(
    "line",
    [
        '{"event": "histogram", "values": [0.1], "loss": -1, "epoch": 99}',
        '{"event": "config", "loss": 0.5, "epoch": 0}',
        '{"epoch": 1, "batch_size": 32, "loss": 0.5}',
        '{"loss": 0.5}',
        '{"epoch": 3, "loss": true}',
        '{"epoch": 3, "name": "loss"}',
        '{"event":"checkpoint","step":22,"bytes":21469,"loss":0.5}',
        '{"epoch": 1, "loss": 0.5',
        '[{"epoch": 1, "loss": 0.5}]',
        '{"level": "info", "message": "resumed from epoch 3", "epoch": 3, "loss": 0.5}',
    ],
)
def test_objects_that_measure_nothing(line: str) -> None:
    assert [found.metrics for found in read(line) if found.metrics] == []


def test_dicts_of_transformers_old_and_new() -> None:
    new = one("{'loss': '0.6886', 'grad_norm': '0.2298', 'learning_rate': '0.0009', 'epoch': '0.1667'}")
    old = one("{'loss': 0.6886, 'grad_norm': 0.2298, 'learning_rate': 0.0009, 'epoch': 0.1667}")
    for found in (new, old):
        assert (found.form, found.epoch, found.lr) == (Form.DICT, 0.1667, 0.0009)
        assert values(found) == {"loss": 0.6886, "grad_norm": 0.2298}
    last = one("{'eval_loss': 0.49, 'eval_runtime': 0.05, 'eval_samples_per_second': 1661.6, 'epoch': 3.0}")
    assert (last.phase, values(last), last.rate) == (Phase.VAL, {"eval_loss": 0.49}, 1661.6)


def test_dicts_with_numbers_of_numpy_torch_and_jax() -> None:
    found = one("step 20: {'loss': np.float32(0.9), 'acc': tensor(0.5), 'kl': Array(0.25, dtype=float32)}")
    assert (found.step, values(found)) == (20, {"loss": 0.9, "acc": 0.5, "kl": 0.25})


@pytest.mark.parametrize(
    "line",
    [
        "best {'lr': 0.7465, 'hidden': 64, 'loss': 0.3} 0.127",
        "best {'loss': 0.3, 'epoch': 3}",
        "{'loss': 0.3, 'epoch': 3} {'loss': 0.4}",
        "{'batch_size': 32, 'loss': 0.3, 'epoch': 3}",
        "{'a': {'loss': 0.3}, 'epoch': 3}",
        "Word2Vec lifecycle event {'msg': 'training', 'loss': 0.3}",
        "{'loss': 0.3}",
        "{'loss': 0.3, 'epoch': 3",
        "Trial 3 finished with value: 2.29 and parameters: {'lr': 0.004, 'loss': 0.3}.",
    ],
)
def test_dicts_that_measure_nothing(line: str) -> None:
    assert read(line) == []


def test_an_object_of_256_kib_is_read_and_a_larger_one_is_not() -> None:
    line = '{"event": "epoch", "pad": "' + "x" * 200_000 + '", "epoch": 4, "metrics": {"val_loss": 0.38}}'
    assert values(one(line)) == {"val_loss": 0.38}
    assert read(line.replace("x", "xx")) == []


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), lambda inner: st.dictionaries(
    st.sampled_from(["event", "epoch", "step", "loss", "metrics", "lr", "ts", "epochs", "x"]), inner)))  # fmt: skip
def test_no_object_raises(value: object) -> None:
    read_json(0, json.dumps(value))
    read_dict(0, repr(value))


@pytest.mark.parametrize("line", ['{"epoch": ' + "9" * 5000 + ', "loss": 0.5}', '{"a":' * 3000 + "1" + "}" * 3000])
def test_numbers_and_depths_beyond_measure(line: str) -> None:
    assert read(line) == []


def test_a_measurement_without_a_name_is_none() -> None:
    assert values(one('{"event":"step","step":1,"metrics":{"":0.5," ":0.25,"x":2}}')) == {"x": 2}
