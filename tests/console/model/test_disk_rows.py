"""What fills the disk, in rows: sizes that add up, and the notes."""

from __future__ import annotations

from hypothesis import given

from console.model.container import Container, ContainerState
from console.model.disk import once
from console.model.disk_rows import DiskRow, rows
from console.model.prunable import decide
from console.model.pruning import Kind, Known, Rule
from tests.console.pruneworlds import asked, image, known, part, stack, trained, unnamed, using, volume


def told(world: Known, rule: Rule | None = None) -> dict[str, DiskRow]:
    found = rows(world.disk, decide(world, rule if rule is not None else Rule()), world.containers)
    assert len({row.what for row in found}) == len(found)
    return {row.what: row for row in found}


@given(asked())
def test_sizes_of_images_add_up_and_what_can_go_is_a_part_of_them(world: tuple[Known, Rule]) -> None:
    known_, rule = world
    decision = decide(known_, rule)
    found = rows(known_.disk, decision, known_.containers)
    images = [row for row in found if row.kind is Kind.IMAGE]
    assert sum(row.size or 0 for row in images) == once(known_.disk.images)
    assert sum(row.count for row in images) == len(known_.disk.images)
    assert sum(row.can_go for row in found) == decision.bytes
    assert all(0 <= row.can_go <= (row.size or 0) for row in found)
    assert [row.size or 0 for row in found] == sorted((row.size or 0 for row in found), reverse=True)
    # The rule moves what can go, and never a size.
    assert [(row.what, row.size) for row in found] == [
        (row.what, row.size) for row in rows(known_.disk, decide(known_, Rule()), known_.containers)
    ]


def test_a_layer_counts_where_it_was_first() -> None:
    old, new = image("o", "mlops/project-a:1", days=9, layers=stack(0, 1)), image("n", "n:1", days=1, layers=stack(0, 2))
    found = told(known(images=[new, old]))
    assert found["images of project-a"].size == sum(layer.size for layer in stack(0, 1))
    assert found["other images"].size == stack(0, 2)[1].size == found["other images"].can_go
    assert found["images of project-a"].can_go == 0


def test_every_kind_has_its_row_and_note() -> None:
    run = trained("project-b", "b", 7)
    jobs: list[Container] = [using("a", of=run), using("b", ContainerState.EXITED)]
    world = known(
        images=[trained("project-a", "a", 174), trained("project-a", "b", 3), run, image("l", days=3), image("l2", days=9)],
        volumes=[volume("data", size=None), volume("more", size=4)],
        declared_volumes=["data", "more"],
        cache=[
            part("p", days=50, used=2, size=30),
            part("q", days=40, size=500, in_use=True),
            part("r", days=200, used=100, shared=True, size=7000),
        ],
        containers=jobs,
        written={one.id: 2 for one in jobs},
        logs={jobs[1].id: 1},
    )
    found = told(world)
    assert {what: (row.count, row.size, row.can_go, row.note, row.unknown) for what, row in found.items()} == {
        "images of project-a": (2, 20, 0, "oldest Jun 2", 0),
        "images of project-b": (1, 10, 0, "all in use", 0),
        "dangling images": (2, 20, 20, "no tag left", 0),
        "volumes": (2, 4, 0, "all declared", 1),
        "build cache": (3, 530, 30, "oldest Aug 15", 0),
        "containers": (2, 5, 3, "1 ended", 0),
    }
    assert next(iter(found)) == "build cache"


def test_notes_where_one_reason_holds_for_all() -> None:
    def note(world: Known) -> str:
        return next(iter(told(world).values())).note

    run = using("a")
    assert note(known(volumes=[volume("x"), volume("y")])) == "only by name"
    assert note(known(volumes=[volume("x", labels={"mlops.keep": "true"})])) == "all mlops.keep=true"
    assert note(known(volumes=[volume("x", days=None), volume("y", days=40), unnamed("a", created=None)])) == "oldest Oct 14"
    assert note(known(volumes=[unnamed("a", created=None)])) == ""
    assert note(known(cache=[part("x", in_use=True)])) == "all in use"
    assert note(known(containers=[run])) == "all in use"
    ended = using("b", ContainerState.EXITED, of=(old := image("o", "o:1")), labels={"mlops.keep": "true"})
    assert told(known(containers=[ended], images=[old]))["other images"].note == "all of stopped containers"
    assert told(known(containers=[run]))["containers"].size is None, "not known is not nothing"
    assert rows(known().disk, decide(known(), Rule()), ()) == ()
