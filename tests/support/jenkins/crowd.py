"""A controller as a platform has it after a year: many jobs that differ in everything, with a past.

Every name, number, moment, cause, commit and result is drawn from one seed, so that two runs compare. Nothing is a copy
of something else: copies pack 40 times smaller than real answers do.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from console.demo.controller import (
    OPERATOR,
    Build,
    Cause,
    CauseKind,
    Checkout,
    Controller,
    Job,
    Kind,
    Link,
    Node,
    OnNode,
    Parameter,
    ParameterKind,
    ParameterValue,
    Pipeline,
    Sh,
    Stage,
)

TOKEN = "11" + "c0ffee00" * 4
USER = "operator"
BUILDS = 20
DAY = 24 * 3600 * 1000
_PARENTS = (
    "", "research", "research/vision", "research/speech", "platform", "platform/images", "team a", "data-engineering",
)  # fmt: skip
_WHAT = (
    "train", "evaluate", "publish", "export", "ingest", "label", "distil", "backtest", "quantize", "smoke", "drift", "sweep",
)  # fmt: skip
_OF = (
    "churn", "fraud", "pricing", "recsys", "ocr", "asr", "tts", "ner", "segmentation", "detector", "reranker", "embeddings",
    "forecast", "anomaly", "translation", "captioning", "matching", "geo",
)  # fmt: skip
_TOPICS = ("warmup", "cosine", "ema", "amp", "tokenizer", "loader", "metrics", "retry", "seed", "cache", "resume", "fp16")
_PEOPLE = ("a.sato", "b.novak", "c.okafor", "d.ramos", "e.lind", "f.haddad", "g.kim")
_RESULTS = ("SUCCESS", "SUCCESS", "SUCCESS", "SUCCESS", "SUCCESS", "FAILURE", "FAILURE", "UNSTABLE", "ABORTED", "NOT_BUILT")
_PARAMETERS = (Parameter("PROJECT"), Parameter("COMMIT"), Parameter("OVERRIDES", ParameterKind.TEXT))


def crowd(clock: Callable[[], int], count: int = 200, *, seed: int = 7, training: float = 3600.0) -> Controller:
    """`count` jobs with 20 builds each: Pipelines, freestyle jobs and branches, in folders and outside.

    A new build of a Pipeline takes `training` seconds from the moment in which it has a node.

    USER with TOKEN may read, build and cancel. Three nodes are there, of which two take one training each, and one is away.
    Nothing runs; `work` starts something.
    """
    dice = random.Random(seed)  # noqa: S311 (nothing is secret here)
    controller = Controller(clock, seed=f"crowd {seed}", executors=0)
    controller.add_user(USER, OPERATOR, full_name="Console operator", tokens={"console": TOKEN})
    for person in _PEOPLE:
        controller.add_user(person, OPERATOR, full_name=person)
    for name, label, executors in (("trainer-1", "gpu", 1), ("trainer-2", "gpu", 1), ("builder-1", "docker", 4)):
        controller.add_node(Node(name, (label, "linux"), executors, exclusive=True))
    controller.add_node(Node("trainer-3", ("gpu",), 1, exclusive=True, link=Link.LAUNCH_FAILED))
    for parent in _PARENTS[1:]:
        controller.add_folder(parent)
    for at, job in enumerate(_jobs(controller, dice, count, _script(training))):
        controller.next_queue_id = 1000 + at * BUILDS
        _past(controller, dice, job)
    controller.next_queue_id = 1000 + (count + 1) * BUILDS
    return controller


def _jobs(controller: Controller, dice: random.Random, count: int, script: Pipeline) -> Iterator[Job]:
    """One half are branches, the other half Pipelines and freestyle jobs."""
    names = [f"{what}-{of}" for what in _WHAT for of in _OF]
    dice.shuffle(names)
    for at in range(count - count // 2):
        name = names[at % len(names)] + (f"-{at // len(names)}" if at >= len(names) else "")
        parent = dice.choice(_PARENTS)
        full = f"{parent}/{name}" if parent else name
        if at % 3 == 0:
            yield controller.add_job(full, _SHELL, kind=Kind.FREESTYLE, disabled=dice.random() < 0.05, label="docker")
        else:
            known = _PARAMETERS if at % 3 == 1 else ()
            yield controller.add_job(full, script, parameters=known, concurrent=dice.random() < 0.5)
    left, number = count // 2, 0
    while left:
        number += 1
        project = controller.add_multibranch(
            "/".join(filter(None, (dice.choice(_PARENTS), f"{dice.choice(_OF)}-models-{number}"))),
            {},
            remote="https://git.example.org/models.git",
        )
        branches = ["main", f"release/{dice.randint(1, 9)}.{dice.randint(0, 30)}"]
        kinds = ("feature", "fix", "renovate")
        branches += [
            f"{dice.choice(kinds)}/ML-{dice.randint(100, 9999)}-{dice.choice(_TOPICS)}" for _ in range(dice.randint(2, 10))
        ]
        for branch in branches[:left]:
            commit = f"{dice.getrandbits(160):040x}"
            project.branches[branch] = (commit, script)
            job = controller.add_branch(project, branch, commit, script)
            job.dead = dice.random() < 0.08
            left -= 1
            yield job


_SHELL = Pipeline((Sh("make", ("ok", 5.0)),))


def _script(training: float) -> Pipeline:
    train = OnNode("gpu", (Stage("Train", (Sh("train", ("epoch 1", training)),)),))
    return Pipeline((Stage("Check", (Sh("check", ("ok",)),)), train), agent=None)


def _past(controller: Controller, dice: random.Random, job: Job) -> None:
    """Builds of the last months, the newest minutes to weeks ago; old ones were thrown away, so numbers begin anywhere."""
    job.next_number = dice.randint(1, 900)
    usual = dice.randint(20_000, 4_000_000)
    moments = sorted(controller.now - 2 * usual - int(dice.expovariate(1 / (6 * DAY))) for _ in range(BUILDS))
    for moment in moments:
        took = int(usual * dice.uniform(0.7, 1.4)) + dice.randint(0, 999)
        commit = f"{dice.getrandbits(160):040x}"
        build = Build(
            job,
            job.next_number,
            controller.next_queue_id,
            [_cause(dice, job)],
            tuple(
                ParameterValue(one.name, one.kind, {"COMMIT": commit, "PROJECT": job.name}.get(one.name, "lr=3e-4\n"))
                for one in job.parameters
            ),
            left_queue_at=moment,
            started_at=moment + dice.randint(1, 9),
            building=False,
            result=dice.choice(_RESULTS),
            declarative=job.kind is Kind.PIPELINE,
        )
        build.ended_at = build.started_at + took
        if job.branch is not None:
            build.checkouts.append(Checkout("https://git.example.org/models.git", commit, branch=job.branch))
        job.builds[build.number] = build
        job.next_number += 1
        controller.next_queue_id += 1


def _cause(dice: random.Random, job: Job) -> Cause:
    if job.branch is not None:
        return Cause(CauseKind.INDEXING, "Branch indexing")
    person = dice.choice(_PEOPLE)
    return dice.choice(
        (
            Cause(CauseKind.USER, f"Started by user {person}", user=(person, person)),
            Cause(CauseKind.HOOK, f"release of {job.name} (delivery {dice.getrandbits(48):012x})"),
            Cause(CauseKind.TIMER, "Started by timer"),
        )
    )


def work(controller: Controller, trainings: int = 3) -> list[str]:
    """Start trainings of different jobs, by their names: two find a node, the others begin and then wait for one."""
    jobs = [job for job in controller.jobs.values() if job.kind is Kind.PIPELINE and job.buildable and job.concurrent]
    names = [job.full_name for job in jobs[:: len(jobs) // trainings][:trainings]]
    for name in names:
        controller.trigger(name, by=_PEOPLE[0], delay=0)
    return names
