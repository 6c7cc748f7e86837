"""What learns: a network with its optimiser, on a device. All of it fits into a checkpoint, and none of it as pickle."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import cross_entropy

from src import model
from src.contract import TrainingError
from src.data import Split
from src.model import Network

_OPTIMISER = "optimiser.safetensors"
_RANDOM = "random.safetensors"
_NUMBERS = "learner.json"
_PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Settings:
    """The section `train` of config.yaml; config.schema.json says what the values may be."""

    epochs: int
    batch_size: int
    learning_rate: float
    channels: int
    blocks: int
    seed: int
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    dropout: float = 0.0
    shift: int = 0
    patience: int = 0
    log_every: int = 10
    device: str = "auto"
    precision: str = "auto"


def prepare(asked: str) -> torch.device:
    """The device to train on, with torch set up to give the same numbers again. Raises TrainingError."""
    if asked not in {"auto", "cpu", "cuda"}:
        raise TrainingError(f"config.yaml: train.device is {asked!r}; expected auto, cpu or cuda")
    # cuBLAS reads it once, with the first thing that it computes.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    there = asked != "cpu" and torch.cuda.is_available()
    if asked == "cuda" and not there:
        raise TrainingError(
            "config.yaml: train.device is cuda, and torch finds no GPU: resources.gpus must be 1, and torch a build with CUDA"
        )
    device = torch.device("cuda" if there else "cpu")
    # A GPU may have no such way to compute something; a training that differs in the last bit is better than none.
    torch.use_deterministic_algorithms(True, warn_only=there)
    # Another number of threads adds up in another order, and the last bit tells.
    threads = os.environ.get("OMP_NUM_THREADS", "")
    if threads.isdecimal() and int(threads):
        torch.set_num_threads(int(threads))
    return device


def precision(asked: str, device: torch.device) -> torch.dtype:
    """What the network computes in. Raises TrainingError."""
    if asked not in {"auto", *_PRECISIONS}:
        raise TrainingError(f"config.yaml: train.precision is {asked!r}; expected one of auto, {', '.join(_PRECISIONS)}")
    if device.type == "cpu":
        return torch.float32
    has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    if asked == "bf16" and not has_bf16:
        raise TrainingError(f"config.yaml: train.precision is bf16, which {torch.cuda.get_device_name()} has not: set fp16")
    if asked == "auto":
        return torch.bfloat16 if has_bf16 else torch.float16
    return _PRECISIONS[asked]


class Learner:
    def __init__(self, settings: Settings, network: Network, device: torch.device, steps: int) -> None:
        """`steps` are those of one epoch."""
        self.network = network.to(device)
        self.lr = 0.0  # of the newest step
        self._smoothing = settings.label_smoothing
        self._device = device
        self._peak = settings.learning_rate
        self._warm, self._all = steps, steps * settings.epochs
        self._precision = precision(settings.precision, device)
        self._optimiser = torch.optim.AdamW(network.parameters(), lr=self._peak, weight_decay=settings.weight_decay)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimiser, self._share)
        # Small gradients are nothing in fp16 unless they are made larger first; the other two have room for them.
        self._scaler = torch.amp.GradScaler(device.type, enabled=self._precision is torch.float16)

    @property
    def precision(self) -> str:
        return next(name for name, dtype in _PRECISIONS.items() if dtype is self._precision)

    def step(self, batch: Split) -> float:
        """Learn from a batch and return its loss. Of a loss that is no finite number nothing is learned."""
        self.network.train()
        with torch.autocast(self._device.type, dtype=self._precision, enabled=self._precision is not torch.float32):
            loss = cross_entropy(self.network(batch.images), batch.labels, label_smoothing=self._smoothing)
        value = float(loss.detach())
        if math.isfinite(value):
            self._optimiser.zero_grad()
            self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            self._scaler.step(self._optimiser)
            self.lr = self._optimiser.param_groups[0]["lr"]
            before = self._scaler.get_scale()
            self._scaler.update()
            # It leaves a step out when the gradients grew too large, and makes them smaller from then on.
            if self._scaler.get_scale() >= before:
                self._schedule.step()
        return value

    def save(self, folder: Path) -> None:
        model.save(self.network, folder / model.FILE)
        tensors: dict[str, Tensor] = {}
        numbers: dict[str, object] = {}
        for index, entries in self._optimiser.state_dict()["state"].items():
            for name, value in entries.items():
                kept: dict[str, Tensor] | dict[str, object] = tensors if isinstance(value, Tensor) else numbers
                kept[f"{index}.{name}"] = value
        save_file(tensors, folder / _OPTIMISER)
        random = {"cpu": torch.get_rng_state()}
        if self._device.type == "cuda":
            random["cuda"] = torch.cuda.get_rng_state(self._device)
        save_file(random, folder / _RANDOM)
        rest = {"optimiser": numbers, "schedule": self._schedule.state_dict(), "scaler": self._scaler.state_dict()}
        (folder / _NUMBERS).write_text(json.dumps(rest), encoding="utf-8")

    def load(self, folder: Path) -> None:
        """Go on from what `save` has written, on this device or another one. Raises TrainingError."""
        model.load(self.network, folder / model.FILE, f"the checkpoint {folder.name}")
        tensors, random = model.read(folder / _OPTIMISER), model.read(folder / _RANDOM)
        try:
            rest = json.loads((folder / _NUMBERS).read_text(encoding="utf-8"))
            state: dict[int, dict[str, object]] = {}
            for key, value in {**tensors, **rest["optimiser"]}.items():
                index, _, name = key.partition(".")
                state.setdefault(int(index), {})[name] = value
            # What has been learned is said by the checkpoint, how it goes on by today's settings.
            groups = self._optimiser.state_dict()["param_groups"]
            self._optimiser.load_state_dict({"state": state, "param_groups": groups})
            self._schedule.load_state_dict({**rest["schedule"], "base_lrs": [self._peak]})
            self._optimiser.param_groups[0]["lr"] = self._peak * self._share(self._schedule.last_epoch)
            if rest["scaler"] and self._scaler.is_enabled():
                self._scaler.load_state_dict(rest["scaler"])
            torch.set_rng_state(random["cpu"])
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise TrainingError(f"the checkpoint {folder.name} cannot be read: {error!r}") from error
        if "cuda" in random and self._device.type == "cuda":
            torch.cuda.set_rng_state(random["cuda"], self._device)

    def _share(self, step: int) -> float:
        """Of the highest learning rate, by the steps that are done: up for an epoch, then down along a cosine."""
        if step < self._warm:
            return (step + 1) / self._warm
        gone = (step - self._warm) / max(1, self._all - self._warm)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, gone)))
