"""What the words of an error say about its cause, and what to do. Pure.

Only words that one system or library says of one thing are taken: whatever else a program says is its own error, and is quoted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from console.model.why import Cause
from console.text import Clean, clean

NOTHING = Clean("")


@dataclass(frozen=True, slots=True)
class Lesson:
    """`words` is a sentence without its full stop, `short` a cause of a few words, `todo` what to try; `denied` is what it was
    not, where the words themselves say so."""

    cause: Cause
    words: Clean
    short: Clean
    todo: Clean
    denied: Clean = NOTHING


_GPU_MEMORY = re.compile(
    r"torch\.(?:cuda\.)?OutOfMemoryError|CUDA out of memory|CUDA error: out of memory|OOM.{0,200}device:GPU:\d"
)
_CUBLAS = re.compile(r"\bCUBLAS_STATUS_ALLOC_FAILED\b")
# XLA has the same words for the memory of the host: only who has a card may mean that one.
_XLA = re.compile(
    r"\bRESOURCE_EXHAUSTED: (?:Out of memory while trying to allocate|Out of memory allocating|Failed to allocate request for) "
    r"(?P<asked>[\d.]+ ?(?:bytes\b|[KMG]i?B\b))(?P<more>.{0,200})"
)
_HOST = re.compile(r"\bhost\b|\bpinned\b|cuda_host|\bCPU\b|device:CPU|_cpu\b", re.IGNORECASE)
_TRIED = re.compile(r"Tried to allocate (?P<asked>[\d.]+ [KMG]iB)")
_CAPACITY = re.compile(
    r"GPU (?P<card>\d+) has a total capacity of (?P<total>[\d.]+ [KMG]iB) of which (?P<free>[\d.]+ [KMG]iB) is free"
)

_NO_GPU = (
    (
        re.compile(r"could not select device driver|has no driver for one \(nvidia-container-toolkit\)"),
        "Docker here has no driver for GPUs",
        "no driver in Docker",
        "install nvidia-container-toolkit on the trainer",
    ),
    (
        re.compile(r"nvidia-container-cli: (?P<said>.{1,120})"),
        "Docker could not give it a GPU",
        "Docker gave none",
        "look at nvidia-smi on the trainer",
    ),
    (
        re.compile(r"NVML: Driver/library version mismatch|Driver/library version mismatch"),
        "the NVIDIA driver and its library differ",
        "driver and library differ",
        "restart the trainer: its driver was updated",
    ),
    (
        re.compile(r"CUDA driver version is insufficient"),
        "the NVIDIA driver is too old for its CUDA",
        "driver too old for CUDA",
        "update the driver, or pin an older CUDA in the image",
    ),
    (
        re.compile(r"Found no NVIDIA driver|no NVIDIA driver on your system"),
        "there is no NVIDIA driver where it ran",
        "no driver there",
        "check nvidia-smi on the trainer, and resources.gpus",
    ),
    (
        re.compile(r"No CUDA GPUs are available|no CUDA-capable device is detected|torch finds no GPU"),
        "no GPU could be seen where it ran",
        "none to be seen",
        "check resources.gpus in config.yaml, and nvidia-smi on the trainer",
    ),
    (
        re.compile(r"\d+ GPUs? (?:is|are) needed and \d+ (?:is|are) free|still runs on GPU"),
        "no GPU was free",
        "none is free",
        "run it again when a card is free: GPUs shows who holds them",
    ),
    (
        re.compile(r"resources\.gpus asks for \d+, and this host has"),
        "it asks for more GPUs than there are",
        "asks for more than there are",
        "lower resources.gpus, or add a trainer with more",
    ),
)

_NO_SPACE = re.compile(
    r"No space left on device|\bENOSPC\b|Disk quota exceeded|The disk of the Docker Engine has .{1,30} left", re.IGNORECASE
)
_SHARED = re.compile(r"/dev/shm|shared memory|torch_\d+_|\bshm\b", re.IGNORECASE)  # noqa: S108  # words of a log

_HUB = re.compile(
    r"\b(?:GatedRepoError|RepositoryNotFoundError|RevisionNotFoundError|(?:Remote)?EntryNotFoundError|HfHubHTTPError)\b"
    r"|\b(?:LocalEntryNotFoundError|OfflineModeIsEnabled)\b"
    r"|Cannot access gated repo|trying to access a gated repo"
    r"|\b(?:40[134]|429|5\d\d) (?:Client|Server) Error.{0,200}(?:huggingface\.co|hf\.co|/api/(?:models|datasets)/)"
    r"|\b[Tt]he Hub at \S+ |\bNo Hub token\b|\bThe token in HF_\w+|\b[Tt]he write token may not write"
    r"|HF_\w+_FILE: .{1,200}(?:holds no token|is open to everybody|cannot be read)"
    r"|\bThe (?:dataset|model) \S+ has no revision \S+ \(any more\)|\b[Tt]he upload to \S+ at .{1,200} broke off"
    r"|\b[Tt]he tag \S+ of \S+ belongs to another training"
)
_HUB_SAYS = (
    (
        re.compile(r"(?<!Local)EntryNotFoundError|Entry Not Found"),
        "The Hub has the repository, and no such file in it",
        "Hub: no such file",
        "check the name of the file and the pinned revision",
    ),
    (
        re.compile(r"gated", re.IGNORECASE),
        "The Hub gives this only to those whom it was granted",
        "Hub: gated repository",
        "ask for access on its page on the Hub, with the account of the token",
    ),
    (
        re.compile(r"\b429\b|rate limit", re.IGNORECASE),
        "The Hub takes no more requests for now (429)",
        "Hub: too many requests",
        "run it again later; a token raises the limit",
    ),
    (
        # Who may not see a repository is told 401 or 404, as if there were none.
        re.compile(r"RepositoryNotFoundError|shows no (?:dataset|model)|\b404\b"),
        "The Hub shows it no such repository: there is none, or the token may not see it",
        "Hub: no such repository",
        "check the name in config.yaml, and whether the token may see it",
    ),
    (
        re.compile(r"RevisionNotFoundError|has no revision"),
        "The pinned revision is not on the Hub",
        "Hub: no such revision",
        "pin a revision that is there in config.yaml",
    ),
    (
        re.compile(r"\b401\b|does not accept the (?:write )?token|\bUnauthorized\b"),
        "The Hub does not accept the token",
        "Hub: token not accepted",
        "make a new token on the Hub and put it in its place",
    ),
    (
        re.compile(r"No Hub token|holds no token"),
        "There is no token for the Hub",
        "Hub: no token",
        "give the platform a token (docs/operations.md)",
    ),
    (
        re.compile(r"is open to everybody|cannot be read"),
        "The file with the Hub's token cannot be used",
        "Hub: token file",
        "the log says what is wrong with the file",
    ),
    (
        re.compile(r"may only read|may not write|\b403\b|Forbidden"),
        "The Hub does not permit this to the token",
        "Hub: not permitted",
        "give the token the role it needs, or name another repository",
    ),
    (
        re.compile(r"belongs to another training"),
        "The tag on the Hub belongs to another training",
        "Hub: tag is taken",
        "delete that tag on the Hub, or name another repository in publish.repo",
    ),
    (
        re.compile(r"cannot be reached|LocalEntryNotFoundError|OfflineModeIsEnabled|broke off"),
        "The Hub could not be reached",
        "Hub: not reached",
        "run it again when the network is back; HF_HUB_OFFLINE=1 trains from the cache",
    ),
)

_CARD = re.compile(r"uncorrectable ECC error|fallen off the bus|GPU is lost|Unable to determine the device handle for GPU")
_ON_CARD = re.compile(r"CUDA error: (?P<what>device-side assert triggered|an illegal memory access was encountered|.{1,80})")
_ASSERTED = re.compile(r"Assertion `(?P<what>.{1,120}?)` failed")
_NO_NUMBER = r"(?:tensor\()?(?:nan|-?inf|infinite|infinity|not finite|non-finite|not a number)\b"
_MEASURED = r"\b(?:loss|losses|gradients?|grad_norm|weights|logits|\w{1,40}_loss)\b"
_NOT_FINITE = re.compile(
    rf"{_MEASURED}.{{0,40}}?(?:\b(?:is|are|was|were|became|become|turned|got|went)\b|[=:])\s{{0,3}}(?:to )?{_NO_NUMBER}"
    rf"|\b(?:nan|inf|infinite|non-finite) (?:values? in |in )?(?:the )?{_MEASURED}|no epoch reached a loss that is a number",
    re.IGNORECASE,
)
_WORKER = re.compile(
    r"DataLoader worker \(pid.{0,30}\) is killed by signal: Killed|DataLoader worker .{0,60} exited unexpectedly"
)
# What a page of a full /dev/shm costs whoever writes to it.
_BUS = re.compile(
    r"DataLoader worker \(pid.{0,30}\) is killed by signal: Bus error|[Uu]nexpected bus error encountered in worker"
    r"|insufficient shared memory \(shm\)|are out of shared memory"
)


def lesson_of(text: str, *, on_gpu: bool = False) -> Lesson | None:
    """The cause that an error names itself; None where it is the program's own. `on_gpu`: whether it had a card."""
    return (
        _gpu_memory(text, on_gpu=on_gpu) or _no_gpu(text) or _hub(text) or _no_space(text) or _card(text) or _not_finite(text)
    )


