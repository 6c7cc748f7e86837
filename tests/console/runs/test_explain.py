"""What is made of each kind of evidence, and what is not made of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from console.model.build import Result
from console.model.cells import width
from console.model.container import UsageHistory
from console.model.gpu import Xid
from console.model.metric import Figures
from console.model.why import Cause
from console.runs.case import SHORT, Clues
from console.runs.endings import of_container
from console.runs.explain import explain
from console.text import clean
from tests.console.fakes import event, inspection
from tests.console.runs.ends import GIB, by_hand, certain, ended, entries, of_jenkins, rows, why
from tests.console.runs.test_join import training

TRACE = 'Traceback (most recent call last):\n  File "/app/src/train.py", line 141, in main\n    step()\n'
PIPELINE = "[Pipeline] }\n[Pipeline] End of Pipeline\n"


def raised(line: str) -> str:
    return f"{TRACE}{line}\n"


@pytest.mark.parametrize(
    ("description", "cause", "short"),
    [
        (
            "out of memory: killed at its limit of 16 GiB (resources.memory); its newest checkpoint is epoch-8",
            Cause.CONTAINER_MEMORY,
            "out of memory 16 GiB",
        ),
        ("timed out after 2h (resources.timeout); it left no checkpoint", Cause.TIMED_OUT, "timed out after 2h"),
        ("stopped as asked; its newest checkpoint is epoch-3", Cause.ABORTED, "asked to stop"),
        ("asked to stop, not done after 120s, and killed; it left no checkpoint", Cause.ABORTED, "asked to stop"),
        ("failed: killed from outside (SIGKILL); it left no checkpoint", Cause.KILLED, "killed from outside"),
        (
            "failed: its container is gone, and with it what it had written: somebody removed it",
            Cause.KILLED,
            "its container was removed",
        ),
        ("failed: exit 3: ValueError: no column price", Cause.ERROR, "ValueError: no column price"),
        ("failed: exit 1: no epoch reached a loss that is a number: try a smaller learning_rate", Cause.NOT_FINITE, None),
        ("failed: exit 1: OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", Cause.GPU_MEMORY, None),
        ("failed: exit 1: RuntimeError: CUDA error: out of memory", Cause.GPU_MEMORY, "GPU out of memory"),
        ("failed: exit 3: epoch 4/10 loss 0.31", Cause.UNKNOWN, None),
        ("failed: exit 143: epoch 4/10 loss 0.31", Cause.KILLED, "ended from outside"),
        ("failed: exit 1: OSError: [Errno 28] No space left on device", Cause.NO_SPACE, "no space left"),
        (
            "could not start: The image of project-a could not be built: ERROR: No matching distribution found for torch==9",
            Cause.IMAGE,
            "image could not be built",
        ),
        (
            "could not start: a GPU was asked for, and this host's Docker has no driver for one (nvidia-container-toolkit)",
            Cause.NO_GPU,
            "no GPU: no driver in Docker",
        ),
        ("could not start: its command cannot be run (exit 127): exec: python4: not found", Cause.ERROR, None),
        ("resources.gpus asks for 3, and this host has none", Cause.NO_GPU, None),
        (
            "The disk of the Docker Engine has 2 GiB left, and a build wants 10 GiB. `docker system df` shows what takes it",
            Cause.NO_SPACE,
            "Engine's disk is full",
        ),
        ("The Hub at https://huggingface.co answered 503: try again later.", Cause.HUB, None),
        (
            "The Hub at https://huggingface.co shows no dataset a/b: the name is wrong, or it is private and there is no read "
            "token (a file named in HF_READ_TOKEN_FILE).",
            Cause.HUB,
            "Hub: no such repository",
        ),
        ("The token in HF_WRITE_TOKEN_FILE may only read: publishing a/b needs one with the role write.", Cause.HUB, None),
    ],
)
def test_the_platforms_own_sentence_counts(description: str, cause: Cause, short: str | None) -> None:
    result = Result.ABORTED if cause is Cause.ABORTED else Result.FAILURE
    found = certain(why(of_jenkins(result, description)))
    assert found.cause is cause
    assert short in (None, found.short)
    assert width(found.short) <= SHORT
    assert rows(found, "jenkins") or "The Hub" in found.words


def test_what_is_kept_is_said() -> None:
    found = why(of_jenkins(Result.FAILURE, "timed out after 2h (resources.timeout); its newest checkpoint is epoch-8"))
    assert rows(found, "kept") == ["checkpoint epoch-8"]
    told = '{"event":"checkpoint","ts":1,"epoch":8,"path":"checkpoint/epoch-8","bytes":412000000}'
    assert rows(why(by_hand(ended()), told, raised("ValueError: no")), "kept") == ["checkpoint epoch 8, 412 MB"]


def test_a_request_that_was_refused() -> None:
    console = "[check] project-a\ncheck: RESUME_FROM=3: there is no run train-3 here.\n[Pipeline] }\nFinished: FAILURE\n"
    found = certain(why(of_jenkins(Result.FAILURE), console=console))
    assert (found.cause, found.words) == (
        Cause.REFUSED,
        "It was refused before it began: RESUME_FROM=3: there is no run train-3 here.",
    )
    refused = of_jenkins(Result.NOT_BUILT)
    assert refused.build is not None
    told = replace(refused, build=replace(refused.build, description=clean("refused: delivery d-1 was seen in #8")))
    assert certain(why(told)).short == "refused: delivery d-1 was seen⋯"
    skipped = replace(refused, build=replace(refused.build, description=clean("a@1: already trained in #8")))
    assert why(skipped) is None


def test_a_sentence_of_a_training_is_none_of_the_platform() -> None:
    console = f"start: GPUs is broken\nepoch 1\n{PIPELINE}ERROR: failed: exit 1: KeyError: 'x'\nFinished: FAILURE\n"
    found = certain(why(of_jenkins(Result.FAILURE), console=console))
    assert found.cause is Cause.ERROR
    assert "GPUs is broken" not in found.words
    told = "start: GPUs is broken\n[Pipeline] }\n"
    described = of_jenkins(Result.FAILURE, "failed: exit 1: KeyError: 'x'")
    assert certain(why(described, console=told)).short == "KeyError: 'x'"


def test_the_step_of_an_image_is_named() -> None:
    console = (
        "[build] Step 5/9 : COPY . .\n[build] Step 6/9 : RUN pip install --require-hashes -r requirements.txt\n"
        "[build] ERROR: THESE PACKAGES DO NOT MATCH THE HASHES\n"
        "build: The image of project-a could not be built: [build] ERROR: THESE PACKAGES DO NOT MATCH THE HASHES\n"
        "[Pipeline] error\n"
    )
    found = certain(why(of_jenkins(Result.FAILURE), console=console))
    assert (found.cause, found.short) == (Cause.IMAGE, "image 6/9: RUN pip install --r⋯")
    full = console.replace("THESE PACKAGES DO NOT MATCH THE HASHES", "write /layer: no space left on device")
    assert certain(why(of_jenkins(Result.FAILURE), console=full)).cause is Cause.NO_SPACE


def test_a_model_that_could_not_be_published() -> None:
    console = (
        "publish: The Hub at https://hub does not accept the write token. The artifact is kept in /runs/train-12/out\n"
        "[Pipeline] error\nFinished: FAILURE\n"
    )
    run = of_jenkins(Result.FAILURE, "best val_accuracy 0.91 in epoch 3, not published yet", ended(0, job_name="train"))
    found = certain(why(run, console=console))
    assert (found.cause, found.short) == (Cause.HUB, "Hub: token not accepted")


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("huggingface_hub.errors.GatedRepoError: 403 Client Error. Cannot access gated repo for url https://hf", Cause.HUB),
        ("requests.exceptions.HTTPError: 429 Client Error: Too Many Requests for url: https://huggingface.co/api/x", Cause.HUB),
        ("huggingface_hub.errors.RepositoryNotFoundError: 401 Client Error.", Cause.HUB),
        ("requests.exceptions.HTTPError: 404 Client Error: Not Found for url: https://data.example.org/x", Cause.ERROR),
        ("OSError: [Errno 28] No space left on device: '/out/model'", Cause.NO_SPACE),
        ("RuntimeError: unable to write to file </torch_9_1>: No space left on device (28)", Cause.NO_SPACE),
        ("torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB", Cause.GPU_MEMORY),
        ("java.lang.OutOfMemoryError: Java heap space", Cause.ERROR),
        ("RuntimeError: Found no NVIDIA driver on your system.", Cause.NO_GPU),
        ("torch.AcceleratorError: CUDA error: uncorrectable ECC error encountered", Cause.GPU_FAULT),
        ("ValueError: loss became nan at step 812", Cause.NOT_FINITE),
        ("SystemExit: Loss is nan, stopping training", Cause.NOT_FINITE),
        ("RuntimeError: nan in gradients of layer 3", Cause.NOT_FINITE),
        ("ValueError: Input X contains NaN.", Cause.ERROR),
        ("ValueError: names of metrics must not be nan, loss of precision", Cause.ERROR),
        ("RuntimeError: CUDA error: out of memory", Cause.GPU_MEMORY),
        ("huggingface_hub.errors.LocalEntryNotFoundError: cannot find the file, and outgoing traffic is off", Cause.HUB),
        ("FileNotFoundError: nvidia-container-toolkit is not installed", Cause.ERROR),
        ("KeyError: 'information'", Cause.ERROR),
        ("MemoryError", Cause.ERROR),
    ],
)
def test_the_last_exception_names_the_cause(said: str, cause: Cause) -> None:
    assert certain(why(by_hand(ended()), err=raised(said))).cause is cause


def test_an_exception_that_was_raised_from_another_is_taken_for_it() -> None:
    link = "\nThe above exception was the direct cause of the following exception:\n\n"
    chain = f"{raised('torch.OutOfMemoryError: CUDA out of memory.')}{link}{raised('RuntimeError: epoch 3 failed')}"
    found = certain(why(by_hand(ended()), err=chain))
    assert found.cause is Cause.GPU_MEMORY
    assert "RuntimeError: epoch 3 failed" in rows(found, "log")
    handled = chain.replace(link, "\nDuring handling of the above exception, another exception occurred:\n\n")
    assert certain(why(by_hand(ended()), err=handled)).cause is Cause.ERROR


def test_a_launchers_word_of_its_worker_is_no_cause() -> None:
    said = raised("ValueError: no column price") + raised("torch.distributed.elastic.ChildFailedError: train.py FAILED")
    assert "no column price" in certain(why(by_hand(ended()), err=said)).words
    for prefix in ("[rank0]: ", "[default0]:", "[default0]:[rank0]: "):
        prefixed = "\n".join(f"{prefix}{line}" for line in raised("ValueError: no column price").splitlines())
        assert "no column price" in certain(why(by_hand(ended()), err=prefixed)).words


def test_an_exception_after_which_it_went_on_is_no_cause() -> None:
    went_on = raised("ValueError: this batch is skipped") + "".join(f"step {n} loss 0.5\n" for n in range(60))
    found = certain(why(by_hand(ended(3)), err=went_on))
    assert (found.cause, found.short) == (Cause.UNKNOWN, "exit 3")
    assert rows(found, "log")[-1] == "step 59 loss 0.5"


def test_nor_is_one_after_which_it_went_on_on_its_other_stream() -> None:
    start = entries("", raised("ValueError: this batch is skipped"))
    last = start[-1][0]
    steps = [(last + at * 10**9, False, b"step loss 0.5\n") for at in range(60)]
    clues = Clues(lines=of_container([*start, *steps]))
    assert certain(explain(by_hand(ended(3)), clues)).cause is Cause.UNKNOWN
    soon = Clues(lines=of_container([*start, *steps[:9]]))
    assert certain(explain(by_hand(ended(3)), soon)).cause is Cause.ERROR


def test_the_word_of_the_stage_counts_where_there_is_no_description() -> None:
    said = clean("Train: project-a@7fa01469cc8e: failed: exit 1: RuntimeError: CUDA error: out of memory")
    assert certain(why(of_jenkins(Result.FAILURE), failure=said)).cause is Cause.GPU_MEMORY
    demo = clean("train: out of memory: the container reached its limit of 16 GiB")
    assert certain(why(of_jenkins(Result.FAILURE), failure=demo)).short == "out of memory 16 GiB"
    console = f"{PIPELINE}ERROR: project-a@7fa01469cc8e: timed out after 2h (resources.timeout); it left no checkpoint\n"
    assert certain(why(of_jenkins(Result.FAILURE), console=console)).cause is Cause.TIMED_OUT


def test_memory_of_the_container_and_of_the_host() -> None:
    figures = Figures(epoch=9)
    usage = UsageHistory(2.0, (None,), (14 * GIB, 15 * GIB, None), 16 * GIB)
    found = certain(why(by_hand(ended(137, oom=True)), figures=figures, usage=usage))
    assert (found.cause, found.short) == (Cause.CONTAINER_MEMORY, "out of memory 16 GiB, epoch 9")
    assert found.words == "Out of memory: the container reached its 16 GiB limit and was killed."
    assert rows(found, "docker") == ["OOMKilled, exit 137; limit 16 GiB"]
    assert rows(found, "memory") == ["15 of 16 GiB at the last reading, 15 GiB at most"]
    assert certain(why(by_hand(ended(137, oom=True, limit=None)))).cause is Cause.HOST_MEMORY


def test_the_engines_news_of_memory_count_where_the_container_says_nothing() -> None:
    one = ended(137)
    assert certain(why(by_hand(one))).cause is Cause.KILLED
    assert rows(why(by_hand(one)), "not") == ["out of memory: the Engine has no word of it"]
    found = certain(why(by_hand(one), events=(event(one, "oom"),)))
    assert found.cause is Cause.CONTAINER_MEMORY
    assert certain(why(by_hand(one), events=(event(training(13), "oom"),))).cause is Cause.KILLED


def test_a_worker_that_was_killed_is_memory_and_another_error_is_not() -> None:
    run = by_hand(ended(1, oom=True))
    worker = raised("RuntimeError: DataLoader worker (pid 213) is killed by signal: Killed. ")
    assert certain(why(run, err=worker)).cause is Cause.CONTAINER_MEMORY
    assert certain(why(run, err=raised("KeyError: 'label'"))).cause is Cause.ERROR


def test_an_error_of_the_card_is_the_cards_where_the_driver_says_so() -> None:
    run = by_hand(ended())
    assert run.since is not None
    said = raised("RuntimeError: CUDA error: unspecified launch failure")
    assert certain(why(run, err=said)).cause is Cause.ERROR
    near = Xid(run.since - timedelta(seconds=20), 0, 79)
    found = certain(why(run, err=said, xids=(near,)))
    assert (found.cause, found.short) == (Cause.GPU_FAULT, "GPU failed, Xid 79")
    assert rows(found, "gpu")
    far = Xid(run.since - timedelta(hours=2), 0, 79)
    assert certain(why(run, err=said, xids=(far,))).cause is Cause.ERROR
    programs = Xid(run.since, 0, 31)
    assert certain(why(run, err=said, xids=(programs,))).cause is Cause.ERROR


def test_a_container_that_never_started() -> None:
    one = replace(ended(127), details=inspection(error=clean('exec: "run.sh": executable file not found in $PATH')))
    found = certain(why(by_hand(one)))
    assert (found.cause, found.short) == (Cause.ERROR, "run.sh is not in the image")


def test_a_node_that_was_lost() -> None:
    console = f"{PIPELINE}hudson.remoting.ChannelClosedException: Channel closed\nFinished: FAILURE\n"
    assert certain(why(of_jenkins(Result.FAILURE), console=console)).cause is Cause.NODE_LOST
    back = f"hudson.remoting.ChannelClosedException: Channel closed\nback again\n{PIPELINE}ERROR: it broke\n"
    assert certain(why(of_jenkins(Result.FAILURE), console=back)).cause is not Cause.NODE_LOST


def test_an_error_of_groovy_is_the_pipelines() -> None:
    console = f"{PIPELINE}groovy.lang.MissingPropertyException: No such property: gpus for class: groovy.lang.Binding\n"
    found = certain(why(of_jenkins(Result.FAILURE), console=console))
    assert found.cause is Cause.PIPELINE
    assert "No such property: gpus" in found.words


def test_a_signal_is_named() -> None:
    assert certain(why(by_hand(ended(139)))).short == "a segmentation fault, exit 139"


def test_the_last_line_that_calls_itself_an_error() -> None:
    found = certain(why(by_hand(ended(2)), err="usage: train.py\ntrain.py: error: unrecognized arguments: --epoch\n"))
    assert (found.cause, found.short) == (Cause.ERROR, "train.py: error: unrecognized ⋯")
    assert certain(why(by_hand(ended(2)), out="error: 0.01\n")).cause is Cause.UNKNOWN


def test_what_goes_on_or_went_well_needs_no_explanation() -> None:
    assert why(by_hand(training())) is None
    assert why(by_hand(ended(0)), err=raised("ValueError: no")) is None
    assert why(of_jenkins(Result.SUCCESS, "best 0.9")) is None


def test_without_any_evidence_it_is_unknown() -> None:
    found = certain(why(of_jenkins(Result.FAILURE)))
    assert (found.cause, found.words) == (Cause.UNKNOWN, "It failed, and nothing that is known says why.")
