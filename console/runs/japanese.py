"""Japanese words of training logs in English, so that one grammar reads both."""

from __future__ import annotations

import re

_WORDS = {
    "エポック終了": " ", "終了": " end ", "完了": " done ", "エポック": " epoch ", "ステップ": " step ",
    "イテレーション": " iter ", "バッチ": " batch ", "反復": " iter ", "損失": " loss ", "誤差": " error ",
    "正解率": " accuracy ", "精度": " accuracy ",
    "適合率": " precision ", "再現率": " recall ", "F値": " f1 ", "学習率": " lr ",
    "残り時間": " eta ", "所要時間": " time ",
    "経過時間": " elapsed ", "検証": " val ", "評価": " eval ", "テスト": " test ", "訓練": " train ", "学習": " train ",
    "平均": " avg ", "困惑度": " perplexity ",
}  # fmt: skip
_WORD = re.compile("第(?P<number>[0-9]{1,9})(?:エポック|回)|" + "|".join(sorted(_WORDS, key=len, reverse=True)))
_WIDE = {**{0xFF10 + digit: 0x30 + digit for digit in range(10)}, 0xFF1A: 0x3A, 0xFF0F: 0x2F, 0xFF1D: 0x3D, 0xFF05: 0x25}
_WIDE |= {0xFF0E: 0x2E, 0xFF0C: 0x2C, 0x3001: 0x2C, 0x3000: 0x20, 0xFF08: 0x28, 0xFF09: 0x29, 0x3002: 0x20, 0xB2: 0x32}


def in_english(text: str) -> str:
    """The text with wide digits and signs made plain and the words of training in English; all else stays."""
    plain = text.translate(_WIDE)
    return _WORD.sub(lambda found: f" epoch {found['number']} " if found["number"] else _WORDS[found[0]], plain)
