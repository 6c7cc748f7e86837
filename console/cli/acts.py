"""How every act is done from the command line: plan, consent, doing, waiting; each ends as an exit status.

stdout has what became of it (or, with --dry-run, the plan); plans that are asked about, questions and complaints go to stderr.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

from console.actions.doer import Doer, RefusedError
from console.actions.plan import Act, Fate, News, Outcome, Plan, Result
from console.cli import INTERRUPTED, act_forms, consent, planprint
from console.cli.asking import document
from console.cli.consent import Consent
from console.cli.group import Context
from console.cli.looking import UNREACHABLE
from console.cli.meter import Meter
from console.cli.options import UsageError
from console.cli.output import drop_output, print_json, write_aside
from console.cli.waiting import After, Watched, still_read, watch, worst
from console.feeds.jenkins_once import failed
from console.model.jenkins import JenkinsError, Trouble
from console.model.source import NotThereError, SourceError, SourceState, SourceStatus
from console.sources.protocols import ActingJenkins
from console.sources.reach import Reach
from console.text import Clean

NOT_DONE = 1
_NOTHING = "nothing was done."
Make = Callable[[ActingJenkins], Awaitable[Act]]
MakeHere = Callable[[Reach], Awaitable[Act]]


def act_here(context: Context, make: MakeHere, wish: Consent) -> int:
    """The same with what is done to containers, services and the disk. News of it are told, as they do not take long."""
    with asyncio.Runner() as runner:
        try:
            reach = runner.run(_reached(context))
            try:
                call = _Call(context, None, runner, wish, After(), system="docker")
                return call.run(lambda: _made(make(reach)))
            finally:
                runner.run(reach.aclose())
        except SourceError as error:
            if isinstance(error, NotThereError):
                raise UsageError(error.reason) from None
            return _unreachable(context, wish, _status(error), "docker")
        except KeyboardInterrupt:
            drop_output()
            return INTERRUPTED


async def _reached(context: Context) -> Reach:
    return context.backend.reach()


async def _made(making: Awaitable[Act]) -> Plan:
    return await (await making).plan()


def act(context: Context, make: Make, wish: Consent, after: After | None = None) -> int:
    """Do what `make` makes, if it is agreed to, and give the exit status. Raises UsageError."""
    source = context.backend.jenkins()
    if isinstance(source, SourceStatus):
        return _unreachable(context, wish, source)
    with asyncio.Runner() as runner:
        try:
            return _Call(context, source, runner, wish, after or After()).run(lambda: _made(make(source)))
        except SourceError as error:
            if isinstance(error, NotThereError) or _is_wrong_use(error):
                raise UsageError(error.reason) from None
            return _unreachable(context, wish, _status(error))
        except KeyboardInterrupt:
            # What was not written yet must not wait at the end for a terminal that takes no more.
            drop_output()
            return INTERRUPTED
        finally:
            runner.run(source.aclose())


def _is_wrong_use(error: SourceError) -> bool:
    return isinstance(error, JenkinsError) and error.trouble in (Trouble.NOT_FOUND, Trouble.BAD_PARAMETER)


def _status(error: SourceError) -> SourceStatus:
    now = datetime.now(UTC)
    return failed(error, now) if isinstance(error, JenkinsError) else SourceStatus(error.state, error.reason, now)


def _unreachable(context: Context, wish: Consent, status: SourceStatus, system: str = "jenkins") -> int:
    context.complain(str(status.reason))
    if context.json:
        kind, rest = ("plan", act_forms.NO_PLAN) if wish.dry_run else ("outcome", act_forms.NO_OUTCOME)
        print_json(document(context, kind, [], status, system=system, **rest))
    return UNREACHABLE


class _Call:
    """One call of one act. What a system is asked runs on `runner`; in between a person may think as long as he likes.

    Without `source` nothing is followed at Jenkins, and what the act has to say afterwards is told at once.
    """

    def __init__(
        self,
        context: Context,
        source: ActingJenkins | None,
        runner: asyncio.Runner,
        wish: Consent,
        after: After,
        *,
        system: str = "jenkins",
    ) -> None:
        self._context = context
        self._source = source
        self._runner = runner
        self._wish = wish
        self._after = after
        self._system = system
        self._recorder = context.backend.recorder()

    def run(self, planned: Callable[[], Coroutine[Any, Any, Plan]]) -> int:
        plan = self._runner.run(planned())
        problem = next((one.problem for one in plan.entries if one.problem is not None), None)
        if problem is not None:
            raise UsageError(problem)
        if self._wish.dry_run:
            self._print_plan(plan)
            return _not_possible(plan) if plan.why_not is not None else 0
        doer = Doer(self._recorder, read_only=self._context.backend.loaded.read_only)
        wish = self._wish
        while True:
            if plan.why_not is not None:
                return self._refused(plan)
            if not self._is_agreed(plan, wish):
                self._context.complain(_NOTHING)
                return self._left(plan, Clean("not agreed to"))
            try:
                became = self._carry_out(doer, plan)
            except RefusedError as error:
                self._context.complain(error.reason)
                return self._left(plan, error.reason)
            if isinstance(became, Outcome):
                return self._finish(became)
            if not consent.terminal():
                return self._refused(became)
            # Who agreed has agreed to another plan, and sits there to be asked.
            plan, wish = became, Consent()

    def _is_agreed(self, plan: Plan, wish: Consent) -> bool:
        if consent.given(plan, wish):
            return True
        planprint.show_plan(self._context.aside(), plan)
        if not consent.terminal():
            raise UsageError(consent.wanted(plan))
        try:
            return consent.asked(plan)
        except KeyboardInterrupt:
            self._interrupted(_NOTHING)
            raise

    def _carry_out(self, doer: Doer, plan: Plan) -> Outcome | Plan:
        teller = _Teller(self._context)
        try:
            return self._runner.run(doer.carry_out(plan, teller))
        except KeyboardInterrupt:
            self._interrupted("broken off: what was under way may have been done, the rest was not begun.")
            raise
        finally:
            teller.clear()

    def _interrupted(self, words: str) -> None:
        if sys.stderr is not None and sys.stderr.isatty():
            write_aside("\n")  # the terminal has put ^C where it was
        self._context.complain(words)

    # How it ends

    def _print_plan(self, plan: Plan) -> None:
        if self._context.json:
            rest = act_forms.plan(plan)
            print_json(document(self._context, "plan", act_forms.targets(plan), system=self._system, **rest))
        else:
            planprint.show_plan(self._context.printer(), plan)

    def _refused(self, plan: Plan) -> int:
        """A plan that cannot be done, or that took the place of the one that was agreed to."""
        if plan.moved is not None:
            planprint.show_plan(self._context.aside(), plan)
            self._context.complain(_NOTHING)
        elif plan.refused is None and not plan.doable:
            for one in plan.targets:
                why = one.refused or ""
                self._context.complain(why if one.name in why else f"{one.name}: {why}")
        else:
            self._context.complain(str(plan.why_not))
        if self._context.json:
            self._print_plan(plan)
        return _not_possible(plan)

    def _left(self, plan: Plan, why: Clean) -> int:
        """Nothing was done, for a reason that has been told."""
        if self._context.json:
            self._print_outcome(Outcome(plan, tuple(Result(one, Fate.LEFT, why) for one in plan.doable)), None)
        return NOT_DONE

    def _finish(self, outcome: Outcome) -> int:
        if outcome.unrecorded is not None:
            self._context.complain(f"done, but not recorded: {outcome.unrecorded}")
        elif self._recorder.warning is not None:
            self._context.complain(self._recorder.warning)
        if not self._context.json:
            with still_read():
                planprint.show_outcome(self._context.aside() if self._after.follow else self._context.printer(), outcome)
        done = _became(outcome)
        if self._source is None:
            return self._told(outcome, done)
        if not (self._after.wait or self._after.follow) or not outcome.done:
            if self._context.json:
                self._print_outcome(outcome, None)
            return done
        watched = Watched(outcome)
        status = self._watched(watched)
        if self._context.json:
            self._print_outcome(outcome, watched.news)
        return status if status not in (0, 1, UNREACHABLE) else worst([done, status])

    def _told(self, outcome: Outcome, status: int) -> int:
        """What the act says of itself once it is done."""
        news = self._runner.run(_heard(outcome)) if outcome.done else None
        if self._context.json:
            self._print_outcome(outcome, news)
        else:
            with still_read():
                for one in news or ():
                    planprint.show_news(self._context.printer(), one)
        return status

    def _watched(self, watched: Watched) -> int:
        assert self._source is not None  # noqa: S101 - nothing is waited for without one
        try:
            self._runner.run(watch(self._context, self._source, watched, self._after))
        except KeyboardInterrupt:
            self._interrupted(f"no longer waited for: {' and '.join(watched.open) or 'it'} goes on at Jenkins.")
            if self._context.json:
                self._print_outcome(watched.outcome, watched.news)
            raise
        except SourceError as error:
            self._context.complain(error.reason)
            return UNREACHABLE
        return watched.status

    def _print_outcome(self, outcome: Outcome, news: list[News] | None) -> None:
        with still_read():
            rest = act_forms.outcome(outcome, news)
            print_json(document(self._context, "outcome", act_forms.results(outcome), system=self._system, **rest))


async def _heard(outcome: Outcome) -> list[News] | None:
    news = outcome.plan.act.aftermath(outcome)
    return [one async for one in news] if news is not None else None


def _not_possible(plan: Plan) -> int:
    """3 where a permission is missing."""
    return UNREACHABLE if any(one.denied is not None for one in plan.targets) else NOT_DONE


def _became(outcome: Outcome) -> int:
    """0 all of it was done; 3 Jenkins is away or does not permit it, or nobody knows what became of it; 1 anything else."""
    results = planprint.sorted_results(outcome)
    if all(one.fate is Fate.DONE for one in results):
        return 0
    unknown = any(one.fate is Fate.UNSURE or one.denied is not None or one.state is not SourceState.OK for one in results)
    return UNREACHABLE if unknown else NOT_DONE


class _Teller:
    """What is being done now: in one line that goes away, or, where that cannot be, once each of what takes long."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._meter = Meter("")
        self._told: Counter[str] = Counter()

    def __call__(self, text: Clean) -> None:
        if self._meter.say(text):
            return
        # What takes long is said again and again, with the seconds that it takes.
        kind = "".join(letter for letter in text if not letter.isdigit())
        self._told[kind] += 1
        if self._told[kind] == 2:
            self._context.complain(text)

    def clear(self) -> None:
        self._meter.clear()
