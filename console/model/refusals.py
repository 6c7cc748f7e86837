"""What Jenkins does not do, in words about what was asked for: the real source and the demo say the same."""

from __future__ import annotations

from collections.abc import Sequence

from console.model.asking import Needs, Stop
from console.model.build import BuildRef, as_people_write
from console.model.jenkins import JenkinsError, LeftItem, Trouble
from console.text import clean

_SHOWN_CHOICES = 8


# Requests for builds


def no_job(job: str, user: str) -> JenkinsError:
    reason = f"Jenkins has no job {as_people_write(job)} (a folder is none), or hides it from {user}."
    return JenkinsError(Trouble.NOT_FOUND, reason, status=404)


def not_buildable(job: str) -> JenkinsError:
    reason = f"Jenkins does not build {as_people_write(job)}: it is disabled, or its branch is gone."
    return JenkinsError(Trouble.DISABLED, reason, status=409)


def needs_parameters(job: str) -> JenkinsError:
    reason = f"{as_people_write(job)} has parameters, and Jenkins starts it only with them (400)."
    return JenkinsError(Trouble.BAD_PARAMETER, reason, status=400)


def has_no_parameters(job: str) -> JenkinsError:
    name = as_people_write(job)
    reason = f"{name} has no parameters. A branch knows its own only after its first build: start it without any."
    return JenkinsError(Trouble.BAD_PARAMETER, reason, status=500)


def cannot_be(field: str, of: str, value: str, choices: Sequence[str]) -> JenkinsError:
    """`of` is what the field belongs to, as people write it."""
    shown = ", ".join(clean(each, limit=40) for each in choices[:_SHOWN_CHOICES])
    more = f" and {len(choices) - _SHOWN_CHOICES} more" if len(choices) > _SHOWN_CHOICES else ""
    wrong = f"{clean(field, limit=60)} of {of} cannot be {clean(value, limit=60) or 'empty'}"
    return JenkinsError(Trouble.BAD_PARAMETER, f"{wrong}. It is one of: {shown}{more}.", status=500)


def scanned_instead(job: str) -> JenkinsError:
    name = as_people_write(job)
    reason = f"{name} is no job but a project of branches: Jenkins scans it now, and starts no build of it."
    return JenkinsError(Trouble.REFUSED, reason, status=302)


# Everything else


def not_asked(question: str, ref: BuildRef) -> JenkinsError:
    reason = f"{question} of {ref.shown} is not asked any more: somebody has answered it, or the build has ended."
    return JenkinsError(Trouble.NOT_FOUND, reason, status=404)


def may_not_answer(question: str, ref: BuildRef, user: str, more: str = "") -> JenkinsError:
    """Jenkins names no permission here: a question may also name those who answer it."""
    reason = (
        f"Jenkins does not take the answer of {user} to {question} of {ref.shown}, which is still asked: that takes "
        f"{Needs.BUILD}, and to be one of those whom the question names, where it names any{more}."
    )
    return JenkinsError(Trouble.NOT_PERMITTED, reason, status=500)


def only_stop(how: Stop, ref: BuildRef) -> JenkinsError:
    reason = f"Jenkins knows no {how} of {ref.shown}: only builds of Pipelines have it. What it knows is stop."
    return JenkinsError(Trouble.REFUSED, reason, status=302)


def not_queued(item_id: int, user: str) -> JenkinsError:
    reason = f"Item {item_id} is not in the queue any more, or Jenkins hides it from {user}."
    return JenkinsError(Trouble.NOT_FOUND, reason, status=404)


def left_queue(left: LeftItem) -> JenkinsError:
    if left.cancelled:
        told = "was cancelled already"
    elif left.build is not None:
        told = f"has left the queue already: it became {left.build.shown}"
    else:
        told = "has left the queue already: its build is about to begin"
    return JenkinsError(Trouble.NOT_FOUND, f"Item {left.id} {told}.", status=500)


def no_project(name: str) -> JenkinsError:
    reason = f"{as_people_write(name)} is no project of branches: there is nothing to scan in it."
    return JenkinsError(Trouble.REFUSED, reason)


def only_with_its_project(name: str) -> JenkinsError:
    reason = f"{as_people_write(name)} is a branch: it belongs to its project, and Jenkins switches it for nobody (403)."
    return JenkinsError(Trouble.REFUSED, reason, status=403)
