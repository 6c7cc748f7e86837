"""Label expressions, told for the labels of a node."""

from __future__ import annotations

import pytest

from console.model.labels import fits, is_label

HAS = ("trainer-1", "gpu", "cuda", "big disk")


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("gpu", True),
        ("trainer-1", True),
        ("arm", False),
        ("gpu&&cuda", True),
        ("gpu && arm", False),
        ("arm||gpu", True),
        ("arm || old", False),
        ("!arm", True),
        ("!!gpu", True),
        ("!gpu", False),
        ("arm&&cuda||gpu", True),
        ("arm&&(cuda||gpu)", False),
        ("gpu||arm&&arm", True),
        ("!(arm||old) && gpu", True),
        ('"big disk"&&gpu', True),
        ('"gpu"', True),
        ('"small disk"', False),
        ("big disk", True),
        (" gpu ", True),
    ],
)
def test_an_expression_that_can_be_read(expression: str, told: bool) -> None:
    assert fits(expression, HAS) is told


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "gpu&&",
        "&&gpu",
        "(gpu",
        "gpu)",
        "gpu cuda",
        "gpu->arm",
        "gpu<->arm",
        '"gpu',
        "gpu&arm",
        "!",
        "()",
        "(" * 5000,
        "!" * 5000,
    ],
)
def test_what_cannot_be_read_is_left_open(expression: str) -> None:
    assert fits(expression, HAS) is None


def test_a_label_alone() -> None:
    assert [one for one in ("gpu", '"a b"', "!gpu", "gpu&&a", "a->b", "(gpu)", "") if is_label(one)] == ["gpu", '"a b"']
