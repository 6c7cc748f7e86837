"""Which run a container says it belongs to."""

from __future__ import annotations

import pytest

from console.model.build import BuildRef
from console.model.training import build_of, run_of
from console.text import clean
from tests.console.fakes import container


@pytest.mark.parametrize(
    ("job", "number", "run", "build"),
    [
        ("train", "128", ("train", 128), ("train", 128)),
        ("my-repo/feature%2Fx", "3", ("my-repo/feature%2Fx", 3), ("my-repo/feature%2Fx", 3)),
        ("local", "3", ("local", 3), None),
        ("", "3", None, None),
        ("train", "", None, None),
        ("train", "12a", None, None),
        ("train", "-1", None, None),
        ("train", "\u0661\u0662", None, None),
        ("train", "1" * 10, None, None),
    ],
)
def test_by_its_labels(job: str, number: str, run: tuple[str, int] | None, build: tuple[str, int] | None) -> None:
    one = container("c", labels={"mlops.job": job, "mlops.build": number})
    assert run_of(one) == (BuildRef(clean(run[0]), run[1]) if run else None)
    assert build_of(one) == (BuildRef(clean(build[0]), build[1]) if build else None)


def test_without_labels_it_is_of_none() -> None:
    assert run_of(container("c")) is None
    assert build_of(container("c", labels={"mlops.job": "train"})) is None
