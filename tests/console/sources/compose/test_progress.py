"""Compose's lines made into sentences: those of 2.40, of older ones, and of whoever means harm."""

from __future__ import annotations

import json

import pytest

from console.sources.compose.progress import Progress
from console.text import Clean


def sentences(*lines: str) -> tuple[list[Clean], Progress]:
    told: list[Clean] = []
    progress = Progress("xp", {"own-name": "named"}, told.append)
    for line in lines:
        progress.hear(line.encode())
    return told, progress


def event(**fields: object) -> str:
    return json.dumps(fields)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"id":"Container xp-db-1","status":"Stopping"}', "db stopping"),
        ('{"id":"Container xp-db-1","status":"Recreate"}', "db recreating"),
        ('{"id":"Container xp-db-1","status":"Waiting"}', "waiting for db"),
        ('{"id":"Container xp-db-1","status":"Error"}', "db failed"),
        ('{"id":"Container xp-my-db-2-2","status":"Started"}', "my-db-2-2 started"),
        ('{"id":"Container xp_db_1","status":"Started"}', "db started"),
        ('{"id":"Container own-name","status":"Started"}', "named started"),
        ('{"id":"Container somebody-s","status":"Started"}', "somebody-s started"),
        ('{"id":"Container 0123456789ab_xp-db-1","status":"Started"}', "db started"),
        ('{"id":"Network xp_default","status":"Creating"}', "network xp_default creating"),
        ('{"id":"Volume xp_data","status":"Created"}', "volume xp_data created"),
        ('{"id":"web","text":"Pulling"}', "pulling web"),
        ('{"id":"web","text":"Pulled"}', "web pulled"),
        ('{"id":"web","status":"Interrupted"}', "web interrupted"),
        ('{"id":"web","text":"Warning","status":"not for this machine"}', "web warning: not for this machine"),
        (
            '{"id":"web","text":"Skipped - Image is already being pulled by db"}',
            "web skipped: image is already being pulled by db",
        ),
        ('{"id":"Container xp-db-1","status":"Working","text":"Starting"}', "db starting"),
        (" Container xp-db-1  Started", "db started"),
        (" Network xp_default  Created ", "network xp_default created"),
        (" web Pulling ", "pulling web"),
        (" web Skipped - Image can be built ", "web skipped: image can be built"),
        (
            'Volume "xp_data" exists but doesn\'t match configuration in compose file. Recreate (data will be lost)?',
            'Volume "xp_data" exists but doesn\'t match configuration in compose file.',
        ),
    ],
)
def test_a_sentence_for_each_event(line: str, sentence: str) -> None:
    told, progress = sentences(line, line)
    assert (told, progress.complaint) == ([sentence], "")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "   ",
        '{"level":"warning","msg":"Found orphan containers ([x]): use the --remove-orphans flag"}',
        'time="x" level=warning msg="The \\"A\\" variable is not set."',
        " 30c80499f154 Downloading [==>   ]  1MB/2MB",
        "WARNING: Error loading config file: /home/op/.docker/config.json",
        '{"id":"30c80499f154","parent_id":"web","text":"Pulling fs layer"}',
        "{}",
        '{"id":5,"status":[1]}',
    ],
)
def test_what_is_nothing_to_people(line: str) -> None:
    told, progress = sentences(line)
    assert (told, progress.complaint, progress.begun) == ([], "", False)


def layer(name: str, text: str, current: object = None, total: object = None) -> str:
    return event(id=name, parent_id="web", text=text, current=current, total=total)


def test_how_much_is_loaded_counts_all_layers_and_never_falls() -> None:
    told, _ = sentences(
        event(id="web", text="Pulling"),
        layer("a", "Downloading", 10, 100),
        layer("a", "Downloading", 41, 100),
        layer("b", "Downloading", 0, 100),
        layer("b", "Downloading", 60, 100),
        layer("a", "Download complete"),
        layer("a", "Extracting", 30, 100),
        layer("b", "Downloading", 100, 100),
        layer("a", "Extracting", 100, 100),
        layer("a", "Pull complete"),
        event(id="web", text="Pulled"),
    )
    assert told == [
        "pulling web",
        "pulling web 10%",
        "pulling web 41%",
        "pulling web 50%",
        "pulling web 80%",
        "unpacking web 30%",
        "pulling web 100%",
        "unpacking web 100%",
        "web pulled",
    ]


@pytest.mark.parametrize(
    ("current", "total"), [("1", 2), (1, None), (-1, 5), (5, 1), (0, 0), (1.5, 2), (True, []), (10**400, 1), (None, None)]
)
def test_a_size_that_makes_no_sense_is_none(current: object, total: object) -> None:
    assert sentences(layer("a", "Downloading", current, total), layer("a", "Download complete"))[0] == []


def test_the_complaint_names_what_it_is_about_and_says_nothing_twice() -> None:
    refused = 'Get "http://localhost:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused'
    for lines in (
        [event(id="bad", text="Error", status=refused), event(error=True, message=f"Error response from daemon: {refused}")],
        [f" bad Error {refused} ", f"Error response from daemon: {refused}"],
        [event(id="bad", status="Error", text="Error", details=refused), f"Error response from daemon: {refused}"],
    ):
        assert sentences(*lines)[1].complaint == f"bad: {refused}"


def test_several_complaints_and_the_words_for_a_program_that_is_missing() -> None:
    shim = "failed to create shim task: OCI runtime create failed: runc create failed: "
    missing = 'unable to start container process: exec: "/nope": stat /nope: no such file or directory: unknown'
    _, progress = sentences(
        event(id="Container xp-db-1", status="Error response from daemon: No such image: a:1"),
        event(error=True, message=f"Error response from daemon: {shim}{missing}"),
    )
    assert progress.complaint == "db: No such image: a:1; /nope is not in the image"


def test_options_that_an_old_compose_explains_are_no_complaint() -> None:
    _, progress = sentences("unknown flag: --progress", "", "Usage:  docker compose [OPTIONS]", "", "Options:", "  -f  FILE")
    assert progress.complaint == "unknown flag: --progress"


def test_hostile_lines_do_no_harm() -> None:
    told, progress = sentences(
        event(id="Container \x1b]52;c;eA==\x07xp-db-1", status="\x1b[31mStarting"),
        event(id="Container xp-a\nb-1", status="Sto\u202epped\r\n"),
        " Container xp-x\x1b[2J-1  Started\x1b[0m",
        "[" * 60_000,
        "{" * 60_000,
        '{"a":' * 20_000,
        event(error=True, message="no\x1b[1mpe " + "x" * 5000),
        *(event(error=True, message=f"more {number}") for number in range(500)),
        *(event(id=f"Container xp-{number}-1", status=f"Error response from daemon: {number}") for number in range(500)),
    )
    assert told[0] == "db starting"
    assert told[-1] == "x started"
    for one in (*told, progress.complaint):
        assert one.isprintable()
        assert type(one) is Clean
        assert len(one) < 420