def _gpu_memory(text: str, *, on_gpu: bool) -> Lesson | None:
    # After an assertion on the card cuBLAS cannot allocate either: then that is the cause.
    by_cublas = bool(_CUBLAS.search(text)) and not _ASSERTED.search(text)
    by_xla = _XLA.search(text) if on_gpu else None
    if by_xla is not None and _HOST.search(by_xla["more"]):
        by_xla = None
    if not by_cublas and by_xla is None and not _GPU_MEMORY.search(text):
        return None
    asked, room = _TRIED.search(text) or by_xla, _CAPACITY.search(text)
    words = "Out of memory on the GPU"
    if asked and room:
        words += (
            f": it asked for {asked['asked']} more, and of {room['total']} there were {room['free']} free on GPU {room['card']}"
        )
    elif asked:
        words += f": it asked for {asked['asked']} more"
    short = f"GPU out of memory, {_round(room['total'])}" if room else "GPU out of memory"
    todo = "a smaller batch_size, or gradient accumulation; another run on the same card takes memory too"
    refused = "the allocator of the GPU" if by_xla is not None else "CUDA itself"
    return _lesson(Cause.GPU_MEMORY, words, short, todo, f"the container's own memory: {refused} refused")


def _no_gpu(text: str) -> Lesson | None:
    for pattern, words, short, todo in _NO_GPU:
        if pattern.search(text):
            return _lesson(Cause.NO_GPU, f"No GPU: {words}", f"no GPU: {short}", todo)
    return None


