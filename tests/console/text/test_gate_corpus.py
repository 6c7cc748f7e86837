"""Known attacks and known good text, each with what the gate makes of it. The cases are data: corpus.json."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from console.text import Clean, clean


@dataclass(frozen=True, slots=True)
class Case:
    """One object of the corpus: `text`, or `bytes` in hexadecimal, goes in with the options, `clean` comes out."""

    name: str
    clean: str
    text: str = ""
    bytes: str = ""
    lines: bool = False
    limit: int = 4096

    @property
    def raw(self) -> object:
        return bytearray.fromhex(self.bytes) if self.bytes else self.text


CORPUS = [Case(**item) for item in json.loads((Path(__file__).parent / "corpus.json").read_text(encoding="ascii"))]


@pytest.mark.parametrize("case", CORPUS, ids=[case.name for case in CORPUS])
def test_case(case: Case) -> None:
    result = clean(case.raw, lines=case.lines, limit=case.limit)

    assert result == case.clean
    assert type(result) is Clean
    assert clean(str(result), lines=case.lines, limit=case.limit) == result


def test_no_two_cases_share_a_name() -> None:
    assert len({case.name for case in CORPUS}) == len(CORPUS)


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview])
def test_every_form_of_bytes_is_read_as_utf_8(form: type[bytes] | type[bytearray] | type[memoryview]) -> None:
    assert clean(form("学習 \x1b[1mok\x1b[0m".encode() + b"\xff")) == "学習 ok\ufffd"
