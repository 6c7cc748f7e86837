"""What a prune removes, or leaves, in rows for people: one for all objects of a kind that belong together. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from console.model.pruning import Group, Kind, Verdict, Why
from console.model.words import counted
from console.text import Clean, clean

_ORDER = {why.value: at for at, why in enumerate(Why)}
_MOST_REASONS = 4


def groups(verdicts: Iterable[Verdict]) -> tuple[Group, ...]:
    """For people: one row for all verdicts of a group, the largest first. Give those of `remove` or those of `keep`."""
    found: defaultdict[tuple[Kind, Clean], list[Verdict]] = defaultdict(list)
    for one in verdicts:
        found[one.kind, one.group].append(one)
    rows = [_group(kind, name, members) for (kind, name), members in found.items()]
    return tuple(sorted(rows, key=lambda row: (-(row.bytes or 0), -row.count, row.name)))


def _group(kind: Kind, name: Clean, members: Sequence[Verdict]) -> Group:
    sizes = [size for one in members if (size := one.adds) is not None]
    # `images of cats` is a project's name, of which nothing may be cut.
    what, of, whose = name.partition(" of ")
    said = Clean(counted(len(members), what.removesuffix("s")) + of + whose)
    return Group(kind, name, said, len(members), sum(sizes) if sizes else None, clean(_reasons(members)))


def _reasons(members: Sequence[Verdict]) -> str:
    if len({one.reason for one in members}) == 1 and (len(members) == 1 or members[0].why is None):
        return members[0].reason
    counts = Counter(one.why.value if one.why is not None else str(one.reason) for one in members)
    if len(counts) == 1:
        return next(iter(counts))
    shown = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MOST_REASONS]
    parts = [f"{count:,} {words}" for words, count in sorted(shown, key=lambda item: (_ORDER.get(item[0], -1), item[0]))]
    rest = len(members) - sum(count for _, count in shown)
    return ", ".join([*parts, f"{rest:,} for other reasons"] if rest else parts)
