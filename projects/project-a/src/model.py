"""The network, what it is compared with, and how it is measured and kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from torch import Tensor, nn

from src.contract import TrainingError
from src.data import BRIGHTEST, CLASSES, SIZE, Split

FILE = "model.safetensors"
ABOUT = "config.json"
_AT_ONCE = 512  # images that are measured together
_NAMED = 3  # differences that fit into a sentence


# The model card shows Block and Network as they stand here: they may use nothing but `torch` and `nn`.
class Block(nn.Module):
    """Two convolutions, whose result is added to what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.inner(x))


class Network(nn.Module):
    """Takes images of the shape (count, 1, 8, 8) with pixels from 0 to 16, and gives a number for each class."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, channels: int, blocks: int, dropout: float, classes: int) -> None:
        super().__init__()
        # Among the weights, so that whoever has these normalises as they were trained.
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("std", torch.ones(()))
        self.body = nn.Sequential(
            nn.Conv2d(1, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            *(Block(channels) for _ in range(blocks)),
            nn.Conv2d(channels, 2 * channels, 2, stride=2, bias=False),
            nn.BatchNorm2d(2 * channels),
            nn.ReLU(),
            *(Block(2 * channels) for _ in range(blocks)),
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * channels, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x: torch.Tensor = self.body((images - self.mean) / self.std).mean((2, 3))
        found: torch.Tensor = self.head(self.dropout(x))
        return found


def normalise(network: Network, train: Split) -> None:
    """Let a network take the training images' mean for zero and their standard deviation for one."""
    network.mean.copy_(train.images.mean())
    network.std.copy_(train.images.std())


def save(network: Network, file: Path) -> None:
    save_file(network.state_dict(), file)


def describe(network: Network, architecture: Mapping[str, Any], file: Path) -> None:
    """Write config.json: how to make a network that the weights fit, and what it takes and gives."""
    about = {
        "architecture": dict(architecture),
        "classes": CLASSES,
        "image": {"channels": 1, "height": SIZE, "width": SIZE, "brightest": BRIGHTEST},
        # For whoever reads: the network does it itself, with the same two numbers from the weights.
        "normalisation": {"mean": float(network.mean), "std": float(network.std)},
    }
    file.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def read(file: Path) -> dict[str, Tensor]:
    """The tensors of a file. Raises TrainingError."""
    try:
        return load_file(file)
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"{file} cannot be read: {error}") from error


def load(network: Network, file: Path, name: str) -> None:
    """Fill a network from a file, which a sentence calls `name`. Raises TrainingError when they do not fit."""
    given, wanted = read(file), network.state_dict()
    found = [f"it has no {key}" for key in wanted if key not in given]
    found += [f"{key} has no place here" for key in given if key not in wanted]
    for key in wanted:
        if key in given and given[key].shape != wanted[key].shape:
            found.append(f"{key} has the shape {list(given[key].shape)} there and {list(wanted[key].shape)} here")
    if found:
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        raise TrainingError(f"{name} is no network of these channels and blocks: {'; '.join(found[:_NAMED])}{more}")
    network.load_state_dict(given)


def load_base(network: Network, folder: Path, name: str) -> None:
    """Fill a network from a model that this project has published. Raises TrainingError when it is another one."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        classes, size = tuple(about["classes"]), {key: about["architecture"][key] for key in ("channels", "blocks")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"the base model {name} has no {ABOUT} as this project writes it: {error!r}") from error
    if classes != CLASSES:
        raise TrainingError(f"the base model {name} tells {', '.join(map(str, classes))} apart, and not {', '.join(CLASSES)}")
    load(network, folder / FILE, f"the base model {name} ({', '.join(f'{key} {value}' for key, value in size.items())})")


@torch.no_grad()
def measure(network: Network, split: Split) -> dict[str, float]:
    """Cross-entropy, accuracy and macro F1 on a split, all computed in full precision."""
    network.eval()
    found = torch.cat([network(images).log_softmax(1).cpu() for images in torch.split(split.images, _AT_ONCE)])
    labels = split.labels.cpu()
    return {"loss": _loss(found, labels), **_hits(found.argmax(1), labels)}


def baselines(train: Split, test: Split) -> dict[str, dict[str, float]]:
    """The test split by what needs no training, and by a linear model of the same pixels."""
    most = torch.full_like(test.labels, int(train.labels.mode().values))
    known, asked = ((split.images.flatten(1) / BRIGHTEST).double().numpy() for split in (train, test))
    linear = LogisticRegression(max_iter=1000).fit(known, train.labels.numpy())
    found = torch.from_numpy(linear.predict_log_proba(asked))
    return {
        "majority class": _hits(most, test.labels),
        "logistic regression": {"loss": _loss(found, test.labels), **_hits(found.argmax(1), test.labels)},
    }


def _loss(found: Tensor, labels: Tensor) -> float:
    """From the logarithms of the chances that each class was given."""
    return -float(found.double().gather(1, labels[:, None]).mean())


def _hits(guesses: Tensor, labels: Tensor) -> dict[str, float]:
    return {
        "accuracy": float(accuracy_score(labels.numpy(), guesses.numpy())),
        "macro_f1": float(f1_score(labels.numpy(), guesses.numpy(), average="macro", zero_division=0)),
    }
