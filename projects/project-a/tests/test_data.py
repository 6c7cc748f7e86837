"""The three splits, and what an epoch does with the training images."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from sklearn.datasets import load_digits
from src import data
from src.data import CLASSES, Data, Order, Split


@pytest.fixture(scope="module")
def loaded() -> Data:
    return data.load()


def labels() -> torch.Tensor:
    return torch.from_numpy(load_digits().target).long()


def test_every_image_is_in_one_split(loaded: Data) -> None:
    train, validation, test = data.rows(labels())
    assert sorted(train + validation + test) == list(range(1797))
    assert (len(train), len(validation), len(test)) == (1077, 360, 360)
    assert [len(split) for split in (loaded.train, loaded.validation, loaded.test)] == [1077, 360, 360]


def test_no_image_is_in_two_splits(loaded: Data) -> None:
    """Nor one that looks the same."""
    seen = [
        {tuple(image.flatten().tolist()) for image in split.images} for split in (loaded.train, loaded.validation, loaded.test)
    ]
    assert len(set.union(*seen)) == sum(map(len, seen)) == 1797


def test_every_class_has_its_share_of_each_split() -> None:
    known = labels()
    all_of_them = Counter(known.tolist())
    for rows in data.rows(known):
        found = Counter(known[rows].tolist())
        for name, count in all_of_them.items():
            assert found[name] == pytest.approx(count * len(rows) / 1797, abs=1)


def test_the_splits_are_always_the_same(loaded: Data) -> None:
    torch.manual_seed(1)
    again = data.load()
    assert torch.equal(loaded.train.images, again.train.images)
    assert torch.equal(loaded.test.labels, again.test.labels)
    # Whoever changes how rows are drawn tests with what published models have learned from.
    assert data.rows(labels())[2][:8] == [1626, 432, 724, 764, 1108, 904, 831, 677]


def test_images_are_what_they_are_called(loaded: Data) -> None:
    digits = load_digits()
    train, _, _ = data.rows(labels())
    assert loaded.train.images.shape == (1077, 1, 8, 8)
    assert loaded.train.images[5, 0].tolist() == digits.images[train[5]].tolist()
    assert CLASSES[int(loaded.train.labels[5])] == str(digits.target[train[5]])
    assert (float(loaded.train.images.min()), float(loaded.train.images.max())) == (0.0, data.BRIGHTEST)


def test_an_epoch_sees_every_image_once(loaded: Data) -> None:
    order = Order.draw(1077, 1, 7, 3)
    assert sorted(order.rows.tolist()) == list(range(1077))
    batches = [order.batch(loaded.train, number, 100) for number in range(11)]
    assert [len(batch) for batch in batches] == [100] * 10 + [77]
    assert torch.equal(torch.cat([batch.labels for batch in batches]), loaded.train.labels[order.rows])


def test_an_order_depends_on_seed_and_epoch_alone() -> None:
    first = Order.draw(50, 1, 7, 3)
    torch.rand(9)
    again = Order.draw(50, 1, 7, 3)
    assert torch.equal(first.rows, again.rows)
    assert torch.equal(first.moves, again.moves)
    for other in (Order.draw(50, 1, 7, 4), Order.draw(50, 1, 8, 3)):
        assert not torch.equal(first.rows, other.rows)
        assert not torch.equal(first.moves, other.moves)


@pytest.mark.parametrize("shift", [0, 1, 2])
def test_images_move_as_far_as_they_may(shift: int) -> None:
    moves = Order.draw(500, shift, 7, 0).moves
    assert set(moves.flatten().tolist()) == set(range(-shift, shift + 1))


def test_a_moved_image_keeps_its_pixels_and_its_edge_is_empty() -> None:
    image = torch.arange(1.0, 65.0).reshape(1, 1, 8, 8)
    down_left = data.move(image, torch.tensor([[1, -1]]))[0, 0]
    assert torch.equal(down_left[1:, :-1], image[0, 0, :-1, 1:])
    assert down_left[0].tolist() == [0.0] * 8
    assert down_left[:, -1].tolist() == [0.0] * 8
    up_right = data.move(image, torch.tensor([[-2, 1]]))[0, 0]
    assert torch.equal(up_right[:-2, 1:], image[0, 0, 2:, :-1])
    assert up_right[-2:].tolist() == [[0.0] * 8] * 2


def test_each_image_of_a_batch_moves_by_itself(loaded: Data) -> None:
    few = loaded.train.images[:3]
    moved = data.move(few, torch.tensor([[0, 0], [1, 0], [0, -1]]))
    assert torch.equal(moved[0], few[0])
    assert torch.equal(moved[1, 0, 1:], few[1, 0, :-1])
    assert torch.equal(moved[2, 0, :, :-1], few[2, 0, :, 1:])


def test_nothing_moves_without_a_shift(loaded: Data) -> None:
    batch = Order.draw(1077, 0, 7, 0).batch(loaded.train, 0, 20)
    assert torch.equal(batch.images, loaded.train.images[Order.draw(1077, 0, 7, 0).rows[:20]])


def test_a_split_goes_to_a_device_whole() -> None:
    split = Split(torch.zeros(2, 1, 8, 8), torch.tensor([1, 2])).to(torch.device("meta"))
    assert split.images.device == split.labels.device == torch.device("meta")
