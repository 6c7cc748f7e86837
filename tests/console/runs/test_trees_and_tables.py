"""Boosted trees, and tables whose columns are named once."""

from __future__ import annotations

import pytest

from console.runs.reading import Form
from console.runs.trees import read_trees
from tests.console.runs.lines import one, read, values


def test_rounds_of_xgboost_lightgbm_and_catboost() -> None:
    found = one("[10]\ttrain-logloss:0.21622\ttrain-auc:0.99772\tvalid-logloss:0.23622")
    assert (found.form, found.step) == (Form.TREES, 10)
    assert values(found) == {"train-logloss": 0.21622, "train-auc": 0.99772, "valid-logloss": 0.23622}
    assert values(one("[0]\ttrain-rmse:0.5+0.01\ttest-rmse:0.6+0.02")) == {"train-rmse": 0.5, "test-rmse": 0.6}
    found = one("[5]\ttraining's multi_logloss: 0.78\tvalid_1's multi_error: 0.07")
    assert values(found) == {"training's multi_logloss": 0.78, "valid_1's multi_error": 0.07}
    assert values(one("[5]\tcv_agg's valid l2: 0.3 + 0.02")) == {"cv_agg's valid l2": 0.3}
    found = one("100:\tlearn: 0.393\ttest: 0.41\tbest: 0.4 (98)\ttotal: 1.5s\tremaining: 15s")
    assert (found.step, values(found)) == (100, {"learn": 0.393, "test": 0.41})


@pytest.mark.parametrize(
    "line",
    [
        "[LightGBM] [Info] Start training from score -2.256875",
        "[LightGBM] [Info] Total Bins 829",
        "[dataset] 426 train, 143 valid rows, 30 columns",
        "[1] https://example.org: 5",
        "[12] Smith et al. 2019: 0.93",
        "[2] loss-0.5",
    ],
)
def test_other_lines_in_brackets(line: str) -> None:
    assert read(line) == []


def test_a_round_names_a_data_set_with_each_number() -> None:
    assert read_trees(0, "[2]  train-auc:0.5  valid-auc:0.5") is not None
    assert read_trees(0, "[2]  train-auc:0.5  auc:0.5") is None


def test_a_table_is_read_by_its_rule_of_dashes() -> None:
    head = [
        "  epoch    train_loss    valid_acc    cp      lr     dur",
        "-------  ------------  -----------  ----  ------  ------",
        "      1        \x1b[36m2.2498\x1b[0m       \x1b[32m0.5250\x1b[0m     +  0.1000  0.9982",
        "      2        2.0830       0.7472        0.0500  0.9820",
    ]
    found = read(
        *head, "Stopping since valid_loss has not improved in the last 3 epochs.", "      3        1.8206       0.7806"
    )
    assert [(row.form, row.epoch, row.lr, values(row)) for row in found] == [
        (Form.TABLE, 1, 0.1, {"train_loss": 2.2498, "valid_acc": 0.525}),
        (Form.TABLE, 2, 0.05, {"train_loss": 2.083, "valid_acc": 0.7472}),
    ]


def test_spacys_columns_are_epoch_step_and_scores() -> None:
    found = read(
        "E    #       LOSS TEXTCAT  CATS_SCORE  SCORE ",
        "---  ------  ------------  ----------  ------",
        "  2      50         11.54       74.60    0.75",
    )
    assert [(row.epoch, row.step, values(row)) for row in found] == [
        (2, 50, {"LOSS TEXTCAT": 11.54, "CATS_SCORE": 74.6, "SCORE": 0.75})
    ]


def test_a_rule_belongs_to_the_line_above_it() -> None:
    assert read("  epoch    loss", "hello", "-------  ------", "      1    0.53") == []
    assert len(read("hello", "  epoch    loss", "-------  ------", "      1    0.53")) == 1


@pytest.mark.parametrize("first", ["layer", "name", "gpu"])
def test_tables_of_other_things(first: str) -> None:
    assert read(f"  {first}    loss", "-------  ------", "      1    0.53") == []
