"""Lines that people's loops print, and lines that look like them and are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.runs.openings import announced
from console.runs.reading import Form, Phase
from console.runs.sentence import LONGEST, read_sentence
from tests.console.runs.lines import one, read, values


@pytest.mark.parametrize(
    ("line", "epoch", "step", "metrics"),
    [
        ("Epoch 3/10 - loss: 0.5 - acc: 0.81", (3, 10), (None, None), {"loss": 0.5, "acc": 0.81}),
        ("epoch=0 step=8/176 loss=2.05 grad_norm=0.654", (0, None), (8, 176), {"loss": 2.05, "grad_norm": 0.654}),
        ("Epoch [1/5] Iter [5/14] Loss 2.1638e+00 LR 0.005", (1, 5), (5, 14), {"loss": 2.1638}),
        ("epoch 3: val loss 0.57 val acc 0.899", (3, None), (None, None), {"val_loss": 0.57, "val_acc": 0.899}),
        ("epoch 1 validation: loss=1.19 accuracy=0.69", (1, None), (None, None), {"val_loss": 1.19, "val_accuracy": 0.69}),
        ("iter 230: loss 2.0267, time 93.61ms, mfu 0.68%", (None, None), (230, None), {"loss": 2.0267, "mfu": 0.68}),
        ("step 300: train loss 1.8, val loss 1.9", (None, None), (300, None), {"train_loss": 1.8, "val_loss": 1.9}),
        ("train | epoch 0 |  20/100 batches | ms/batch 40.0 | ppl 5.2", (0, None), (20, 100), {"ppl": 5.2}),
        ("| end of epoch 0 | time:  5.00s | valid loss  0.77", (0, None), (None, None), {"val_loss": 0.77}),
        ("Train Epoch: 1 [640/60000 (1%)]\tLoss: 2.278190", (1, None), (640, 60000), {"loss": 2.27819}),
        ("[1,  2000] loss: 2.213", (1, None), (2000, None), {"loss": 2.213}),
        ("[Epoch 3/10][step 20/100] loss=0.53", (3, 10), (20, 100), {"loss": 0.53}),
        ("Epoch #3 : loss = nan", (3, None), (None, None), {"loss": float("nan")}),
        ("epoch 3 | loss -inf", (3, None), (None, None), {"loss": float("-inf")}),
        ("Epoch: [0]  [10/88]  eta: 0:00:04  lr: 0.1  loss: 2.23 (2.22)  data: 0.0007", (0, None), (10, 88), {"loss": 2.23}),
        ("Epoch: [0][10/88]\tTime  0.07 ( 0.05)\tLoss 2.2e+00 (2.2e+00)\tAcc@1  18.75 ( 18.18)", (0, None), (10, 88),
         {"loss": 2.2, "acc@1": 18.75}),
        ("Train: 0 [   5/1251 (  0%)]  Loss: 6.957 (6.96)  Time: 7.520s,   34.04/s", (0, None), (5, 1251), {"loss": 6.957}),
        ("エポック 1/10 ステップ 22/220 損失: 2.16 学習率: 0.001 残り時間: 12秒", (1, 10), (22, 220), {"loss": 2.16}),
        ("=== 第1エポック終了 検証損失: 2.14 所要時間: 1.4秒", (1, None), (None, None), {"val_loss": 2.14}),
        ("エポック　３／１０　損失：０．５", (3, 10), (None, None), {"loss": 0.5}),
        ("val | epoch 3 | loss 0.5", (3, None), (None, None), {"val_loss": 0.5}),
        ("[Epoch 1/100] Avg Loss: 0.12, Avg DM Loss: 0.13", (1, 100), (None, None), {"loss": 0.12, "dm_loss": 0.13}),
        ("Epoch: 0, Train Acc: 0.897// Test Loss: 0.32", (0, None), (None, None), {"train_acc": 0.897, "test_loss": 0.32}),
        ("Epoch [1/200], Train Loss: 0.23, Duration: 2.34s, GPU Mem: 3.2/4.1GB", (1, 200), (None, None), {"train_loss": 0.23}),
        ("2024/01/01 12:00:00 - mmengine - INFO - Epoch(val) [1][79/79]    acc/top1: 67.1  time: 0.0456", (1, None), (79, 79),
         {"val_acc/top1": 67.1}),
        ("[01/01 12:00:00 d2.utils.events]:  eta: 0:12:34  iter: 19  total_loss: 2.3  time: 0.2  lr: 4.9e-06  max_mem: 2345M",
         (None, None), (19, None), {"total_loss": 2.3}),
        ("[2025-07-24 17:54:58,410849][I][wordplay/trainer:850] step=90 loss=4.1 dt=0.02", (None, None), (90, None),
         {"loss": 4.1}),
        ("epoch 001 | loss 5.1 | ppl 9.6 | wps 8000 | bsz 128 | num_updates 1100", (1, None), (None, None),
         {"loss": 5.1, "ppl": 9.6}),
    ],
)  # fmt: skip
def test_what_a_loop_prints_is_understood(
    line: str, epoch: tuple[int | None, int | None], step: tuple[int | None, int | None], metrics: dict[str, float]
) -> None:
    found = one(line)
    assert (found.epoch, found.epochs) == epoch
    assert (found.step, found.steps) == step
    assert repr(values(found)) == repr({**metrics})


@pytest.mark.parametrize(
    "prefix",
    [
        "2026-11-23 06:32:29,347 [INFO    ] trainer:12 - ",
        "2026-11-23 06:35:41.649 | INFO     | __main__:<module>:11 - ",
        "2026-11-23 06:35:41 - trainer - INFO - ",
        "2026-11-23 06:40:18,174 : INFO : ",
        "2026/11/23 06:42:24 INFO ",
        "[2026-11-23 06:00:00,000][__main__][INFO] - ",
        "[06:42:18] ",
        "INFO:root:",
        "I1123 06:48:49.295533 140 train.py:12] ",
        "Nov 23 06:00:00 host train[123]: ",
        "trainer-1  | ",
        "[rank 0] ",
        "[rank0]: ",
    ],
)
def test_whatever_stands_before_it(prefix: str) -> None:
    found = one(f"{prefix}epoch 3/10 step 7 loss 0.5")
    assert (found.epoch, found.epochs, found.step, values(found)) == (3, 10, 7, {"loss": 0.5})


@pytest.mark.parametrize(
    "line",
    [
        # settings
        "config epochs=4 batch_size=32 lr=0.2 momentum=0.9 optimizer=SGD loss=cross_entropy max_steps=176",
        "epoch=1 loss=0.5 batch_size=32 seed=1",
        "loss: 0.5",
        "  loss: 0.5, accuracy: 0.8",
        "EPOCH = 1970",
        "target_accuracy: 0.99",
        "epoch 3 loss_weight=0.5",
        "Epoch 3 Best Loss: 0.3",
        "TRAINING COMPLETED! Best validation loss: 1.0750",
        "\u2713 Model saved with validation loss: 1.0750",
        "Time taken for 1 epoch 282.72 sec",
        "precision: 16",
        "precision=16, recall=8",
        "epoch 5 shards 3 loss 0.5",
        # prose
        "Best previous run: epoch 12, step 3000, val_loss 0.4321 (see runs/loss-0.4321)",
        "Baseline from the paper: loss: 0.2500, accuracy: 97.3%",
        "Validation loss did not improve by more than 0.5 for 2 epochs (best 0.1)",
        "Epoch 4: val_loss improved from 0.58006 to 0.48973, saving model to /tmp/best.keras",
        "Epoch 4: ReduceLROnPlateau reducing learning rate to 0.0010000000474974513.",
        "Restoring model weights from the end of the best epoch: 8.",
        "SIGTERM received at step 157, writing checkpoint",
        "step 40: saved last.pt, lr 0.001",
        "number of parameters: 0.4M",
        "[worker 0] pid 34 sample 595: loss of precision in column 7, using 0.0",
        "best_iteration=47 best_score=0.998952",
        "Done. Best model saved to runs/exp1/best.pt (val loss 0.4468)",
        "loss=0.0 may be an underflow below 1.2e-38",
        "trial 3 finished with value: 2.29 and parameters: {'lr': 0.004}",
        "gradient norm 12.7 above 10.0, clipped",
        'level=info event=step msg="lr = 0.002, loss = 0.3" epoch=1',
        "level=warning msg=\"resumed from the checkpoint\" loss=0.3 epoch=2",
        # code and tracebacks
        '  File "/workspace/train.py", line 3, in <module>',
        "    loss = 0.5",
        "RuntimeError: epoch 1, step 5: loss is 2.3",
        "/workspace/train.py:9: UserWarning: loss=0.0 may be an underflow",
        "def train(epochs=3, loss=0.5):",
        # other programs
        "Successfully installed torch-2.15.0 loss-0.3 numpy-1.26.4",
        "     16.9/16.9 MB 164.4 MB/s eta 0:00:00",
        "Collecting torchmetrics==1.2.0",
        "Step 3/5 : RUN pip install -r requirements.txt",
        "(Reading database ... 5%",
        "|   0  NVIDIA H100 80GB HBM3          On  |   00000000:45:00.0 Off |                    0 |",
        "| N/A   31C    P0             71W /  700W |    1234MiB /  81559MiB |     12%      Default |",
        "weighted avg      0.962     0.960     0.960       397",
        "    accuracy                          0.960       397",
        "[[43  0  0  0  0  0  0  0  0  0]",
        "10.0.0.1 - - [23/Nov/2026:06:32:29 +0000] \"GET /loss/0.5 HTTP/1.1\" 200 12",
        "torch 2.15.0, CUDA 12.4, epoch 1.2.3",
        "runs/epoch=12-step=3000-val_loss=0.4321.ckpt",
    ],
)  # fmt: skip
def test_nothing_is_measured_in(line: str) -> None:
    assert [found.metrics for found in read(line) if found.metrics] == []


def test_a_percent_sign_is_kept_and_the_value_is_as_it_was_written() -> None:
    metric = one("epoch=1 val_acc=87.15%").metrics[0]
    assert (metric.value, metric.percent) == (87.15, True)


def test_learning_rate_and_throughput_are_told_apart_from_metrics() -> None:
    found = one("epoch 1 step 5 loss 0.5 lr 9.955e-04 tokens/s 10068")
    assert (found.lr, found.rate, found.unit, values(found)) == (9.955e-4, 10068, "tokens/s", {"loss": 0.5})
    found = one("Epoch 1/50 Step 10 Loss 2.2483 (20.0 steps/s)")
    assert (found.rate, found.unit) == (20, "steps/s")


def test_two_ranks_in_one_line_are_two_readings() -> None:
    first, second = read("[rank 0] epoch=0 step=15 loss=2.13756[rank 1] epoch=0 step=15 loss=2.16394")
    assert (first.rank, values(first), second.rank, values(second)) == (0, {"loss": 2.13756}, 1, {"loss": 2.16394})


def test_of_an_evaluation_that_goes_on_nothing_is_told_but_its_end() -> None:
    assert one("Test:   [10/25]  loss: 0.0587 (0.0745)  acc1: 100.0 (98.8)").metrics == ()
    last = one("Test:   [24/25]  loss: 0.0721 (0.0867)  acc1: 100.0 (97.5)")
    assert (last.phase, values(last)) == (Phase.TEST, {"test_loss": 0.0867, "test_acc1": 97.5})
    assert values(one(" * Acc@1 97.500 Loss 0.0867")) == {"val_acc@1": 97.5, "val_loss": 0.0867}


def test_a_sum_over_all_epochs_has_a_name_of_its_own() -> None:
    found = one("2026-11-23 06:40:19,786 : INFO : epoch 3: loss 918521.9 (cumulative 918521.9)")
    assert values(found) == {"loss_cumulative": 918521.9}


def test_measurements_may_stand_alone_where_their_names_leave_no_doubt() -> None:
    assert values(one("val_loss=1.7167 val_acc=0.7960")) == {"val_loss": 1.7167, "val_acc": 0.796}
    assert values(one("Test set: Average loss: 0.0268, Accuracy: 9912/10000 (99%)")) == {"test_loss": 0.0268}


def test_an_epoch_alone_is_where_the_training_is() -> None:
    found = one("Epoch 3/4")
    assert (found.epoch, found.epochs, found.metrics, found.form) == (3, 4, (), Form.SENTENCE)
    assert one("== epoch 2 done").epoch == 2
    assert (one("Epoch 0/0").epoch, one("Epoch 0/0").epochs) == (0, None)  # a smoke test of Lightning
    assert read("EPOCH = 1970") == []
    assert read("  Epoch 3/4") == []


@pytest.mark.parametrize(
    ("line", "epochs"),
    [
        ("Training for 50 epochs", 50),
        ("2026-11-23 06:32:28,697 [INFO    ] trainer:6 - Starting training: 5 epochs, 14 iterations per epoch", 5),
        ("Namespace(data='x.csv', epochs=3, max_steps=100000, resume='runs/epoch=12.ckpt')", 3),
        ("config epochs=4 batch_size=32", 4),
        ("early stopping after 3 epochs", None),
        ("warmup_epochs=3", None),
        ("Namespace(warmup_epochs=3)", None),
    ],
)
def test_what_is_announced_is_how_many_epochs_there_will_be(line: str, epochs: int | None) -> None:
    assert announced(line) == epochs


PROSE = (
    "the loss of our model was high and epoch after epoch we saw that accuracy in step with precision is 3 0.5 2.1.3 90% "
    "10/20 at least for learning rate 1e-3 see figure 4 (p < 0.05) or table [12] while validation took 3h on 8 GPUs"
)


@given(st.lists(st.sampled_from(PROSE.split()), min_size=4, max_size=30))
def test_random_prose_measures_nothing(said: list[str]) -> None:
    """Sentences of words that trainings use too. Each has a subject: what has none is a list of names and numbers."""
    text = " ".join(["We", *said])
    assert read_sentence(0, text) == []


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    read_sentence(0, text)


@given(st.text(alphabet="epochstl =:.,-[]()0123456789/|%'\"\\e+naif#", max_size=200))
def test_text_of_the_same_signs_is_read_without_an_error(text: str) -> None:
    read_sentence(0, text)


def test_longer_lines_are_no_sentences() -> None:
    line = "epoch 1 loss 0.5"
    assert len(read_sentence(0, line.ljust(LONGEST))) == 1
    assert read_sentence(0, line.ljust(LONGEST + 1)) == []


@pytest.mark.parametrize(
    "beside",
    """
    ts=1795413618.25 timestamp=1795413618.5 unixtime=1795413618.5 date=20261123.5 uuid=1234.5 torch=2.3 version=1.5
    cpu_percent=31.5 mem_pct=41.5 rss=812.5 free=12.5 used=3.5 offset=0.5 progress=12.5 progress=12.5% pct=33.5 power=250.5
    temp=61.5 gpu_util=99.5 gpu_temp=61.5
    """.split(),  # noqa: SIM905 - a list of words reads as one
)
def test_what_stands_beside_measurements_and_is_none(beside: str) -> None:
    assert values(one(f"epoch=3 loss=0.5 {beside}")) == {"loss": 0.5}
    assert read(f"epoch=3 {beside}") == [] or one(f"epoch=3 {beside}").metrics == ()


def test_a_forecast_of_what_machines_do_is_measured() -> None:
    assert values(one("epoch=3 power_mae=0.5 temp_rmse=1.5 acc_pct=91.5")) == {
        "power_mae": 0.5,
        "temp_rmse": 1.5,
        "acc_pct": 91.5,
    }
    assert values(one("epoch=3 loss=0.5 tightness=0.25")) == {"loss": 0.5, "tightness": 0.25}


@pytest.mark.parametrize(
    "beside", ["batch_size=32", "seed=42", "dataset=cifar10", "patience=3", "status=ok", "epochs=10", "optimizer=SGD"]
)
def test_one_setting_in_a_line_of_progress_does_not_hide_it(beside: str) -> None:
    assert values(one(f"epoch=3 loss=0.2 {beside}")) == {"loss": 0.2}
    assert values(one(f"epoch=3 {beside} loss=0.2")) == {"loss": 0.2}
    assert read(f"{beside} loss=0.2") == []


def test_several_settings_are_how_a_training_is_set_up() -> None:
    for line in (
        "epoch=3 loss=0.2 batch_size=32 dataset=cifar10",
        "epoch=3 loss=1 seed=42",
        "seed=42 val_loss=0.2 val_acc=0.5",
    ):
        assert read(line) == []


@pytest.mark.parametrize(
    ("line", "step", "metrics"),
    [
        ("step 12,345 loss 0.5", 12345, {"loss": 0.5}),
        ("step 1,234,567, loss 0.5", 1234567, {"loss": 0.5}),
        ("epoch=3 loss=tensor(0.2)", None, {"loss": 0.2}),
        ("epoch 3 loss: tensor(0.2) acc: np.float32(0.5)", None, {"loss": 0.2, "acc": 0.5}),
        ("Epoch 3 finished in 12.3 s, train loss 0.2", None, {"train_loss": 0.2}),
        ("Epoch 3 done in 12s - loss: 0.2", None, {"loss": 0.2}),
    ],
)
def test_numbers_as_some_print_them(line: str, step: int | None, metrics: dict[str, float]) -> None:
    found = one(line)
    assert (found.step, values(found)) == (step, metrics)


@pytest.mark.parametrize(
    "line", ["epoch 3 loss 1,234", "epoch 3 loss in 3 classes 0.2", "epoch 3 12,345 loss 0.5", "epoch 3 saved in 3 s loss 0.5"]
)
def test_numbers_that_may_be_others_are_not_taken(line: str) -> None:
    assert [found.metrics for found in read(line) if found.metrics] == []
