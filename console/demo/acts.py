"""What can be asked of the demo's Jenkins and done to it, refused with the words of a real one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from console.demo.controller import Build as Made
from console.demo.controller import Controller as Model
from console.demo.controller import Job as Declared
from console.demo.controller import Multibranch, Node, ParameterKind, ParameterValue
from console.demo.controller import Parameter as Wanted
from console.demo.controller import Question as Asked
from console.demo.controller.errors import (
    AlreadyCancelledError,
    MissingError,
    NoQuestionError,
    NotAllowedError,
    NotBuildableError,
    NotParameterizedError,
)
from console.demo.controller.parameters import BadValueError
from console.model import refusals
from console.model.asking import Definition, FieldKind, Needs, Question, Stop, is_exact
from console.model.build import BuildRef, Parameter, as_people_write
from console.model.jenkins import JenkinsError, LeftItem, Queued, Trouble
from console.text import Clean, clean

_KINDS = {
    ParameterKind.STRING: FieldKind.TEXT,
    ParameterKind.TEXT: FieldKind.LINES,
    ParameterKind.CHOICE: FieldKind.CHOICE,
    ParameterKind.BOOLEAN: FieldKind.BOOLEAN,
    ParameterKind.PASSWORD: FieldKind.PASSWORD,
}


class Acts:
    """See `sources.protocols.JenkinsActs`. `advance` brings the model up to now before each look at it; `user` may do
    everything that the model knows."""

    def __init__(self, model: Model, advance: Callable[[], None], user: str) -> None:
        self._model = model
        self._advance = advance
        self._user = user

    async def parameters(self, job: str) -> tuple[Definition, ...]:
        return tuple(_definition(one) for one in self._job(job).parameters)

    async def questions(self, ref: BuildRef) -> tuple[Question, ...]:
        return tuple(
            Question(
                id=clean(one.id),
                message=_line(one.step.message),
                proceed=_line(one.step.ok),
                fields=tuple(_definition(each) for each in one.step.parameters),
            )
            for one in self._made(ref).pending
        )

    async def trigger(self, job: str, parameters: Mapping[str, str] | None, *, delay: int | None = None) -> Queued:
        self._advance()
        given = dict(parameters) if parameters is not None else None
        try:
            if isinstance(self._model.item(job), Multibranch):
                self._model.scan(job, by=self._user)
                raise refusals.scanned_instead(job)
            declared = self._model.job(job)
            if given is None and declared.buildable and declared.parameters:
                raise refusals.needs_parameters(job)
            item, already = self._model.trigger(job, given, by=self._user, delay=delay)
        except MissingError:
            raise refusals.no_job(job, self._user) from None
        except NotBuildableError:
            raise refusals.not_buildable(job) from None
        except NotParameterizedError:
            raise refusals.has_no_parameters(job) from None
        except BadValueError as wrong:
            raise _cannot_be(str(wrong), job, declared.parameters, given or {}) from None
        return Queued(item.id, already, self._model.quieting_down, clean(self._model.session))

    async def stop(self, ref: BuildRef, how: Stop) -> None:
        made = self._made(ref)
        if how is not Stop.STOP and not made.pipeline:
            raise refusals.only_stop(how, ref)
        if how is Stop.KILL:
            self._model.kill(ref.job, ref.number)
        else:
            self._model.stop(ref.job, ref.number, by=self._user)

    async def cancel(self, item_id: int) -> None:
        self._advance()
        try:
            self._model.cancel(item_id)
        except MissingError:
            raise refusals.not_queued(item_id, self._user) from None
        except AlreadyCancelledError:
            raise refusals.left_queue(self._left(item_id)) from None

    async def answer(self, ref: BuildRef, question: str, values: Mapping[str, str]) -> None:
        asked = self._asked(ref, question)
        for one in asked.step.parameters:
            if one.choices and values.get(one.name, one.choices[0]) not in one.choices:
                raise refusals.cannot_be(one.name, ref.shown, values[one.name], one.choices)
        try:
            self._model.submit_input(ref.job, ref.number, question, values, by=self._user)
        except NotAllowedError:
            raise refusals.may_not_answer(question, ref, self._user) from None

    async def reject(self, ref: BuildRef, question: str) -> None:
        self._asked(ref, question)
        try:
            self._model.reject_input(ref.job, ref.number, question, by=self._user)
        except NotAllowedError:
            raise refusals.may_not_answer(question, ref, self._user) from None

    async def scan(self, project: str) -> None:
        self._advance()
        try:
            found = self._model.item(project)
        except MissingError:
            raise gone(f"project {as_people_write(project)}") from None
        if not isinstance(found, Multibranch):
            raise refusals.no_project(project)
        self._model.scan(project, by=self._user)

    async def set_enabled(self, job: str, *, on: bool) -> None:
        declared = self._job(job)
        if declared.branch is not None:
            raise refusals.only_with_its_project(job)
        declared.disabled = not on

    async def set_kept(self, ref: BuildRef, *, on: bool) -> bool:
        made = self._made(ref)
        changed, made.keep = made.keep is not on, on
        return changed

    async def set_offline(self, node: str, reason: str | None) -> bool:
        self._advance()
        machine = self._machine(node)
        if (machine.temporarily_offline is not None) is (reason is not None):
            return False
        self._model.toggle_offline(machine.name, reason or "")
        return True

    async def lacks(self, needs: Needs, job: str, ended: BuildRef | None = None) -> bool | None:
        """Nothing is lacking; but what a real one could not tell is not told here."""
        try:
            if needs is Needs.BUILD:
                return False if self._starts_nothing(self._job(job)) else None
            if needs is Needs.CANCEL and ended is not None and ended.job == job:
                return None if self._made(ended).building else False
        except JenkinsError:
            pass
        return None

    def _starts_nothing(self, job: Declared) -> bool:
        last = job.last()
        waits = any(item.job is job for item in self._model.waiting_items)
        return bool(job.parameters) and job.buildable and not waits and (last is None or not last.building)

    def _job(self, name: str) -> Declared:
        self._advance()
        try:
            return self._model.job(name)
        except MissingError:
            raise gone(f"job {as_people_write(name)}") from None

    def _made(self, ref: BuildRef) -> Made:
        self._advance()
        try:
            return self._model.build(ref.job, ref.number)
        except MissingError:
            raise gone(f"build {ref.shown}") from None

    def _asked(self, ref: BuildRef, question: str) -> Asked:
        self._made(ref)
        try:
            return self._model.question(ref.job, ref.number, question)
        except NoQuestionError:
            raise refusals.not_asked(question, ref) from None

    def _left(self, item_id: int) -> LeftItem:
        item = self._model.queue[item_id]
        build = ref_of(item.executable) if item.executable is not None else None
        return LeftItem(item_id, clean(item.job.full_name) if item.job is not None else None, build, item.cancelled)

    def _machine(self, name: str) -> Node:
        found = next((one for one in self._model.nodes.values() if node_name(one) == name), None)
        if found is None:
            raise gone(f"node {name}")
        return found


def gone(what: str) -> JenkinsError:
    return JenkinsError(Trouble.NOT_FOUND, f"Jenkins has no {what}, or hides it from operator.", status=404)


def _cannot_be(name: str, job: str, known: Sequence[Wanted], given: Mapping[str, str]) -> JenkinsError:
    choices = next((one.choices for one in known if one.name == name), ())
    return refusals.cannot_be(name, as_people_write(job), given.get(name, ""), choices)


def ref_of(made: Made) -> BuildRef:
    return BuildRef(clean(made.job.full_name), made.number)


def node_name(machine: Node) -> Clean:
    return clean("(built-in)" if machine.built_in else machine.name)


def given(one: ParameterValue) -> Parameter:
    """What a build was given, as Jenkins tells it."""
    if one.kind is ParameterKind.PASSWORD:
        return Parameter(clean(one.name), None)
    raw = _text(one.value)
    value = clean(raw, lines=True)
    return Parameter(clean(one.name), value, exact=clean(one.name) == one.name and is_exact(raw, value))


def _definition(one: Wanted) -> Definition:
    kind, raw = _KINDS[one.kind], _text(one.fallback())
    name, choices, default = clean(one.name), tuple(clean(each) for each in one.choices), clean(raw, lines=True)
    exact = name == one.name and choices == one.choices
    hidden = kind is FieldKind.PASSWORD
    return Definition(
        name=name,
        kind=kind,
        description=_line(one.description),
        default=None if hidden else default,
        choices=choices,
        exact=exact and (hidden or is_exact(raw, default)),
    )


def _line(text: str) -> Clean:
    return clean(" ".join(text.split()))


def _text(value: str | bool) -> str:
    return value if isinstance(value, str) else str(value).lower()
