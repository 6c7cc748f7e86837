"""The model controller: everything that people, hooks and other builds can do to it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from console.demo.controller.builds import REJECTED, Build, Cause, CauseKind, Question
from console.demo.controller.errors import (
    AlreadyCancelledError,
    KeptError,
    MissingError,
    NoQuestionError,
    NotAllowedError,
    NotBuildableError,
    NotParameterizedError,
)
from console.demo.controller.freestyle import FreestyleRun
from console.demo.controller.items import Job, Multibranch, branch_name
from console.demo.controller.nodes import Link
from console.demo.controller.parameters import BadValueError, ParameterValue, Value
from console.demo.controller.queueing import QueueItem, State
from console.demo.controller.rawlog import LINK_NOTE, RawLog, note
from console.demo.controller.running import Run
from console.demo.controller.setup import Setup
from console.demo.controller.steps import Jenkinsfile
from console.demo.controller.timeline import Phase

_SCAN_LINES = (
    " > git --version # timeout=10",
    " > git --version # 'git version 2.39.5'",
    " > git ls-remote --symref -- {remote} # timeout=10",
    "Setting origin to {remote}",
    " > git config remote.origin.url {remote} # timeout=10",
    "Fetching & pruning origin...",
    "Listing remote references...",
    " > git ls-remote -h -- {remote} # timeout=10",
    "Fetching upstream changes from origin",
    " > git config --get remote.origin.url # timeout=10",
    " > git fetch --tags --force --progress --prune -- origin +refs/heads/*:refs/remotes/origin/* # timeout=10",
)
DATE = "%a %b %d %H:%M:%S UTC %Y"


class Controller(Setup):
    """A Jenkins controller without a network: set it up, act on it, read its attributes after `advance()`.

    It checks no permissions: a front does, with `people`. Acting methods name the person by user id (`by`).
    """

    def trigger(
        self,
        full_name: str,
        parameters: Mapping[str, Value] | None = None,
        *,
        by: str | None = None,
        causes: Sequence[Cause] = (),
        delay: float | None = None,
    ) -> tuple[QueueItem, bool]:
        """Ask for a build. Undeclared parameters are ignored, missing ones get their defaults; `delay` in seconds.

        Answers the queue item, and whether an equal one was there already. Raises MissingError,
        NotBuildableError, NotParameterizedError (parameters for a job that knows none), BadValueError.
        """
        self.advance()
        job = self.job(full_name)
        if not job.buildable:
            raise NotBuildableError(full_name)
        if parameters is not None and not job.parameters:
            raise NotParameterizedError(full_name)
        given = parameters or {}
        values = tuple(
            ParameterValue(one.name, one.kind, one.accept(given[one.name]) if one.name in given else one.fallback())
            for one in job.parameters
        )
        return self.enqueue(job, values, causes or [self.user_cause(by)], delay)

    def user_cause(self, by: str | None) -> Cause:
        name = self.users[by].full_name if by in self.users else by or "anonymous"
        return Cause(CauseKind.USER, f"Started by user {name}", user=(by or "anonymous", name))

    def cancel(self, item_id: int) -> None:
        """Take an item out of the queue; raises MissingError, or AlreadyCancelledError when it has left."""
        self.advance()
        item = self.queue.get(item_id)
        if item is None:
            raise MissingError(str(item_id))
        if item.state is State.LEFT:
            raise AlreadyCancelledError(str(item_id))
        self.withdraw(item)

    def build(self, full_name: str, number: int) -> Build:
        """That build; raises MissingError."""
        build = self.job(full_name).builds.get(number)
        if build is None:
            raise MissingError(f"{full_name} #{number}")
        return build

    def stop(self, full_name: str, number: int, *, by: str) -> None:
        """Stop a build. It is building for a while yet; a build that has ended stays as it is."""
        self.advance()
        self.build(full_name, number)
        run = self.runs.get((full_name, number))
        if run is not None:
            run.interrupt(by, self.users[by].full_name if by in self.users else by)

    def kill(self, full_name: str, number: int) -> None:
        """End a Pipeline at once, without its `post` steps."""
        self.advance()
        self.build(full_name, number)
        run = self.runs.get((full_name, number))
        if isinstance(run, Run):
            run.kill()

    def question(self, full_name: str, number: int, input_id: str) -> Question:
        """The pending question with exactly that id (its first letter is a capital); raises NoQuestionError."""
        pending = self.build(full_name, number).pending
        found = next((question for question in pending if question.id == input_id), None)
        if found is None:
            raise NoQuestionError(input_id)
        return found

    def submit_input(
        self, full_name: str, number: int, input_id: str, values: Mapping[str, Value] | None = None, *, by: str
    ) -> None:
        """Answer a question; values that are not given take their defaults. Raises NoQuestionError, NotAllowedError."""
        self.advance()
        question = self.question(full_name, number, input_id)
        self._may_answer(question, by)
        given = values or {}
        try:
            question.answer = {
                one.name: one.accept(given[one.name]) if one.name in given else one.fallback()
                for one in question.step.parameters
            }
        except BadValueError as error:
            raise NoQuestionError(str(error)) from error
        question.by = (by, self.users[by].full_name)
        self.build(full_name, number).approvers.append(by)
        if question.wake:
            question.wake()

    def reject_input(self, full_name: str, number: int, input_id: str, *, by: str) -> None:
        """Say no: the build ends as ABORTED."""
        self.advance()
        question = self.question(full_name, number, input_id)
        self._may_answer(question, by)
        question.rejected = True
        question.by = (by, self.users[by].full_name)
        self.build(full_name, number).interruptions.append((REJECTED, f"Rejected by {self.users[by].full_name}"))
        if question.wake:
            question.wake()

    def _may_answer(self, question: Question, by: str) -> None:
        if question.step.submitter and by not in question.step.submitter:
            raise NotAllowedError(by)

    def replay(self, full_name: str, number: int, *, by: str, script: Jenkinsfile | None = None) -> QueueItem:
        """Build again with the parameters of that build and its script, or another one."""
        self.advance()
        old = self.build(full_name, number)
        if not old.job.buildable:
            raise NotBuildableError(full_name)
        causes = [self.user_cause(by), Cause(CauseKind.REPLAY, f"Replayed #{number}", original=number)]
        return self.enqueue(old.job, old.parameters, causes, 0, replay_of=number, script=script)[0]

    def delete_build(self, full_name: str, number: int) -> None:
        """Delete a build; raises KeptError for one that is kept."""
        self.advance()
        build = self.build(full_name, number)
        if build.keep:
            raise KeptError(f"Unable to delete {build.full_display_name}: This record is explicitly marked to be kept.")
        del build.job.builds[number]

    def reload(self) -> None:
        """Apply the configuration anew, as each start does: Job DSL writes its jobs again (research on the pipeline, 3)."""
        self.advance()
        self.apply_jobs()

    def delete_item(self, full_name: str) -> None:
        self.advance()
        item = self.item(full_name)
        if item.parent is not None:
            del item.parent.items[item.name]

    def scan(self, full_name: str, *, by: str | None = None) -> None:
        """Index a multibranch project: new branches get jobs and builds, branches that are gone become dead."""
        self.advance()
        project = self.item(full_name)
        if not isinstance(project, Multibranch):
            raise MissingError(full_name)
        log = RawLog()
        moment = datetime.fromtimestamp(self.now / 1000, UTC).strftime(DATE)
        if by is not None:
            log.add(f"Started by user {note(by, LINK_NOTE - 20)}{self.users[by].full_name if by in self.users else by}")
        log.add(f"[{moment}] Starting branch indexing...")
        for line in _SCAN_LINES:
            log.add(line.format(remote=project.remote))
        log.add("Checking branches...")
        for branch, (commit, script) in project.branches.items():
            self._scan_branch(project, log, branch, commit, has_file=script is not None)
        for job in project.items.values():
            if isinstance(job, Job):
                job.dead = job.branch not in project.branches or project.branches[job.branch or ""][1] is None
        log.add(f"Processed {len(project.branches)} branches")
        log.add(f"[{moment}] Finished branch indexing. Indexing took 0.27 sec")
        log.add("Finished: SUCCESS")
        project.indexing = log

    def _scan_branch(self, project: Multibranch, log: RawLog, branch: str, commit: str, *, has_file: bool) -> None:
        log.add(f"  Checking branch {branch}")
        log.add(f"      ‘Jenkinsfile’ {'found' if has_file else 'not found'}")
        log.add("    Met criteria" if has_file else "    Does not meet criteria")
        script = project.branches[branch][1]
        if script is None:
            return
        job = project.items.get(branch_name(branch))
        if isinstance(job, Job) and job.commit == commit:
            log.add(f"No changes detected: {branch} (still at {commit})")
            return
        if not isinstance(job, Job):
            job = self.add_branch(project, branch, commit, script)
        job.commit, job.script, job.dead = commit, script, False
        log.add(f"Scheduled build for branch: {branch}")
        self.enqueue(job, (), [Cause(CauseKind.INDEXING, "Branch indexing")], None)

    def hook(self, token: str, body: str) -> dict[str, tuple[bool, int]]:
        """A webhook request: (triggered, queue id) by job. Raises MissingError when no job has that token."""
        self.advance()
        jobs = [job for job in self.jobs.values() if token and job.hook_token == token]
        if not jobs:
            raise MissingError("Did not find any jobs with GenericTrigger configured!")
        answers: dict[str, tuple[bool, int]] = {}
        for job in jobs:
            values = {name: _pick(body, path) or default for name, (path, default) in job.hook_variables.items()}
            text = re.sub(r"\$(\w+)", lambda match, values=values: values.get(match[1], ""), job.hook_cause)  # type: ignore[misc]
            item, _ = self.trigger(job.full_name, values if job.parameters else None, causes=[Cause(CauseKind.HOOK, text)])
            answers[job.full_name] = (True, item.id)
        return answers

    def start_downstream(self, job: str, parameters: Mapping[str, Value], by: Build) -> QueueItem | None:
        try:
            target = self.job(job)
        except MissingError:
            return None
        text = f'Started by upstream project "{by.job.full_name}" build number {by.number}'
        cause = Cause(CauseKind.UPSTREAM, text, upstream=(by.job.full_name, by.job.path, by.number))
        if not target.buildable:
            return None
        return self.trigger(job, parameters if target.parameters else None, causes=[cause])[0]

    def stop_downstream(self, build: Build) -> None:
        run = self.runs.get((build.job.full_name, build.number))
        if run is not None:
            self.at(self.now, partial(run.interrupt, "SYSTEM", "the build that waits for it"))

    def toggle_offline(self, name: str, message: str = "") -> None:
        """Take a node off line for a while, or back."""
        self.advance()
        node = self.node(name)
        node.temporarily_offline = message if node.temporarily_offline is None else None
        self.maintain()

    def launch(self, name: str) -> None:
        """Try to connect to a node now: it is CONNECTING until `set_link` says what became of it."""
        self.advance()
        node = self.node(name)
        if not node.connected:
            node.link = Link.CONNECTING

    def quiet_down(self, *, on: bool = True) -> None:
        """Start no more builds (or again): they wait in the queue with "Jenkins is about to shut down"."""
        self.advance()
        self.quieting_down = on
        self.maintain()

    def restart(
        self, *, stopping: float = 0.5, down: float = 1.0, starting: float = 2.0, ids_anew: bool = False, broken: bool = False
    ) -> None:
        """Restart the process; lengths in seconds: answers 503 while stopping, refuses while down, 503 while starting.

        Running Pipelines and the queue survive, freestyle builds end. `ids_anew`: queue ids begin at 1 again.
        `broken`: the new configuration cannot be applied, the controller never comes up.
        """
        self.advance()
        self.phase = Phase.RESTARTING
        moment = self.now + round(stopping * 1000)
        self.at_any_rate(moment, partial(self._set_phase, Phase.DOWN))
        moment += round(down * 1000)
        self.at_any_rate(moment, partial(self._boot, ids_anew=ids_anew))
        moment += round(starting * 1000)
        self.at_any_rate(moment, partial(self._set_phase, Phase.BROKEN) if broken else self._up)

    def _set_phase(self, phase: Phase) -> None:
        self.phase = phase

    def _boot(self, *, ids_anew: bool) -> None:
        self.phase = Phase.STARTING
        self.restarts += 1
        self.people.end_sessions()
        self.quieting_down = False
        if ids_anew:
            waiting = self.waiting_items
            self.queue.clear()
            self.next_queue_id = 1
            for item in waiting:
                item.id = self.next_queue_id
                self.queue[item.id] = item
                self.next_queue_id += 1

    def _up(self) -> None:
        self.phase = Phase.UP
        self.started_at = self.now
        moment = datetime.fromtimestamp(self.now / 1000, UTC).strftime(DATE)
        for run in list(self.runs.values()):
            if isinstance(run, FreestyleRun):
                run.kill()
            else:
                run.resumed(moment)
        self._release()


def _pick(body: str, path: str) -> str:
    """The text at a JSON path such as `$.project`; empty when it is not there. Lists and objects come as JSON."""
    try:
        value: Any = json.loads(body)
    except ValueError:
        return ""
    for name in path.removeprefix("$").strip(".").split("."):
        value = value.get(name) if isinstance(value, dict) and name else None
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
