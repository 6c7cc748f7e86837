"""Lines that people's loops print: `Epoch 3/10 - loss: 0.2`, `epoch=3 loss=0.2`, `iter 120: loss 2.1, time 12ms`.

A line is understood as a whole or not at all: each of its words must be one that belongs to such a line. So prose,
settings and tracebacks give nothing, whatever numbers and names they hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from console.runs.japanese import in_english
from console.runs.lexer import RANK, RATE, TIME_UNIT, tokens
from console.runs.names import EPOCHS, PHASES, STEPS, Kind, is_config, kind_of, phase_of, safe, words
from console.runs.numbers import number, wrapped
from console.runs.openings import LOOSE, past_prefix
from console.runs.reading import Metric, Phase, Reading
from console.runs.said import Said

LONGEST = 2000
"""Characters; no line that people wrote to be read is longer."""

_MEANS = words("avg avg. average mean median running current cur final global smoothed overall total max peak")
_WITHIN = words(
    """
    grad gradient norm rate learning score cross entropy log top objective squared absolute box cls class reg obj dfl mask rpn
    gen generator disc discriminator policy value aux recon reconstruction contrastive balanced weighted macro micro token word
    masked lm mlm nsp ctc att per sec second
    """
)
"""Words that may stand before another in the name of a measurement."""
_CONTEXTS = words("trial fold run worker gpu device split stage phase rank node local_rank global_rank model")
_TEXT_KEYS = words(
    """
    level lvl severity event msg message logger name ts time timestamp date datetime phase stage split mode rank device run
    model project job host caller module task subset set run_id status
    """
)
_IN_PHASE = re.compile(r"(epoch|iter)\((train|val|test)\)", re.IGNORECASE)
_PLACE = re.compile(r"(?:epoch|step|iter|iteration|batch)\b")
_SPOKEN = frozenset(("event", "msg", "message", "phase", "stage", "split", "mode", "subset", "set"))


def read_sentence(time: int, text: str, *, wrapped: bool = False) -> list[Reading]:
    """The readings of one clean line, most often none or one; two where two processes wrote into one line.

    `wrapped`: the line is the rest of the one before, so that measurements may stand alone in it.
    """
    if len(text) > LONGEST:
        return []
    line = text if text.isascii() else in_english(text)
    start = past_prefix(line)
    # ` * Acc@1 97.5 Loss 0.09` is how PyTorch's examples sum up an evaluation.
    starred = line.startswith((" * ", "* "), start)
    sentence = _Sentence(
        time, indented=text[:1].isspace() and not starred, phase=Phase.VAL if starred else None, wrapped=wrapped
    )
    return sentence.read(line[start:])


def _is_title(word: str, after: str) -> bool:
    """Whether a word belongs to the one behind it, though nothing is known of it: `DM Loss`, but not `Best Loss`."""
    return word[:1].isupper() and after[:1].isupper() and kind_of(word) is Kind.OTHER and word.lower() not in LOOSE | _MEANS


class _Sentence:
    """One line on its way through."""

    def __init__(self, time: int, *, indented: bool, phase: Phase | None, wrapped: bool) -> None:
        self._time = time
        self._wrapped = wrapped
        self._indented = indented
        self._readings: list[Reading] = []
        self._words: list[str] = []
        self._pair = ""
        self._rank: int | None = None
        self._said = Said(phase=phase)

    def read(self, line: str) -> list[Reading]:
        for token in tokens(line):
            self._take(token)
            if not self._said.understood and not self._readings:
                return []
        self._flush()
        self._finish()
        return self._readings

    def _take(self, token: re.Match[str]) -> None:
        kind = token.lastgroup or "other"
        if kind != "space":
            _BY_KIND[kind](self, token)

    def _word(self, token: re.Match[str]) -> None:
        word = token[0]
        if self._pair == ":" and wrapped(word) is None:
            self._flush()
        elif self._pair:
            value = wrapped(word)
            if value is None:
                self._text_value(word)
            else:
                self._value(repr(value), None, "")
            return
        within = _IN_PHASE.fullmatch(word)  # `Epoch(train)` of mmengine
        self._words += [word] if within is None else [within[2], within[1]]

    def _equal(self, token: re.Match[str]) -> None:
        if self._words:
            self._said.understood &= not self._pair
            self._pair = token[0]
        elif token[0] != ":" and len(token[0]) < 3 and not self._said.nothing:
            self._said.understood = False

    def _sign(self, token: re.Match[str]) -> None:
        self._said.bars |= token[0] in "|¦│·•"
        self._flush()

    def _bar(self, _: re.Match[str]) -> None:
        self._said.drawn = True
        self._flush()

    def _ratio(self, _: re.Match[str]) -> None:
        """`GPU Mem: 3.2/4.1GB`: of nothing that is measured."""
        self._said.understood &= bool(self._words) and self._kind(self._core()) in (Kind.MEMORY, Kind.TIME, Kind.OTHER)
        self._words, self._pair = [], ""

    def _quoted(self, token: re.Match[str]) -> None:
        if self._pair:
            self._text_value(token[0][1:-1])
        else:
            self._said.understood = False

    def _group(self, token: re.Match[str]) -> None:
        rank = RANK.fullmatch(token[0])
        if rank is not None:
            if self._said.metrics:
                self._flush()
                self._finish()
            self._rank = int(rank[1])
            return
        rate = RATE.fullmatch(token[0])
        if rate is not None:
            self._said.rate, self._said.unit = float(rate[1]), safe(rate[2])
        inner = token[0][1:-1].strip().lower()
        average = number(inner)
        if average is not None and self._said.metrics and not self._words and (self._said.phase in (Phase.VAL, Phase.TEST)):
            # `loss: 0.07 (0.09)`: the last batch, and the mean over all so far, which is what an evaluation is for.
            self._said.metrics[-1] = replace(self._said.metrics[-1], value=average)
        elif self._words and inner in PHASES:
            self._words.insert(0, inner)
        elif token[0][0] == "[" and _PLACE.match(inner):  # `[Epoch 3/10]`
            self._flush()
            for part in tokens(inner):
                self._take(part)
            self._flush()
        elif inner.startswith("cumulative") and self._said.metrics:
            # A sum over all epochs grows by design; under its own name nobody takes it for a loss that diverges.
            last = self._said.metrics[-1]
            self._said.metrics[-1] = Metric(safe(f"{last.name}_cumulative"), last.value)

    def _where(self, token: re.Match[str]) -> None:
        head, _, tail = token[0].rpartition(":")
        if kind_of(head) is Kind.OTHER or ".py" in head:
            self._flush()
        else:
            self._words.append(head)
            self._pair = ":"
            self._value(tail, None, "")

    def _other(self, _: re.Match[str]) -> None:
        self._said.understood = False

    def _stamp(self, token: re.Match[str]) -> None:
        if self._words and self._pair:
            self._said.understood &= self._kind(self._core()) in (Kind.TIME, Kind.OTHER)
            self._words, self._pair = [], ""
        elif self._words and self._kind(self._core()) is Kind.TIME:
            self._words = []
        else:
            self._flush()

    def _number(self, token: re.Match[str]) -> None:
        self._value(token["value"], None, (token["unit"] or "").strip())

    def _grouped(self, token: re.Match[str]) -> None:
        """`step 12,345`. Of a measurement it might be a comma as some countries write one."""
        self._said.understood &= bool(self._words) and self._kind(self._core()) in (Kind.STEP, Kind.RATE)
        self._value(token[0].replace(",", ""), None, "")

    def _fraction(self, token: re.Match[str]) -> None:
        self._value(token["done"], token["all"], "")

    def _index(self, token: re.Match[str]) -> None:
        if self._words:
            self._value(token["place"], None, "")
        elif self._said.nothing:
            self._said.indexed, self._said.step = True, int(token["place"])
        else:
            self._said.understood = False

    def _both(self, token: re.Match[str]) -> None:
        if self._said.nothing and not self._words:  # `[1,  2000] loss: 2.2` of PyTorch's tutorials: epoch and batch
            self._said.epoch, self._said.step = float(token["outer"]), int(token["inner"])
        else:
            self._said.understood = False

    def _value(self, text: str, total: str | None, unit: str) -> None:
        said, pair = self._words, self._pair
        if not said:
            self._unnamed(text, total, unit)
            return
        if said[-1].lower() == "in" and not pair and TIME_UNIT.search(unit):  # `Epoch 3 finished in 12.3 s`
            self._words = said[:-1]
            self._flush()
            return
        phase, core = self._qualified(said)
        self._words, self._pair = [], ""
        if not core:
            self._said.phase = phase
            if phase is Phase.TRAIN and total is None and not unit and text.isdigit():  # `Train: 3 [10/25]` of timm
                self._anchor(Kind.EPOCH, float(text), None, phase, unit)
            else:  # `Test: [10/25]`
                self._unnamed(text, total, unit)
            return
        self._said.equals += pair.startswith("=")
        self._said.colons += pair == ":"
        name = "_".join(core).lower()
        self._named(name, self._kind(core), text, total, unit, phase, bool(pair), single=len(core) == 1)

    def _unnamed(self, text: str, total: str | None, unit: str) -> None:
        if total is not None:
            if self._said.step is None or self._said.indexed:
                self._said.indexed = False
                self._said.step, self._said.steps, self._said.bare = int(text), int(total), True
            elif self._said.metrics or int(text) != self._said.step:
                self._said.understood = False
        elif "/" in unit:
            if TIME_UNIT.match(unit):
                self._said.per_step = True
            else:
                self._said.rate, self._said.unit = float(text), safe(unit.replace(" ", ""))
        elif unit != "%" and not TIME_UNIT.search(unit):
            self._said.understood = False

    def _named(
        self, name: str, kind: Kind, text: str, total: str | None, unit: str, phase: Phase | None, paired: bool, *, single: bool
    ) -> None:
        value = float(text)
        if kind in (Kind.EPOCH, Kind.STEP):
            self._anchor(kind, value, total, phase, unit)
        elif kind is Kind.LR:
            self._said.lr = value
        elif kind is Kind.RATE:
            self._said.rate, self._said.unit = value, safe(name)
        elif kind is Kind.SETTING:
            self._said.configs += is_config(name)
            self._said.settings += 1
        elif kind is Kind.METRIC:
            self._measured(name, value, total, unit, phase)
        elif kind is Kind.OTHER:
            self._unknown(name, text, single and total is None, unit, phase, paired=paired)

    def _measured(self, name: str, value: float, total: str | None, unit: str, phase: Phase | None) -> None:
        # `Accuracy: 9912/10000` and `loss 3s` are no values of these.
        if total is None and unit in ("", "%"):
            self._add(self._said.metrics, name, value, unit, phase)
        elif total is None and not TIME_UNIT.search(unit):
            self._said.understood = False

    def _unknown(self, name: str, text: str, single: bool, unit: str, phase: Phase | None, *, paired: bool) -> None:
        """A name that tells nothing: with a sign between it and a number that is no count it may be a measurement."""
        if name in _CONTEXTS:
            self._rank = int(float(text)) if name == "rank" and text.isdigit() else self._rank
        elif not single:
            self._said.understood = False
        elif not paired:
            self._said.odd += 1
        elif unit in ("", "%") and not text.lstrip("+-").isdigit():
            self._add(self._said.others, name, float(text), unit, phase)

    def _anchor(self, kind: Kind, value: float, total: str | None, phase: Phase | None, unit: str) -> None:
        if not 0 <= value <= 1e15 or unit:
            self._said.understood = False
            return
        again = self._said.epoch if kind is Kind.EPOCH else None if self._said.bare or self._said.indexed else self._said.step
        if again is not None:
            if self._said.metrics:  # another process wrote on in the same line
                self._finish()
            elif again != value:
                self._said.understood = False
        if kind is Kind.EPOCH:
            self._said.epoch, self._said.epochs = value, int(total) if total is not None else None
        elif value != int(value):
            self._said.understood = False
        else:
            self._said.step, self._said.steps = int(value), int(total) if total is not None else None
        if phase is not None:
            self._said.phase = phase

    def _add(self, to: list[Metric], name: str, value: float, unit: str, phase: Phase | None) -> None:
        if not self._said.metrics and not self._said.others:
            self._said.inherits = phase
        phase = phase or self._said.phase or self._said.inherits
        own = phase_of(name)
        if own is None and phase is not None and (phase is not Phase.TRAIN or phase is not self._said.phase):
            name = f"{phase.value}_{name}"
        to.append(Metric(safe(name), value, unit == "%"))

    def _qualified(self, said: list[str]) -> tuple[Phase | None, list[str]]:
        """What the words say of the numbers' origin, and the name itself; the others must be words of such a line."""
        phase: Phase | None = None
        core: list[str] = []
        for place, raw in enumerate(said):
            word = raw.lower()
            last = place == len(said) - 1
            if word in PHASES:
                phase = PHASES[word]
                self._loose(core)
                core = []
            elif last or kind_of(word) is Kind.METRIC or word in _WITHIN or _is_title(raw, said[place + 1]):
                core.append(raw)
            elif word in _MEANS or word in EPOCHS or word in STEPS or kind_of(word) is Kind.TIME:
                self._loose(core)
                core = []
            else:
                self._loose([*core, raw])
                core = []
        joined = self._kind(core) in (Kind.LR, Kind.TIME, Kind.MEMORY, Kind.RATE)
        if len(core) > 1 and not joined and kind_of(core[-1]) is not Kind.METRIC:
            # `val_loss over 2 ranks`: not every word behind a name belongs to it.
            self._loose(core[:-1])
            core = core[-1:]
        return phase, core

    def _core(self) -> list[str]:
        return self._qualified(self._words)[1]

    def _kind(self, core: list[str]) -> Kind:
        return kind_of("_".join(core).lower()) if core else Kind.SETTING

    def _text_value(self, value: str) -> None:
        key = "_".join(self._words).lower()
        self._words, self._pair = [], ""
        self._said.equals += 1
        if is_config(key):
            self._said.configs += 1
        elif key not in _TEXT_KEYS:
            self._said.understood = False
        elif key in _SPOKEN:
            self._loose([word for word in re.split(r"[\s_./:,-]+", value) if word])

    def _flush(self) -> None:
        if self._words:
            self._loose(self._words)
        self._words, self._pair = [], ""

    def _loose(self, said: list[str]) -> None:
        for raw in said:
            word = raw.lower().rstrip(".")
            if word in PHASES:
                self._said.phase = PHASES[word]
            elif word not in LOOSE and word not in _MEANS and word not in EPOCHS and word not in STEPS:
                self._said.understood = False

    def _finish(self) -> None:
        """What was said so far as a reading, if it is one."""
        reading = self._said.reading(self._time, self._rank, indented=self._indented, wrapped=self._wrapped)
        if reading is not None:
            self._readings.append(reading)
        self._said = Said()


_BY_KIND: dict[str, Callable[[_Sentence, re.Match[str]], None]] = {
    "word": _Sentence._word,
    "pair": _Sentence._equal,
    "sign": _Sentence._sign,
    "bar": _Sentence._bar,
    "ratio": _Sentence._ratio,
    "quoted": _Sentence._quoted,
    "group": _Sentence._group,
    "where": _Sentence._where,
    "other": _Sentence._other,
    "stamp": _Sentence._stamp,
    "number": _Sentence._number,
    "grouped": _Sentence._grouped,
    "fraction": _Sentence._fraction,
    "index": _Sentence._index,
    "both": _Sentence._both,
}
