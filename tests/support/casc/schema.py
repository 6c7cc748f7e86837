"""The JSON schema that a real controller gives of its configuration (/configuration-as-code/schema), as far as it goes.

It is draft-07 in name. Each root holds one flat bag: its attributes, every thing that can stand anywhere below it, and for
each kind of thing (`retentionStrategy`) which there are (`always`, `demand`), all side by side. What should be `$ref` is
`$id`, and points to a class that is not in the schema: it is in the bag, under the class's simple name or under its symbol.
Two things with one symbol are one entry, of either. What is left open then is in known.py, with where it was seen.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.casc import known
from tests.support.casc.shapes import Choice, Items, Named, Ref, Scalar, Shape, Unsaid, faults

_CLASS = "#/definitions/"


@cache
def roots(recording: Path) -> Mapping[str, Any]:
    """What the recorded schema says of each root."""
    properties: Mapping[str, Any] = json.loads(gzip.decompress(recording.read_bytes()))["properties"]
    return properties


def wrong(tree: Mapping[str, Any], recording: Path) -> list[str]:
    """A sentence for everything in `tree` that the recorded controller, or what is known of it, would refuse."""
    return list(_wrong(tree, roots(recording)))


def _wrong(tree: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    for root, value in tree.items():
        if root not in schema:
            yield f"there is no root {root}"
            continue
        bag = _Bag(schema[root]["properties"])
        yield from faults(value, bag.top(root), bag, root)


class _Bag:
    """One root's entries."""

    def __init__(self, entries: Mapping[str, Any]) -> None:
        self._entries = entries

    def top(self, root: str) -> Shape:
        """The root itself: what it may hold is in the bag among everything else."""
        if root in known.ROOTS:
            return known.ROOTS[root]
        if root == "jenkins":
            return self._shape(self._entries["jenkins"], "jenkins")
        allowed = known.ATTRIBUTES[root]
        return Named({key: self._shape(self._entries[key], key) for key in allowed if key in self._entries})

    def resolved(self, ref: Ref) -> Shape:
        """What a class stands for: by the list first, because the bag mixes up two things with one symbol."""
        if ref.name in known.CLASSES:
            return known.CLASSES[ref.name]
        simple = ref.name.rpartition(".")[2].rpartition("$")[2]
        if ref.name.startswith("."):
            return self._shape(self._entries[simple], simple)
        for entry in (ref.symbol, simple[:1].lower() + simple[1:]):
            # There is an entry without a name. One that points on to its own class says no more than the Ref did.
            if entry and entry in self._entries and self._entries[entry].get("$id") != _CLASS + ref.name:
                found = self._shape(self._entries[entry], entry)
                more = known.MORE.get(ref.name, {})
                return Named({**found.attributes, **more}) if isinstance(found, Named) else found
        return Unsaid(ref.name)

    def _shape(self, said: Mapping[str, Any] | None, name: str) -> Shape:
        if not said:
            return Unsaid(name)
        if "$id" in said:
            return Ref(said["$id"].removeprefix(_CLASS))
        if "oneOf" in said:
            pairs = [pair for one in said["oneOf"] for pair in one["properties"].items()]
            return Choice({symbol: Ref(to["$id"].removeprefix(_CLASS), symbol) for symbol, to in pairs})
        if said["type"] == "array":
            (item,) = said["items"]
            return Items(self._shape(item, name)) if item.get("properties") or "$id" in item else Unsaid(name)
        if said["type"] == "object":
            return Named({key: self._attribute(name, key, value) for key, value in said["properties"].items()})
        return Scalar(said["type"], tuple(said.get("enum", ())))

    def _attribute(self, owner: str, key: str, said: Mapping[str, Any] | None) -> Shape:
        return known.OPEN.get((owner, key)) or self._shape(said, f"{owner}.{key}")
