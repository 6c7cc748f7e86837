"""The program that the workflow runs: the event in, requests out, a summary for people."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from .address import target
from .files import GitHub
from .release import Problem, Release, of_event, read_event, shown
from .sending import PATIENCE, Run, Sent, send_all

_TOLD = 10
"""Wrong names that are told one by one: a text may hold thousands, and GitHub shows ten notes of a step."""


def main(env: Mapping[str, str] = os.environ) -> int:
    """0 everything was queued, or there was nothing to send; 1 something was not; 2 wrong settings."""
    try:
        return _run(env)
    except Problem as problem:
        _fail(str(problem))
        _summary(env, [f"**Nothing was sent.** {problem}"])
        return 2


def _run(env: Mapping[str, str]) -> int:
    event = read_event(Path(_wanted(env, "GITHUB_EVENT_PATH")))
    root, head = Path(_wanted(env, "GITHUB_WORKSPACE")), env.get("GITHUB_SHA", "")
    release = of_event(env.get("GITHUB_EVENT_NAME", ""), event, root, head, GitHub(env).files)
    if isinstance(release, str):
        return _nothing(env, release)
    if not release.projects and not release.wrong:
        return _nothing(env, " ".join(["This release changes no project.", *release.notes]))
    if release.fork and not env.get("MLOPS_HOOK_SECRET"):
        raise Problem(_of_fork(release))
    sent: Sequence[Sent] = []
    if release.projects:
        where, patience = target(env), _patience(env)
        run = Run(_wanted(env, "GITHUB_RUN_ID"), env.get("GITHUB_RUN_ATTEMPT") or "1")
        _say(f"{len(release.projects)} of {release.repository} at {release.commit} to {where.shown}")
        sent = send_all(release, where, run, _say, patience=patience)
    return _tell(env, release, sent)


def _patience(env: Mapping[str, str]) -> float:
    said = env.get("MLOPS_HOOK_PATIENCE") or str(PATIENCE)
    try:
        seconds = float(said)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise Problem("MLOPS_HOOK_PATIENCE is no number of seconds from 0 to 3600.")
    return seconds


def _of_fork(release: Release) -> str:
    return f"Pull request #{release.pull_request} came from a fork, and GitHub gives no secrets to its workflow. " + _again(
        release, release.projects
    )


def _again(release: Release, projects: Sequence[str]) -> str:
    names = " ".join(projects) or "their names"
    return f"Send it by hand: Actions, release-trigger, Run workflow, with projects {names} and commit {release.commit}."


def _nothing(env: Mapping[str, str], words: str) -> int:
    _say(words)
    _summary(env, [words])
    return 0


def _tell(env: Mapping[str, str], release: Release, sent: Sequence[Sent]) -> int:
    failed = [one for one in sent if not one.queued]
    wrong = [f"There is no project {shown(name)}" for name in release.wrong[:_TOLD]]
    if len(release.wrong) > _TOLD:
        wrong.append(f"and {len(release.wrong) - _TOLD} more names are no projects")
    for one in failed:
        _fail(f"{one.project} was not started: {one.answer.words}")
    for words in wrong:
        _fail(f"{words}.")
    _summary(env, _lines(release, sent, failed, wrong))
    return 1 if failed or wrong else 0


def _lines(release: Release, sent: Sequence[Sent], failed: Sequence[Sent], wrong: Sequence[str]) -> list[str]:
    """GitHub's markdown. What others wrote is in it only as `shown` leaves it, and set as code."""
    lines = [f"Release at `{release.commit}`" + (f" by #{release.pull_request}" if release.pull_request else ""), ""]
    if sent:
        lines += ["| project | what came of it | tries | delivery |", "|---|---|---|---|"]
        lines += [f"| {one.project} | {_words(one)} | {one.tries} | `{one.delivery}` |" for one in sent]
    lines += ["", *(f"- {note}" for note in release.notes), *(f"- **Wrong:** `{words}`" for words in wrong)]
    if failed:
        lines += ["", f"When that is mended: {_again(release, [one.project for one in failed])}"]
    if len(failed) < len(sent):
        lines += ["", "Queued means that Jenkins has it. Whether it is fresh, and not trained already, its build says."]
    return lines


def _words(one: Sent) -> str:
    if not one.queued:
        return f"**not started**: {one.answer.words}"
    return "queued" + (f" as item {one.answer.item}" if one.answer.item is not None else "")


def _say(words: str) -> None:
    print(words, flush=True)


def _fail(words: str) -> None:
    """A note that GitHub shows above the log; a percent sign begins an escape there."""
    _say("::error::" + words.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _summary(env: Mapping[str, str], lines: Sequence[str]) -> None:
    path = env.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    except OSError as error:
        # What was sent is sent: the log has it too.
        _say(f"The summary cannot be written: {error.strerror}")


def _wanted(env: Mapping[str, str], name: str) -> str:
    if not env.get(name):
        raise Problem(f"{name} is not set: this is run by GitHub Actions.")
    return env[name]


if __name__ == "__main__":
    sys.exit(main())
