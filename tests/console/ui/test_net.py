"""The second net: hostile text that reached widgets uncleaned is harmless in what is written to the terminal."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.control import Control
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.app import App, ComposeResult
from textual.color import Color
from textual.drivers.headless_driver import HeadlessDriver
from textual.filter import LineFilter
from textual.widgets import DataTable, Static

from console.ui.net import PAYLOAD_LIMIT, SafetyNet, safe_payload

# How long an example takes says how busy the machine is, nothing else.

BLACK = Color(0, 0, 0)
HOSTILE = {
    "OSC 52": "a\x1b]52;c;cm0gLXJmIH4=\x07b",
    "OSC 0": "a\x1b]0;owned\x07b",
    "OSC 8": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "CSI": "a\x1b[2J\x1b[Hb",
    "DSR": "a\x1b[6nb",
    "DCS": "a\x1bP$qm\x1b\\b",
    "APC": "a\x1b_Gf=24;AAAA\x1b\\b",
    "8-bit CSI": "a\x9b2Jb",
    "8-bit OSC": "a\x9d0;owned\x9cb",
    "unterminated OSC": "a\x1b]0;owned",
    "reset": "a\x1bcb",
    "shift out": "a\x0eb",
    "bidi": "a\u202ecba",
    "zero width": "a\u200bb",
    "tags": "a\U000e0041b",
    "zalgo": "e" + "\u0301" * 40,
}
WHAT_A_TERMINAL_OBEYS = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]*\x07?|\x1b.?|[\x00-\x1f\x7f-\x9f]"
    r"|[\u200b-\u200f\u202a-\u202e\U000e0000-\U000e007f]|\u0301{5,}"
)


class Showcase(App[None]):
    """Shows one text in the ways in which an app shows text, and keeps what it writes to its terminal."""

    def __init__(self, text: str, filters: list[LineFilter]) -> None:
        self.written: list[str] = []
        super().__init__(driver_class=recorder(self.written))
        self.text = text
        self.filters = filters

    def get_line_filters(self) -> list[LineFilter]:
        return [*super().get_line_filters(), *self.filters]

    def compose(self) -> ComposeResult:
        yield Static(self.text, markup=False)
        framed = Static("framed", markup=False)
        framed.styles.border = ("round", "red")
        framed.border_title = Text(self.text)
        yield framed
        yield DataTable()

    def on_mount(self) -> None:
        table: DataTable[Text] = self.query_one(DataTable)
        table.add_column("name", width=30)
        table.add_row(Text(self.text))


def recorder(sink: list[str]) -> type[HeadlessDriver]:
    """The driver of a terminal that nobody sees: what an app writes to it ends in `sink`."""

    class Recorder(HeadlessDriver):
        @property
        def is_headless(self) -> bool:
            return False

        def write(self, data: str) -> None:
            sink.append(data)

    return Recorder


async def kinds_written(text: str, *filters: LineFilter) -> set[str]:
    """The kinds of control sequences and controls, numbers left out, that an app which shows `text` writes."""
    app = Showcase(text, list(filters))
    async with app.run_test(headless=False, size=(60, 12)) as pilot:
        await pilot.pause()
    output = "".join(app.written)
    assert "framed" in output
    return {re.sub(r"[0-9;]+", "", found) for found in WHAT_A_TERMINAL_OBEYS.findall(output)}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_the_net_holds_back_what_passes_without_it(text: str) -> None:
    harmless = await kinds_written("harmless")

    assert await kinds_written(text, SafetyNet()) == harmless
    assert await kinds_written(text) > harmless


def apply(*segments: Segment) -> list[Segment]:
    return SafetyNet().apply(list(segments), BLACK)


def test_safe_text_passes_untouched() -> None:
    bold = Style(bold=True)
    segments = [Segment("学習 │ ok"), Segment("e\u0301", bold), Segment("[@click=app.quit]x[/]"), Segment("📦\ue0b0")]

    assert apply(*segments) == segments


def test_an_accent_that_a_style_parted_from_its_letter_stays() -> None:
    segments = [Segment("cafe"), Segment("\u0301", Style(bold=True)), Segment("\u0302s")]

    assert apply(*segments) == segments


@given(text=st.lists(st.sampled_from([*HOSTILE.values(), "学習", "\t", "\n", "\r", "\ud800"]) | st.text()).map("".join))
def test_every_segment_keeps_its_cells(text: str) -> None:
    style = Style(bold=True)
    after = apply(Segment(text, style))

    assert sum(cell_len(segment.text) for segment in after) == cell_len(text)
    assert all(segment.style == style and segment.text for segment in after)


def test_control_segments_are_dropped() -> None:
    assert apply(Segment("a"), Control.title("owned").segment, Control.bell().segment) == [Segment("a")]


def test_a_link_is_kept_only_if_its_address_is_plain() -> None:
    good = Segment("build 48", Style(link="https://jenkins.example/job/train/48/"))
    evil = Segment("build 48", Style(bold=True, link="https://e.example\x1b\\\x1b]52;c;AAAA\x07"))

    assert apply(good) == [good]
    [after] = apply(evil)
    assert after.text == "build 48"
    assert after.style is not None
    assert after.style.link is None
    assert after.style.bold


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one\ntwo\n", "one\ntwo\n"),
        ("one\r\ntwo", "one\ntwo"),
        ("a\tb", "a b"),
        ("a\x1b]52;c;AAAA\x07b\x1b[31m\x9b2Jc\x1b]0;open", "abc"),
        ("a\x00\x08\x7f\x85\rb", "ab"),
        ("a\u202eb\u2066\u200b\U000e0041\ufeffc", "abc"),
        ("学習 e\u0301 📦 𠮷", "学習 e\u0301 📦 𠮷"),
        ("a\ud800b", "a\ufffdb"),
    ],
)
def test_payload_drops_what_is_no_text(text: str, expected: str) -> None:
    assert safe_payload(text) == expected


def test_payload_is_cut_between_characters() -> None:
    assert PAYLOAD_LIMIT == 74_994
    assert safe_payload("x" * 80_000) == "x" * 74_994
    assert safe_payload("x" + "学" * 30_000) == "x" + "学" * 24_997
    assert len(safe_payload("📦" * 30_000).encode()) == 74_992


@given(text=st.text(st.characters() | st.sampled_from("\x1b\x9b\x9d\ud800\u202e\U000e0041]\\\n\x07")))
def test_payload_can_always_be_sent_and_is_stable(text: str) -> None:
    payload = safe_payload(text)

    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]", payload)
    assert len(payload.encode()) <= PAYLOAD_LIMIT
    assert safe_payload(payload) == payload
