"""What is known of how a run ended, each fact read once. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from console.model.build import without_key
from console.model.cells import cut
from console.model.container import Container, ContainerEvent, UsageHistory
from console.model.gpu import Xid
from console.model.metric import Figures
from console.model.run import Run
from console.model.why import Cause, Evidence, Why
from console.runs import buildends, evidence
from console.runs.buildends import Problem, Verdict
from console.runs.crashes import Crash, crash_of
from console.runs.endings import Said
from console.text import Clean, clean

SHORT = 31
"""Cells of a cause in a row."""


@dataclass(frozen=True, slots=True)
class Clues:
    """All that may be known of an end besides the run itself. `lines` end the log of its container, `build_lines` that of its
    build; `failure` is Jenkins' word for the stage that failed. `xids` are those of its cards, `oom` are the Engine's events
    of a lack of memory."""

    lines: tuple[Said, ...] = ()
    build_lines: tuple[Said, ...] = ()
    failure: Clean | None = None
    events: tuple[ContainerEvent, ...] = ()
    xids: tuple[Xid, ...] = ()
    figures: Figures | None = None
    usage: UsageHistory | None = None


class Case:
    """The facts of one end, each read once."""

    def __init__(self, run: Run, clues: Clues) -> None:
        self.run, self.clues = run, clues
        self.container: Container | None = run.container
        self.code = self.container.exit_code if self.container is not None else None
        self.result = run.build.result if run.build is not None else None
        description = str(run.build.description) if run.build is not None else ""
        self.description = without_key(description)
        self.verdict: Verdict | None = buildends.verdict_of(description, str(clues.failure or ""), clues.build_lines)
        self.problem: Problem | None = buildends.problem_of(clues.build_lines)
        self.error: Said | None = buildends.final_error(clues.build_lines)
        told = buildends.telling(clues.build_lines)
        self.crash: Crash | None = crash_of(clues.lines) if clues.lines else crash_of(told)
        self.lines: Sequence[Said] = clues.lines or told

    @property
    def out_of_memory(self) -> bool:
        """Whether the Engine says so, of the container or in its news of it."""
        one = self.container
        if one is None:
            return False
        told = one.details is not None and one.details.oom_killed
        return told or any(event.action == "oom" and event.id == one.id for event in self.clues.events)

    @property
    def on_gpu(self) -> bool:
        """Whether it is known that it was given a card, or held one."""
        told = self.container.label("mlops.gpu") if self.container is not None else None
        return bool(self.run.cards or self.run.holders) or told not in (None, "", "none")

    @property
    def limit(self) -> int | None:
        one = self.container
        return one.details.memory_limit if one is not None and one.details is not None else None

    def why(
        self,
        cause: Cause,
        words: str,
        short: str,
        *rows: Evidence | None,
        denied: str = "",
        todo: str = "",
    ) -> Why:
        """The answer with what every answer rests on: the container's own end, its cards, what is kept."""
        found = [*rows, evidence.of_cards(self.clues.xids)]
        found.append(evidence.row("not", denied) if denied else None)
        found.append(evidence.kept(self.verdict.checkpoint if self.verdict is not None else None, self.lines))
        found.append(evidence.row("try", todo) if todo else None)
        shown = tuple(dict.fromkeys(one for one in found if one is not None))
        return Why(cause, _sentence(words), clean(cut(short, SHORT, "\N{MIDLINE HORIZONTAL ELLIPSIS}")), shown)

    @property
    def docker(self) -> Evidence | None:
        return evidence.of_container(self.container, told_oom=self.out_of_memory) if self.container is not None else None

    @property
    def platform(self) -> Evidence | None:
        """What the platform said of the end, in the build's description or its log."""
        if self.verdict is not None:
            return evidence.row("jenkins", self.verdict.reason, self.verdict.at)
        if self.description:
            return evidence.row("jenkins", self.description)
        if self.error is not None:
            return evidence.row("jenkins", self.error.text, self.error.at)
        return evidence.row("jenkins", self.clues.failure) if self.clues.failure else None


def told_words(case: Case) -> list[str]:
    """Sentences on the end, the platform's own first."""
    told = [case.verdict.reason if case.verdict is not None else "", case.description]
    told += [str(case.error.text) if case.error is not None else "", str(case.clues.failure or "")]
    return [str(one) for one in told if one]


def _sentence(words: str) -> Clean:
    """With a capital and a full stop, and never two."""
    text = " ".join(words.split()).rstrip(" .;:")
    return clean(f"{text[:1].upper()}{text[1:]}.", limit=500)
