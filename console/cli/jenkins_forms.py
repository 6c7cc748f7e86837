"""Builds, stages, queue and nodes as JSON: see `forms` for what all of it has in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from console.cli.forms import moment
from console.model.build import Build, BuildRef, FailedTest, Stage
from console.model.jenkins import JenkinsWorld, Node
from console.model.jenkins_rows import BuildRow, WaitRow, node_state, stage_state
from console.model.waiting import node_reason
from console.text import Clean, clean

if TYPE_CHECKING:
    from console.feeds.download import Saved


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of a file that was to be saved: one of `saved` and `error` is there."""

    path: Clean
    saved: Saved | None = None
    error: Clean | None = None


def span(value: timedelta | None) -> float | None:
    """Seconds."""
    return round(value.total_seconds(), 3) if value is not None else None


def build(one: BuildRow) -> dict[str, Any]:
    known: Build = one.build
    details = known.detailed
    return {
        "job": known.job,
        "name": one.name,
        "number": known.number,
        "state": one.state.word,
        "class": one.state.kind.name.lower(),
        "result": known.result.value if known.result is not None else None,
        "building": known.building,
        "started_at": moment(known.started),
        "duration": span(known.duration),
        "usual": span(one.usual),
        "why": one.ran or None,
        "outcome": one.outcome or None,
        "description": known.description or None,
        "commit": known.commit,
        "causes": [{"kind": each.kind.value, "text": each.text, "by": each.by} for each in known.causes] if details else None,
        "parameters": [{"name": each.name, "value": each.value} for each in known.parameters] if details else None,
        "queue_id": known.queue_id,
    }


def listed_build(one: BuildRow, world: JenkinsWorld) -> dict[str, Any]:
    job = world.jobs.get(one.ref.job)
    return {**build(one), "buildable": job.buildable if job is not None else None}


def build_detail(
    one: BuildRow, failure: str | None, failed: tuple[FailedTest, ...], saved: Sequence[Fetched] | None = None
) -> dict[str, Any]:
    """`saved` is None where nothing was to be saved."""
    known = one.build
    tests = known.tests
    return {
        **build(one),
        "failure": failure or None,
        "kept": known.kept,
        "artifacts": [{"name": each.name, "path": each.path} for each in known.artifacts],
        "saved": None if saved is None else [_fetched(each) for each in saved],
        "tests": None
        if tests is None
        else {
            "total": tests.total,
            "failed": tests.failed,
            "skipped": tests.skipped,
            "failures": [
                {"name": each.name, "suite": each.suite, "message": each.message or None, "age": each.age} for each in failed
            ],
        },
    }


def _fetched(one: Fetched) -> dict[str, Any]:
    file = clean(one.saved.file) if one.saved is not None else None
    return {"path": one.path, "file": file, "size": one.saved.size if one.saved is not None else None, "error": one.error}


def stage(one: Stage, now: datetime) -> dict[str, Any]:
    told = stage_state(one)
    return {
        "id": one.id,
        "name": one.name,
        "state": told.word,
        "class": told.kind.name.lower(),
        "status": one.status.value,
        "started_at": moment(one.started),
        "duration": span(one.duration),
        "so_far": span(one.took(now)),
        "paused": span(one.paused),
        "branch": one.branch,
        "error": one.error,
    }


def waits(one: WaitRow) -> dict[str, Any]:
    item, told = one.item, one.reason
    return {
        "id": item.id if item is not None else None,
        "job": item.job if item is not None else (one.ref.job if one.ref is not None else None),
        "name": one.name,
        "build": _ref(one.ref),
        "state": told.state.word,
        "class": told.state.kind.name.lower(),
        "cause": told.cause,
        "reason": " ".join(told.sentences) or None,
        "freed_by": told.freed,
        "blocked_by": _ref(told.by),
        "since": moment(one.since),
        "until": moment(item.until) if item is not None else None,
        "stuck": item.stuck if item is not None else False,
        "jenkins_says": item.why or None if item is not None else None,
        "parameters": [{"name": each.name, "value": each.value} for each in item.parameters] if item is not None else [],
    }


def _ref(ref: BuildRef | None) -> dict[str, Any] | None:
    return {"job": ref.job, "number": ref.number} if ref is not None else None


def node(one: Node) -> dict[str, Any]:
    told, why, measured = node_state(one), node_reason(one), one.monitors
    return {
        "name": one.name,
        "state": told.word,
        "class": told.kind.name.lower(),
        "why": why.cause if why is not None else None,
        "offline": one.offline,
        "controller": one.controller,
        "executors": one.executors,
        "busy": one.busy,
        "running": [_ref(ref) for ref in one.running],
        "labels": list(one.labels),
        "disk_free": measured.disk_free if measured is not None else None,
        "temp_free": measured.temp_free if measured is not None else None,
        "memory_free": measured.memory_free if measured is not None else None,
        "memory_total": measured.memory_total if measured is not None else None,
        "system": measured.system if measured is not None else None,
    }


def controller(world: JenkinsWorld) -> dict[str, Any]:
    told = world.controller
    return {
        "url": world.url,
        "version": told.version,
        "user": told.user,
        "quieting_down": told.quieting_down,
        "clock_ahead": span(told.ahead),
    }