def _no_space(text: str) -> Lesson | None:
    if _BUS.search(text):
        words = "A data loader died of a bus error: its shared memory (/dev/shm) is full"
        return _lesson(Cause.NO_SPACE, words, "shared memory is full", "more resources.shm, or fewer num_workers")
    if not _NO_SPACE.search(text):
        return None
    if _SHARED.search(text):
        words = "Its shared memory (/dev/shm) is full"
        return _lesson(Cause.NO_SPACE, words, "shared memory is full", "more resources.shm, or fewer data loaders")
    if "The disk of the Docker Engine" in text:
        return _lesson(
            Cause.NO_SPACE,
            "The Engine's disk is too full to begin",
            "Engine's disk is full",
            "prune images and build cache: Disk shows what takes it",
        )
    return _lesson(
        Cause.NO_SPACE,
        "No space was left where it wrote",
        "no space left",
        "look at what fills the disk; /tmp of a training has 1 GiB of its own",
    )


def _hub(text: str) -> Lesson | None:
    if not _HUB.search(text):
        return None
    for pattern, words, short, todo in _HUB_SAYS:
        if pattern.search(text):
            return _lesson(Cause.HUB, words, short, todo)
    return _lesson(Cause.HUB, "The Hub did not do what it was asked for", "Hub: refused", "see the words of the log")


def _card(text: str) -> Lesson | None:
    if found := _CARD.search(text):
        todo = "look at the card: reset it when it is free, replace it if it comes again"
        return _lesson(Cause.GPU_FAULT, f"The GPU failed: {found[0]}", "GPU failed", todo)
    found = _ON_CARD.search(text)
    if found is None:
        return None
    asserted = _ASSERTED.search(text)
    words = f"The program failed on the GPU: {found['what'].strip()}" + (f", {asserted['what']}" if asserted else "")
    todo = "run it with CUDA_LAUNCH_BLOCKING=1, or on the CPU: the traceback may name another place"
    denied = "the card: this is a fault of the program" if found["what"].startswith(("device-side", "an illegal")) else ""
    return _lesson(Cause.ERROR, words, f"CUDA: {found['what']}", todo, denied)


def _not_finite(text: str) -> Lesson | None:
    if not _NOT_FINITE.search(text):
        return None
    return _lesson(
        Cause.NOT_FINITE,
        "What it measures is no number any more",
        "loss is not finite",
        "a smaller learning rate; look at the plot for where it began",
    )


def hint_of(text: str) -> Clean:
    """What to try for an error that names no cause: empty where nothing is known of it."""
    if _WORKER.search(text):
        return Clean("a worker that is killed most often ran out of memory: fewer num_workers, or more resources.memory")
    if "MemoryError" in text or "can't allocate memory" in text or "Cannot allocate memory" in text:
        return Clean("it asked for memory that the machine did not give: smaller batches, or less data at once")
    if "ModuleNotFoundError" in text or "No module named" in text:
        return Clean("add the module to requirements.in, make lock, commit")
    return Clean("")


def _round(size: str) -> str:
    figure, _, unit = size.partition(" ")
    return f"{float(figure):.0f} {unit}" if figure.replace(".", "", 1).isdigit() else size


def _lesson(cause: Cause, words: str, short: str, todo: str, denied: str = "") -> Lesson:
    return Lesson(cause, clean(words, limit=400), clean(short), clean(todo), clean(denied))
