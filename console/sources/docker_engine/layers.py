"""What an image is made of: its layers, their sizes, and the names that two images share them by.

The Engine tells the layers of an image without sizes (`RootFS.Layers` of `GET /images/{id}/json`), and sizes by the steps that
made it (`GET /images/{id}/history`), most of which made no layer. Seen from Engine 20.10: the sizes of the steps add up to the
size of the image, to the byte, whoever built it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from console.model.disk import Layer
from console.text import clean

# BuildKit writes Dockerfile words; the older builder writes what its shell would run, with "#(nop)" where it ran nothing.
_OLDER = re.compile(r"^(?:/bin/sh -c|cmd /S /C) #\(nop\)\s*")
_WITHOUT = frozenset(
    "ARG CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL MAINTAINER ONBUILD SHELL STOPSIGNAL USER VOLUME".split()  # noqa: SIM905
)
_EMPTY = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
_DIFF_ID = re.compile(r"[a-z0-9]{1,16}:[0-9a-f]{32,128}")


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a history. `size` is in bytes, `by` is what made it, `image` what stood then; None where it was not kept."""

    size: int
    by: str
    image: str | None = None

    @property
    def makes_one(self) -> bool:
        """Whether it should have made a layer, going by its words. Below `import` and `commit` there are none: they do."""
        words = _OLDER.sub("", self.by).split(maxsplit=2)
        if not words or self.size > 0:
            return True
        # The root is always there already.
        return words[0] not in _WITHOUT and words[:2] != ["WORKDIR", "/"]


def chains(diff_ids: Sequence[str]) -> tuple[str, ...]:
    """The name of each layer together with all below it, as Docker makes it. `diff_ids` and the answer: the lowest first."""
    found: list[str] = []
    for diff_id in diff_ids:
        found.append("sha256:" + hashlib.sha256(f"{found[-1]} {diff_id}".encode()).hexdigest() if found else diff_id)
    return tuple(found)


def diff_ids_of(inspected: object) -> tuple[str, ...] | None:
    """The layers that `GET /images/{id}/json` names; None where it names none in a way that can be understood."""
    root = inspected.get("RootFS") if isinstance(inspected, dict) else None
    named = root.get("Layers") if isinstance(root, dict) else None
    if not isinstance(named, list) or not named:
        return None
    good = tuple(one for one in named if isinstance(one, str) and _DIFF_ID.fullmatch(one))
    return good if len(good) == len(named) else None


def steps_of(history: object) -> tuple[Step, ...] | None:
    """The steps that `GET /images/{id}/history` lists, the first one first; None where it is no such list."""
    if not isinstance(history, list):
        return None
    steps: list[Step] = []
    for entry in reversed(history):
        raw: dict[str, Any] = entry if isinstance(entry, dict) else {}
        size, by, image = raw.get("Size"), raw.get("CreatedBy"), raw.get("Id")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            return None
        kept = image if isinstance(image, str) and _DIFF_ID.fullmatch(image) else None
        steps.append(Step(size, by if isinstance(by, str) else "", kept))
    return tuple(steps)


def layers(diff_ids: Sequence[str] | None, steps: Sequence[Step] | None, size: int) -> tuple[Layer, ...] | None:
    """The layers of an image of `size` bytes; None where what the Engine tells does not fit together."""
    if diff_ids is None or steps is None:
        return None
    sizes = _sizes(diff_ids, steps)
    return None if sizes is None else _named(diff_ids, sizes, size)


def layers_by_counts(
    diff_ids: Sequence[str] | None, steps: Sequence[Step] | None, counts: Sequence[int | None], size: int
) -> tuple[Layer, ...] | None:
    """The same where it is known how many layers stood after a step (`counts`, None: not known), as the older builder keeps it.

    It leaves no layer behind a RUN that changed nothing, and nothing else tells that one from a RUN that made an empty folder.
    """
    known = [at for at, count in enumerate(counts) if count is not None]
    if diff_ids is None or steps is None or not known:
        return None
    first = known[0]
    sizes = _sizes(diff_ids[: counts[first]], steps[: first + 1])
    if sizes is None:
        return None
    for step, count in zip(steps[first + 1 :], counts[first + 1 :], strict=True):
        if count == len(sizes) + 1:
            sizes.append(step.size)
        elif count != len(sizes) or step.size:
            return None
    return _named(diff_ids, sizes, size)


def _named(diff_ids: Sequence[str], sizes: Sequence[int], size: int) -> tuple[Layer, ...] | None:
    if len(sizes) != len(diff_ids) or sum(sizes) != size:
        return None
    return tuple(Layer(clean(chain), one) for chain, one in zip(chains(diff_ids), sizes, strict=True))


def _sizes(diff_ids: Sequence[str], steps: Sequence[Step]) -> list[int] | None:
    """Bytes of each layer."""
    by_words = [step.size for step in steps if step.makes_one]
    if len(by_words) == len(diff_ids):
        return by_words
    # A step that changed nothing has left no layer (older builder), or one whose archive is empty and known by its digest.
    filled = [step.size for step in steps if step.size > 0]
    if len(filled) == len(diff_ids):
        return filled
    if len(filled) == sum(one != _EMPTY for one in diff_ids):
        rest = iter(filled)
        return [0 if one == _EMPTY else next(rest) for one in diff_ids]
    return None
