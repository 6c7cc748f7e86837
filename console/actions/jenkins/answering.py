"""Answering a question of a build: yes with its fields, or no, which ends it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import replace

from console.actions.jenkins.builds import build_of, key_of, name_of, not_there
from console.actions.jenkins.following import build_news, tail
from console.actions.jenkins.patience import Patience
from console.actions.jenkins.values import as_boolean, unfit
from console.actions.plan import (
    MASK,
    Basis,
    Entry,
    Fate,
    News,
    Offer,
    Outcome,
    Plan,
    Result,
    Say,
    Target,
    Tell,
    Weight,
    pairs,
)
from console.model.asking import Definition, FieldKind, Question
from console.model.build import NOTHING, Build, BuildRef
from console.model.jenkins import JenkinsError, Trouble
from console.sources.protocols import ActingJenkins
from console.text import Clean, clean


class AnswerQuestion:
    """Says yes or no to what a build asks. `question` is its id where it asks several things, else the only one is meant."""

    def __init__(
        self,
        jenkins: ActingJenkins,
        ref: BuildRef,
        yes: bool,
        values: Mapping[str, str] | None = None,
        question: str | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._jenkins = jenkins
        self._ref = ref
        self._yes = yes
        self._values = dict(values or {})
        self._question = question
        self._patience = patience or Patience()
        self._asked: Question | None = None

    @property
    def name(self) -> str:
        return "approve" if self._yes else "reject"

    def with_value(self, name: str, text: str) -> AnswerQuestion:
        return self._other(self._yes, {**self._values, name: text}, self._question)

    def _other(self, yes: bool, values: Mapping[str, str], question: str | None) -> AnswerQuestion:
        return AnswerQuestion(self._jenkins, self._ref, yes, values, question, self._patience)

    # The plan

    async def plan(self) -> Plan:
        build = await build_of(self._jenkins, self._ref)
        questions = await self._jenkins.questions(self._ref) if build is not None and build.building else ()
        meant = [one for one in questions if self._question in (None, str(one.id))]
        self._asked = meant[0] if meant else None
        target = Target(key_of(self._ref), name_of(self._ref, build), self._why_not(build, questions))
        plan = Plan(
            act=self,
            title=clean(f"{'Approve' if self._yes else 'Reject'}  {target.name}"),
            yes=clean("reject it") if not self._yes else NOTHING,
            targets=(target,),
            weight=Weight.ENTER if self._yes else Weight.YES,
            basis=(Basis("question", self._asked, _moved(questions)),),
        )
        return self._about(plan, self._asked, questions) if self._asked is not None else plan

    def _why_not(self, build: Build | None, questions: tuple[Question, ...]) -> Clean | None:
        if build is None:
            return not_there(self._ref)
        if not build.building:
            return clean(f"{self._ref.shown} has ended: it asks nothing any more.")
        if not questions:
            return clean(f"{self._ref.shown} asks nothing: it was answered, or has not come so far.")
        if self._asked is None:
            return clean(f"{self._ref.shown} does not ask {self._question}. It asks: {', '.join(one.id for one in questions)}.")
        unknown = [name for name in self._values if not any(one.name == name for one in self._asked.fields)]
        if unknown:
            fields = ", ".join(one.name for one in self._asked.fields) or "no fields"
            return clean(f"The question has no field {unknown[0]}. It has: {fields}.")
        return None

    def _about(self, plan: Plan, question: Question, questions: tuple[Question, ...]) -> Plan:
        user = self._jenkins.controller.user
        says = [Say("asks", question.message), Say("as", clean(f"{user}: Jenkins checks whether this user may answer"))]
        offers = [
            Offer(str(number), clean(f"answer {one.id} instead"), self._other(self._yes, {}, str(one.id)))
            for number, one in enumerate(questions, start=1)
            if one != question
        ]
        other = self._other(not self._yes, self._values if not self._yes else {}, self._question)
        if self._yes:
            says.append(Say("does", clean(f"lets it go on ({question.proceed})")))
            offers.insert(0, Offer("n", Clean("reject it"), other))
            return replace(
                plan,
                yes=question.proceed,
                says=tuple(says),
                same_as=(self._request(question),),
                entries=tuple(self._entry(one) for one in question.fields),
                offers=tuple(offers),
            )
        says += [Say("does", clean("ends it as aborted: nothing after the question is done")), Say("stays", clean("its log"))]
        same = clean(f"POST {self._ref.path}/input/{question.id}/abort")
        return replace(plan, says=tuple(says), same_as=(same,), offers=tuple(offers))

    def _entry(self, one: Definition) -> Entry:
        value = self._values.get(str(one.name))
        was = one.default or (one.choices[0] if one.kind is FieldKind.CHOICE and one.choices else NOTHING)
        shown = clean(value, lines=True) if value is not None else was
        secret = one.kind is FieldKind.PASSWORD
        return Entry(
            name=one.name,
            kind=one.kind,
            value=(MASK if value else NOTHING) if secret else shown,
            was=NOTHING if secret else was,
            note=one.description,
            choices=one.choices,
            changed=value is not None and (secret or shown != was),
            problem=unfit(one, value),
        )

    def _request(self, question: Question) -> Clean:
        secret = {str(one.name) for one in question.fields if one.kind is FieldKind.PASSWORD}
        return clean(
            f"POST {self._ref.path}/wfapi/inputSubmit?inputId={question.id} {pairs(self._sent(question), secret)}".rstrip()
        )

    def _sent(self, question: Question) -> dict[str, str]:
        """Every field with its value: what a person saw is what is sent, also where that is the default."""
        sent = {}
        for one in question.fields:
            value = self._values.get(str(one.name))
            if value is None and one.kind is FieldKind.CHOICE and one.choices:
                value = str(one.default or one.choices[0])
            elif value is None and one.default is not None:
                value = str(one.default)
            if value is not None:
                sent[str(one.name)] = (as_boolean(value) or value) if one.kind is FieldKind.BOOLEAN else value
        return sent

    # Doing it

    async def perform(self, plan: Plan, target: Target, tell: Tell) -> Result:
        question = self._asked
        if question is None:
            return Result(target, Fate.FAILED, target.refused or clean("It asks nothing any more."))
        tell(clean(f"answering {self._ref.shown}"))
        try:
            if self._yes:
                await self._jenkins.answer(self._ref, str(question.id), self._sent(question))
            else:
                await self._jenkins.reject(self._ref, str(question.id))
        except JenkinsError as error:
            if error.unsure or error.trouble is Trouble.NOT_FOUND:
                return await self._found_out(question, target, error, tell)
            raise
        return Result(target, Fate.DONE, clean("approved" if self._yes else "rejected"))

    async def _found_out(self, question: Question, target: Target, error: JenkinsError, tell: Tell) -> Result:
        """Somebody else may have been quicker, or the connection broke. Jenkins writes who answered into the log."""
        try:
            pending = await self._patience.asked(lambda: self._jenkins.questions(self._ref), tell)
        except JenkinsError as away:
            if away.trouble is not Trouble.NOT_FOUND:
                return Result(target, Fate.UNSURE, clean(f"Nobody knows whether Jenkins took it: {away.reason}"))
            pending = ()
        if question in pending:
            return Result(target, Fate.FAILED, clean(f"not answered: {error.reason.partition(' It may have')[0]}"))
        answered = next((line for line in reversed(await tail(self._jenkins, self._ref)) if _ANSWERED in line), None)
        who = answered.rpartition(_ANSWERED)[2].strip() if answered is not None else ""
        if not error.unsure:
            words = f"{who} was quicker: it was approved" if who else "somebody else has answered, or the build was ended"
            return Result(target, Fate.FAILED, clean(words))
        if self._yes and who:
            return Result(target, Fate.DONE, clean(f"the connection broke, but it was approved by {who}"))
        return Result(target, Fate.UNSURE, clean("the connection broke; it is answered, but the log does not say by whom"))

    def aftermath(self, outcome: Outcome, *, whole: bool = False) -> AsyncIterator[News] | None:
        if not whole or not outcome.done:
            return None
        return self._news(outcome.done[0].target)

    async def _news(self, target: Target) -> AsyncGenerator[News]:
        async for one in build_news(self._jenkins, target, self._ref, self._patience):
            yield one


_ANSWERED = "Approved by "


def _moved(questions: tuple[Question, ...]) -> Clean:
    if not questions:
        return clean("It has been answered since: it asks nothing any more.")
    return clean(f"It asks something else since: {questions[0].message}")
