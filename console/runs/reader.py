"""Progress and measurements out of a training's log: one pass over the stream, in bounded memory.

Precision comes first: a line that is not wholly understood gives nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

from console.logs.join import LINE_LIMIT
from console.logs.lines import MORE, NOTICE, SOURCE, STDERR, Line
from console.model.log import Entry
from console.runs.bars import Bar, is_bar, read_bar
from console.runs.lexer import TEED
from console.runs.names import phase_of, safe
from console.runs.openings import announced
from console.runs.reading import Form, Metric, Phase, Reading
from console.runs.records import read_dict, read_json
from console.runs.segments import Segment, Segments
from console.runs.sentence import read_sentence
from console.runs.table import Table
from console.runs.trees import read_trees
from console.text import clean

LINES = 50_000
"""The newest lines of a log with which a reading of it begins."""

MOST_A_SECOND = 2000
"""Lines of one second that are all looked at; of those beyond, one in ONE_IN."""
ONE_IN = 16

_SECOND = 1_000_000_000
_LONGEST = 8 * 1024
"""Bytes of a line that is no JSON and may say something: colours take more room than words."""
_FAMILIES = 64
_STREAM = STDERR | SOURCE
_RICH = "\u2501\u2501"

# Each line that says something holds one of these.
_SUSPECT = (
    r"(?im)epoch|\bep\b|step|iter|batch|update|round|loss|acc|val|eval|test|err|auc|f1|r2|score|mse|mae|ppl|perplex|iou|dice"
    r"|bleu|rouge|precision|recall|wer|cer|map|psnr|ssim|fid|nll|bce|learn: |reward|return|ndcg|\d%\||^\s*\{|^\s*\[\d+[],]"
    r"|\]: ?\{|\d[/ ]\s*\d+ .?(?:━|\[[=>.])|--  ?--|\[\d+:\d\d|エポック|ステップ|損失|精度|正解率"
)
_suspect: Any = None


def suspect() -> Any:
    """A pattern of RE2 that is found in each line that may say something of progress."""
    global _suspect  # noqa: PLW0603 - compiled once, when the first log is read
    if _suspect is None:
        import re2  # type: ignore[import-untyped]  # it comes without types

        _suspect = re2.compile(_SUSPECT.encode())
    return _suspect


class Reader:
    """For one run. Feed it the entries of its log, or the lines of a tail; not both."""

    def __init__(self) -> None:
        self._streams: dict[int, _Stream] = {}
        self.lines = 0
        """Lines and repaints so far."""
        self.skipped = 0
        """How many of them were not looked at, because they came too fast."""

    def entries(self, entries: Iterable[Entry], now: int | None = None) -> list[Reading]:
        """What the next entries say. `now` (nanoseconds since 1970) is when they arrived: the parts of a long line all bear
        the time of its first one, so for the others only this tells when they were written.
        """
        entries = list(entries)
        found: list[Reading] = []
        if entries and len({stderr for _, stderr, _ in entries}) == 1:
            texts = [text[:-1] for _, _, text in entries if text[-1:] == b"\n"]
            stream = self._stream(STDERR if entries[0][1] else 0)
            if len(texts) == len(entries) and self._skim(stream, [time for time, _, _ in entries], texts, found):
                return found
        for time, stderr, text in entries:
            stream = self._stream(STDERR if stderr else 0)
            if now is not None and stream.segments.begun:
                time = max(time, now)  # noqa: PLW2901 - the time that is used is another one
            self._read(stream, stream.segments.feed(time, text), found)
        return found

    def read(self, lines: Sequence[Line]) -> list[Reading]:
        """What the next lines of a tail say; their text is as it was written."""
        found: list[Reading] = []
        if lines and not (flags := lines[0][1]) & ~_STREAM and all(line[1] == flags for line in lines):
            times, _, texts = zip(*lines, strict=True)
            if self._skim(self._stream(flags), times, texts, found):
                return found
        for time, flags, text in lines:
            if flags & NOTICE:
                continue
            stream = self._stream(flags & _STREAM)
            self._read(stream, stream.segments.feed(time, text if flags & MORE else text + b"\n"), found)
        return found

    def _skim(self, stream: _Stream, times: Sequence[int], texts: Sequence[bytes], found: list[Reading]) -> bool:
        """Whole lines of one stream. Most logs say little of progress: one search finds those that may, and the others are
        not touched. False where each line has to be looked at by itself; then nothing was done."""
        blob = b"\n".join(texts) if len(texts) > 1 else texts[0]
        if b"\r" in blob or b"\x08" in blob or max(map(len, texts)) > _LONGEST or blob.count(b"\n") >= len(texts):
            return False
        if stream.in_table or stream.segments.begun or not stream.may_look_at(min(times), max(times), len(texts)):
            return False
        if len(texts) == 1:
            self._read(stream, ((times[0], blob),) if blob else (), found)
            return True
        search = suspect().search
        starts = list(accumulate(map(_with_end, texts), initial=0))
        place, count = 0, len(texts)
        while place < count:
            hit = search(blob, starts[place])
            upto = count if hit is None else bisect_right(starts, hit.start(), place) - 1
            if passed := sum(map(bool, texts[place:upto])):
                self.lines += passed
                stream.count(times[place], passed)
                stream.pass_over()
            if upto < count and texts[upto]:
                self._read(stream, ((times[upto], texts[upto]),), found)
            place = upto + 1
            if stream.in_table:
                rest = zip(times[place:], texts[place:], strict=True)
                self._read(stream, [(time, text) for time, text in rest if text], found)
                break
        return True

    def end(self, time: int) -> list[Reading]:
        """What the lines without an end say, when nothing can follow any more."""
        found: list[Reading] = []
        for stream in self._streams.values():
            self._read(stream, stream.segments.end(time), found)
        return found

    @property
    def words(self) -> str | None:
        """A sentence when lines were left out; None while all were looked at."""
        if not self.skipped:
            return None
        return (
            f"Metrics are sampled: {self.skipped:,} of {self.lines:,} lines came above {MOST_A_SECOND:,} a second "
            f"and were not looked at."
        )

    def _stream(self, key: int) -> _Stream:
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = _Stream(stderr=bool(key & STDERR))
        return stream

    def _read(self, stream: _Stream, segments: Sequence[Segment], found: list[Reading]) -> None:
        search = suspect().search
        self.lines += len(segments)
        for time, raw in segments:
            if not stream.may_look(time) and not raw.startswith(b'{"event"'):
                self.skipped += 1
            elif (len(raw) <= _LONGEST or (raw[:1] == b"{" and len(raw) <= LINE_LIMIT)) and (stream.in_table or search(raw)):
                found += stream.read(time, raw)
            else:
                stream.pass_over()


def _with_end(text: bytes) -> int:
    return len(text) + 1


class _Stream:
    """What must be remembered of one stream of a log."""

    def __init__(self, *, stderr: bool) -> None:
        self.segments = Segments()
        self._stderr = stderr
        self._table = Table()
        self._second = -1
        self._count = 0
        self._bars: dict[str, _Painted] = {}
        self._largest = 0
        self._keras = _Keras()
        self._wide: Reading | None = None
        self._processes: dict[int, _Stream] = {}

    @property
    def in_table(self) -> bool:
        return self._table.open or any(one.in_table for one in self._processes.values())

    def may_look(self, time: int) -> bool:
        self.count(time, 1)
        return self._count <= MOST_A_SECOND or self._count % ONE_IN == 0

    def may_look_at(self, first: int, last: int, count: int) -> bool:
        """Whether as many lines between these times are all looked at; they still have to be counted."""
        second = first // _SECOND
        if last // _SECOND != second:
            return False
        return (self._count if second == self._second else 0) + count <= MOST_A_SECOND

    def count(self, time: int, count: int) -> None:
        """So many lines of a second were passed over."""
        second = time // _SECOND
        if second != self._second:
            self._second, self._count = second, 0
        self._count += count

    def pass_over(self) -> None:
        """A line that says nothing: a table, or a bar over several lines, has ended with it."""
        self._table.see("")
        self._wide = None
        for one in self._processes.values():
            one.pass_over()

    def read(self, time: int, raw: bytes) -> list[Reading]:
        found = self._of_text(time, clean(raw, limit=2 * LINE_LIMIT))
        return [replace(one, stderr=True) for one in found] if self._stderr else found

    def _of_text(self, time: int, text: str) -> list[Reading]:
        if text[:1] == "[" and (teed := TEED.match(text)) is not None:
            rank, rest = int(teed[1]), text[teed.end() :]
            return [replace(one, rank=rank) if one.rank is None else one for one in self._of_process(rank)._of_rest(time, rest)]
        return self._of_rest(time, text)

    def _of_rest(self, time: int, text: str) -> list[Reading]:
        one: Reading | None = None
        if self._table.open:
            one = self._table.row(time, text)
        if one is None:
            self._table.see(text)
            if text[-1:] == "}" or text[:1] == "{":
                # Python's dicts have their names in single quotes.
                one = read_json(time, text) if text[:1] == "{" and text[:2] != "{'" else read_dict(time, text)
            elif is_bar(text):
                bar = read_bar(time, text)
                one = self._of_bar(bar) if bar is not None else None
            elif text[:1] == "[" or "learn: " in text:
                one = read_trees(time, text)
        if one is not None:
            self._wide = None
            return [one]
        if is_bar(text) or text[:1] == "{":
            return []
        return self._keras.seen(self._of_sentence(time, text))

    def _of_process(self, rank: int) -> _Stream:
        """What is remembered of one of several processes that write into this stream, each line begun with its number."""
        found = self._processes.get(rank)
        if found is None:
            if len(self._processes) >= _FAMILIES:
                self._processes.pop(max(self._processes))
            found = self._processes[rank] = _Stream(stderr=self._stderr)
        return found

    def _of_sentence(self, time: int, text: str) -> list[Reading]:
        """A sentence. Bars of rich are wrapped where a log has 80 columns: their last measurements come one below the other."""
        before, self._wide = self._wide, None
        if before is not None and text[:1] == " ":
            rest = read_sentence(time, text, wrapped=True)
            if len(rest) == 1 and rest[0].epoch is None and rest[0].step is None and rest[0].metrics:
                self._wide = before
                return [replace(rest[0], phase=before.phase, epoch=before.epoch, epochs=before.epochs, step=before.step)]
        found = read_sentence(time, text)
        if not found and (epochs := announced(text)) is not None:
            return [Reading(time, Form.SENTENCE, epochs=epochs)]
        if len(found) == 1 and found[0].metrics and _RICH in text:
            self._wide = found[0]
        return found

    def _of_bar(self, bar: Bar) -> Reading | None:
        reading = bar.reading
        if bar.plain and not bar.epochs and not reading.metrics and reading.steps is not None:
            # Trainer's bars have no names: the short ones are those of evaluations.
            if reading.steps < self._largest:
                return None
            self._largest = reading.steps
        painted = self._bars.get(bar.family)
        if painted is None:
            if len(self._bars) >= _FAMILIES:
                self._bars.pop(next(iter(self._bars)))
            painted = self._bars[bar.family] = _Painted()
        return painted.changed(reading, bar.texts)


class _Painted:
    """The last repaint of a bar. What it shows it shows again and again; only what changes was measured anew."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._place: object = None

    def changed(self, reading: Reading, texts: Sequence[str]) -> Reading | None:
        new = tuple(metric for metric, text in zip(reading.metrics, texts, strict=True) if self._texts.get(metric.name) != text)
        if len(self._texts) > _FAMILIES:
            self._texts.clear()
        self._texts.update(zip([metric.name for metric in reading.metrics], texts, strict=True))
        place = (reading.epoch, reading.step)
        if not new and place == self._place:
            return None
        self._place = place
        return replace(reading, metrics=new)


