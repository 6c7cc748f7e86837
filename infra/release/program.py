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


def main(env: Mapping[str, str] = os.environ) -> int:
    """0 everything was queued, or there was nothing to send; 1 something was not; 2 wrong settings."""
    try:
        return _run(env)
    except Problem as problem:
        print(f"::error::{problem}")
        _summary(env, [f"**Nothing was sent.** {problem}"])
        return 2


def _run(env: Mapping[str, str]) -> int:
    event = read_event(Path(_wanted(env, "GITHUB_EVENT_PATH")))
    root = Path(_wanted(env, "GITHUB_WORKSPACE"))
    github = GitHub(env.get("GITHUB_API_URL", "https://api.github.com"), env.get("GITHUB_TOKEN", ""))
    release = of_event(env.get("GITHUB_EVENT_NAME", ""), event, root, github.files)
    if isinstance(release, str):
        return _nothing(env, release)
    if release.fork and not env.get("MLOPS_HOOK_SECRET"):
        raise Problem(_of_fork(release))
    if not release.projects and not release.wrong:
        return _nothing(env, " ".join(["This release changes no project.", *release.notes]))
    sent: Sequence[Sent] = []
    if release.projects:
        where = target(env)
        print(f"{len(release.projects)} of {release.repository} at {release.commit} to {where.shown}", flush=True)
        run = Run(_wanted(env, "GITHUB_RUN_ID"), env.get("GITHUB_RUN_ATTEMPT", "1"))
        sent = send_all(release, where, run, _say, patience=float(env.get("MLOPS_HOOK_PATIENCE") or PATIENCE))
    return _tell(env, release, sent)


def _of_fork(release: Release) -> str:
    names = " ".join(release.projects) or "none"
    return (
        f"Pull request #{release.pull_request} came from a fork, and GitHub gives no secrets to its workflow. "
        f"Send it by hand: Actions, release-trigger, Run workflow, commit {release.commit}, projects: {names}."
    )


def _nothing(env: Mapping[str, str], words: str) -> int:
    print(words)
    _summary(env, [words])
    return 0


def _say(words: str) -> None:
    print(words, flush=True)


def _tell(env: Mapping[str, str], release: Release, sent: Sequence[Sent]) -> int:
    lines = [f"Release at `{release.commit}`" + (f" by #{release.pull_request}" if release.pull_request else ""), ""]
    if sent:
        lines += ["| project | what came of it | tries | delivery |", "|---|---|---|---|"]
        lines += [f"| {one.project} | {_words(one)} | {one.tries} | `{one.delivery}` |" for one in sent]
    lines += ["", *(f"- {note}" for note in release.notes)]
    lines += [f"- **There is no project {shown(name)}.** Somebody has named it." for name in release.wrong]
    _summary(env, lines)
    failed = [one for one in sent if not one.queued]
    for one in failed:
        print(f"::error::{one.project} was not started: {one.answer.words}")
    for name in release.wrong:
        print(f"::error::There is no project {shown(name)}.")
    if any(one.queued for one in sent):
        print("Queued means that Jenkins has it: whether it is fresh, and not trained already, its build says.")
    return 1 if failed or release.wrong else 0


def _words(one: Sent) -> str:
    if not one.queued:
        return f"**not started**: {one.answer.words}"
    return "queued" + (f" as item {one.answer.item}" if one.answer.item is not None else "")


def _summary(env: Mapping[str, str], lines: Sequence[str]) -> None:
    path = env.get("GITHUB_STEP_SUMMARY")
    if path:
        with Path(path).open("a") as file:
            file.write("\n".join(lines) + "\n")


def _wanted(env: Mapping[str, str], name: str) -> str:
    if not env.get(name):
        raise Problem(f"{name} is not set: this is run by GitHub Actions.")
    return env[name]


if __name__ == "__main__":
    sys.exit(main())
