"""What libraries say of an end, and what is told of it."""

from __future__ import annotations

import pytest

from console.model.build import Result
from console.model.why import Cause
from console.runs.figures import figures
from console.runs.progress import Progress
from tests.console.runs.ends import by_hand, certain, ended, of_jenkins, rows, why
from tests.console.runs.lines import read

TRACE = 'Traceback (most recent call last):\n  File "/app/src/train.py", line 141, in main\n    step()\n'
BUS = (
    "RuntimeError: DataLoader worker (pid 123) is killed by signal: Bus error. It is possible that dataloader's workers are "
    "out of shared memory. Please try to raise your shared memory limit."
)
WORKER = "ERROR: Unexpected bus error encountered in worker. This might be caused by insufficient shared memory (shm)."


def raised(line: str) -> str:
    return f"{TRACE}{line}\n"


@pytest.mark.parametrize("code", [1, 135])
@pytest.mark.parametrize("said", [raised(BUS), f"{WORKER}\n"])
def test_a_loader_that_died_of_a_bus_error_wants_more_shared_memory(code: int, said: str) -> None:
    found = certain(why(by_hand(ended(code)), err=said))
    assert (found.cause, found.short) == (Cause.NO_SPACE, "shared memory is full")
    assert found.words == "A data loader died of a bus error: its shared memory (/dev/shm) is full."
    assert rows(found, "try") == ["more resources.shm, or fewer num_workers"]
    assert "bus error" in rows(found, "log")[0].lower()


def test_a_bus_error_without_such_words_is_only_named() -> None:
    found = certain(why(by_hand(ended(135)), err="Bus error (core dumped)\n"))
    assert (found.cause, found.short) == (Cause.ERROR, "a bus error, exit 135")
    killed = raised("RuntimeError: DataLoader worker (pid 123) is killed by signal: Segmentation fault.")
    assert certain(why(by_hand(ended()), err=killed)).cause is Cause.ERROR


CUBLAS = "RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"
XLA = "jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory"


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        (f"{XLA} while trying to allocate 123 bytes.", ": it asked for 123 bytes more"),
        (f"{XLA} allocating 8589934592 bytes.", ": it asked for 8589934592 bytes more"),
        (f"{XLA} while trying to allocate 17.57GiB.", ": it asked for 17.57GiB more"),
        (CUBLAS, ""),
    ],
)
def test_a_card_without_memory_has_other_words_too(said: str, asked: str) -> None:
    found = certain(why(by_hand(ended(1, gpu="0")), err=raised(said)))
    assert (found.cause, found.short) == (Cause.GPU_MEMORY, "GPU out of memory")
    assert found.words == f"Out of memory on the GPU{asked}."
    assert rows(found, "not")[0].startswith("the container's own memory: ")


@pytest.mark.parametrize(
    ("gpu", "said"),
    [
        ("none", f"{XLA} while trying to allocate 123 bytes."),
        ("0", f"{XLA} while trying to allocate 123 bytes in host memory."),
        ("0", f"{XLA} allocating 123 bytes on the CPU."),
        ("0", "tensorflow.errors.ResourceExhaustedError: OOM when allocating tensor on device:CPU:0 by allocator cpu"),
        ("0", "grpc.RpcError: RESOURCE_EXHAUSTED: Received message larger than max"),
    ],
)
def test_the_same_words_of_the_host_are_no_card(gpu: str, said: str) -> None:
    assert certain(why(by_hand(ended(1, gpu=gpu)), err=raised(said))).cause is Cause.ERROR


def test_cublas_that_follows_an_assertion_on_the_card_lacks_no_memory() -> None:
    asserted = "/aten/Indexing.cu:1290: block: [0,0,0] Assertion `srcIndex < srcSelectDimSize` failed.\n"
    found = certain(why(by_hand(ended(1, gpu="0")), err=asserted + raised(CUBLAS)))
    assert found.cause is Cause.ERROR
    assert "srcIndex < srcSelectDimSize" in found.words


HANDLING = "\nDuring handling of the above exception, another exception occurred:\n\n"
DIRECT = "\nThe above exception was the direct cause of the following exception:\n\n"
OOM = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"