class _Keras:
    """Keras names the epoch in a line of its own, and says the same twice when a validation follows."""

    def __init__(self) -> None:
        self._epoch: tuple[float, int | None] | None = None
        self._steps: int | None = None
        self._ended = False
        self._after = False
        self._last: dict[str, float] = {}

    def seen(self, readings: list[Reading]) -> list[Reading]:
        for place, reading in enumerate(readings):
            if reading.form is Form.KERAS:
                readings[place] = self._of_keras(reading)
            elif reading.epoch is not None and not reading.metrics and reading.step is None:
                self._epoch = (reading.epoch, reading.epochs)
                self._ended, self._after, self._last = False, False, {}
        return readings

    def _of_keras(self, reading: Reading) -> Reading:
        if self._epoch is None:
            return reading
        if self._ended and (reading.step != reading.steps or reading.steps != self._steps):
            # Another bar without an epoch of its own: `model.evaluate` after the training.
            self._after = True
        if self._after:
            return replace(reading, phase=Phase.TEST, metrics=tuple(_tested(metric) for metric in reading.metrics))
        self._steps = reading.steps
        self._ended = reading.step == reading.steps
        known = self._last
        new = tuple(metric for metric in reading.metrics if known.get(metric.name) != metric.value)
        self._last = {metric.name: metric.value for metric in reading.metrics} if self._ended else {}
        return replace(reading, epoch=self._epoch[0], epochs=self._epoch[1], metrics=new)


def _tested(metric: Metric) -> Metric:
    return metric if phase_of(metric.name) is not None else replace(metric, name=safe(f"test_{metric.name}"))
