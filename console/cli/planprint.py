"""Plans, results and news for people."""

from __future__ import annotations

from collections.abc import Iterator

from console.actions.plan import WORST_FIRST, Entry, Fate, News, Outcome, Plan, Result, Weight
from console.cli.output import Printer


def show_plan(printer: Printer, plan: Plan) -> None:
    """All that a person has to know before agreeing, in the order of the screen's sheet."""
    if plan.moved is not None:
        printer.line(f"{plan.moved} This is the new plan.")
    printer.line(plan.title)
    printer.labelled([*_rows(plan)])
    printer.labelled([(one.name, _value(one)) for one in plan.entries], indent=4)
    printer.labelled([("same as", one) for one in plan.same_as])
    if plan.weight is Weight.WORD and plan.why_not is None:
        printer.labelled([("word", plan.word)])


def _rows(plan: Plan) -> Iterator[tuple[str, str]]:
    if plan.refused is not None:
        yield "refused", plan.refused
    several = len(plan.targets) > 1
    for one in plan.targets:
        if one.refused is not None:
            named = str(one.refused).startswith(str(one.name))
            yield "left out", str(one.refused) if named else f"{one.name}: {one.refused}"
        elif several and not plan.shrinks:
            # Hundreds of objects are told in groups, by what the plan says; each of them is in its JSON.
            yield "to", one.name
    for say in plan.says:
        yield say.label, say.text


def _value(one: Entry) -> str:
    told = " ".join(part for part in (f"({one.note})" if one.note else "", f"! {one.problem}" if one.problem else "") if part)
    return f"{one.value or '(empty)'}{'  ' if told else ''}{told}"


def sorted_results(outcome: Outcome) -> list[Result]:
    """Failures first; what the plan left out from the beginning is among them."""
    left = [
        Result(one, Fate.LEFT, one.refused)
        for one in outcome.plan.targets
        if one.refused is not None and all(one != known.target for known in outcome.results)
    ]
    return sorted([*outcome.results, *left], key=lambda one: WORST_FIRST.index(one.fate))


def show_outcome(printer: Printer, outcome: Outcome) -> None:
    for one in sorted_results(outcome):
        printer.state_line(one.fate.kind, f"{one.target.name}  {one.words}")


def show_news(printer: Printer, news: News) -> None:
    printer.state_line(news.kind, f"{news.target.name}  {news.words}")