def test_what_was_being_handled_when_it_failed_stands_before_it() -> None:
    saved = f"{raised(OOM)}{HANDLING}{raised('OSError: cannot save the checkpoint')}"
    found = certain(why(by_hand(ended()), err=saved))
    assert (found.cause, found.short) == (Cause.ERROR, "OSError: cannot save the check⋯")
    before = "before it: OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"
    assert rows(found, "log") == ["OSError: cannot save the checkpoint", "raised at src/train.py:141 in main", before]
    chain = f"{saved}{DIRECT}{raised('RuntimeError: epoch 3 failed')}"
    told = rows(why(by_hand(ended()), err=chain), "log")
    assert told[2:] == ["it came of OSError: cannot save the checkpoint", before]


def test_what_was_raised_earlier_and_is_not_linked_to_it_is_left_out() -> None:
    apart = f"{raised('ValueError: this batch is skipped')}{raised('KeyError: 7')}"
    assert not [one for one in rows(why(by_hand(ended()), err=apart), "log") if "skipped" in one]


WATCHDOG = (
    "[rank0]:[E1124 11:00:00.123 ProcessGroupNCCL.cpp:616] [Rank 0] Watchdog caught collective operation timeout: "
    "WorkNCCL(SeqNum=5, OpType=ALLREDUCE, NumelIn=1, NumelOut=1, Timeout(ms)=600000) ran for 600000 milliseconds before "
    "timing out."
)
DIST = "torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:1970, remote process exited"
LAUNCHER = "torch.distributed.elastic.multiprocessing.errors.ChildFailedError: train.py FAILED"
TERMINATED = "terminate called after throwing an instance of 'c10::DistBackendError'"


@pytest.mark.parametrize(
    ("code", "after"),
    [(1, raised(DIST)), (1, raised(LAUNCHER)), (134, f"{TERMINATED}\n")],
    ids=["raised", "launched", "aborted"],
)
def test_a_collective_that_timed_out_is_told_with_the_line_of_the_watchdog(code: int, after: str) -> None:
    found = certain(why(by_hand(ended(code, gpu="0,1")), err=f"{WATCHDOG}\n{after}"))
    assert (found.cause, found.short) == (Cause.ERROR, "NCCL: ALLREDUCE timed out")
    assert found.words == "A collective operation of its GPUs timed out (ALLREDUCE) after 10m."
    assert rows(found, "log")[0] == WATCHDOG
    assert rows(found, "try")


def test_a_collective_that_timed_out_is_no_cause_of_another_error() -> None:
    other = certain(why(by_hand(ended()), err=f"{WATCHDOG}\n{raised('KeyError: 7')}"))
    assert other.short == "KeyError: 7"
    assert certain(why(by_hand(ended()), err=raised(DIST))).short.startswith("DistBackendError: NCCL error")
    platforms = of_jenkins(Result.FAILURE, "failed: exit 1: KeyError: 7", ended(job_name="train"))
    assert "timed out" not in certain(why(platforms, err=f"{WATCHDOG}\n{raised(DIST)}")).words


def test_ctrl_c_is_no_error_of_the_program() -> None:
    found = certain(why(by_hand(ended(130)), err=raised("KeyboardInterrupt")))
    assert (found.cause, found.short) == (Cause.ABORTED, "ended by ctrl+c")
    assert rows(found, "log") == ["KeyboardInterrupt"]
    gone = certain(why(of_jenkins(Result.FAILURE, "failed: exit 130: KeyboardInterrupt")))
    assert (gone.cause, rows(gone, "jenkins")) == (Cause.ABORTED, ["exit 130: KeyboardInterrupt"])
    for code, said in ((130, "ValueError: no"), (1, "KeyboardInterrupt")):
        assert certain(why(by_hand(ended(code)), err=raised(said))).cause is Cause.ERROR
    assert certain(why(by_hand(ended(130)))).cause is Cause.UNKNOWN


def test_what_is_no_number_is_named_with_where_it_began() -> None:
    told = ((810, "0.5"), (811, "0.41"), (812, "nan"))
    progress = Progress()
    progress.add(read(*(f"epoch={at} step={at} lr=0.1 val_loss={value} loss={value}" for at, value in told)))
    run = by_hand(ended())
    assert run.since is not None
    known = figures(progress, run.since, ended=True)
    said = raised("ValueError: the loss is nan")
    found = certain(why(run, err=said, figures=known))
    assert (found.cause, found.short) == (Cause.NOT_FINITE, "loss is nan since step 812")
    assert found.words == "What it measures is no number any more: loss is nan since step 812."
    assert rows(found, "figures")[-1] == "loss is nan since step 812. The last finite value was 0.41 at step 811."
    assert certain(why(run, err=said)).short == "loss is not finite"
    assert certain(why(run, err=raised("KeyError: 7"), figures=known)).short == "KeyError: 7"
