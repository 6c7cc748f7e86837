"""scikit-learn's digits as tensors, split the same way for every training, and what an epoch does with them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor

CLASSES = tuple("0123456789")
SIZE = 8  # pixels on each side
BRIGHTEST = 16.0

# No setting: with another one, images that a model was tested with would be learned from by the model that goes on from it.
_SPLIT_SEED = 20_011
_VALIDATION = _TEST = 360  # images, a fifth of all each


@dataclass(frozen=True)
class Split:
    """`images` has the shape (count, 1, 8, 8) and pixels from 0 to 16; `labels` holds indices into CLASSES."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> Split:
        return Split(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True)
class Data:
    train: Split
    validation: Split
    test: Split


def load() -> Data:
    """Each class has the same share of every split, as nearly as its number of images allows."""
    digits = load_digits()
    images, labels = torch.from_numpy(digits.images).float().unsqueeze(1), torch.from_numpy(digits.target).long()
    train, validation, test = rows(labels)
    return Data(*(Split(images[chosen], labels[chosen]) for chosen in (train, validation, test)))


def rows(labels: Tensor) -> tuple[list[int], list[int], list[int]]:
    """The rows of the three splits."""
    rest, test = train_test_split(range(len(labels)), test_size=_TEST, stratify=labels, random_state=_SPLIT_SEED)
    train, validation = train_test_split(rest, test_size=_VALIDATION, stratify=labels[rest], random_state=_SPLIT_SEED)
    return train, validation, test


@dataclass(frozen=True)
class Order:
    """The order of the images in one epoch, and how far each is moved.

    Both depend on seed and epoch alone, so that a training that is resumed in the middle of an epoch goes on with the same.
    """

    rows: Tensor
    moves: Tensor  # (count, 2): pixels down and to the right

    @staticmethod
    def draw(count: int, shift: int, seed: int, epoch: int) -> Order:
        # On the CPU wherever the training runs: a GPU draws other numbers from the same seed.
        draw = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
        return Order(torch.randperm(count, generator=draw), torch.randint(-shift, shift + 1, (count, 2), generator=draw))

    def batch(self, split: Split, number: int, size: int) -> Split:
        """A batch of a split; batches count from 0."""
        places = slice(number * size, (number + 1) * size)
        chosen = self.rows[places].to(split.labels.device)
        return Split(move(split.images[chosen], self.moves[places]), split.labels[chosen])


def move(images: Tensor, moves: Tensor) -> Tensor:
    """Move each image by its own number of pixels. What comes in at an edge is empty, as the edges of digits are."""
    border = int(moves.abs().max())
    padded = torch.nn.functional.pad(images, (border,) * 4)
    moves = moves.to(images.device)
    pixels = torch.arange(SIZE, device=images.device) + border
    down = (pixels - moves[:, :1])[:, :, None]
    right = (pixels - moves[:, 1:])[:, None, :]
    image = torch.arange(len(images), device=images.device)[:, None, None]
    return padded[image, 0, down, right].unsqueeze(1)
