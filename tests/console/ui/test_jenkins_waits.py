"""A build that waits for a node is told alike wherever it stands."""

from __future__ import annotations

from console.model.glyphs import Glyphs
from console.model.jenkins import Held, Work
from console.model.jenkins_rows import row
from console.text import clean
from console.ui import nodes
from console.ui.builds import why_lines
from console.ui.canvas import Line
from console.ui.look import Look
from console.ui.palette import DARK
from tests.console.fake_jenkins import NOW, build, item, job, node, world

LOOK = Look(DARK, Glyphs(True))


def text_of(lines: list[Line]) -> str:
    return " ".join("".join(text for text, _ in line).strip() for line in lines)


def test_why_a_build_waits_for_a_node_is_what_its_step_in_the_queue_says() -> None:
    runs = build(number=12, result=None)
    away = node("trainer-10", offline=True, labels=(clean("arm"),), reason=clean("gone"))
    step = item(7, None, "All nodes of label ‘arm’ are offline", part_of=runs.ref)
    work = Work((away,), (step,), frozenset({runs.ref}))
    seen = world(job("train", runs), work=work, held={runs.ref: Held("node", clean(""))})
    told = text_of(why_lines(row(seen, runs), seen, LOOK, 200))
    assert told.startswith("It needs a node with the label arm. The only one is trainer-10, which is off line.")
    assert told.endswith("It begins when trainer-10 is back.")


def test_a_node_is_wanted_by_what_waits_for_it_and_by_nothing_else() -> None:
    one, ten = node("trainer-1", offline=True, labels=(clean("web"),)), node("trainer-10", offline=True, labels=(clean("arm"),))
    queue = (item(7, why="‘trainer-10’ is offline"), item(8, why="All nodes of label ‘arm’ are offline"))
    seen = world(work=Work((one, ten), queue, frozenset()))
    assert "wanted by" not in text_of(nodes.about(one, seen, LOOK, 80, NOW))
    assert "2 in the queue" in text_of(nodes.about(ten, seen, LOOK, 80, NOW))
