"""What is typed after `prune` in the palette: kinds and the rule, in the words of the command line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from console.model.pruning import Kind, Rule, count_of, span_of, span_text

_KINDS = {"images": Kind.IMAGE, "volumes": Kind.VOLUME, "build-cache": Kind.CACHE, "containers": Kind.CONTAINER}
_ALSO = {"cache": "build-cache"}
_KEEP, _OLDER = "--keep", "--older-than"


def rule_of(words: Sequence[str], usual: Rule) -> Rule | None:
    """The rule that these words ask for: `images --keep 3`, `--older-than 12h`, or none. None for what makes no sense."""
    kinds: set[Kind] = set()
    rule, rest = usual, list(words)
    while rest:
        word = rest.pop(0)
        name = word.removeprefix("--")
        if (kind := _KINDS.get(_ALSO.get(name, name))) is not None:
            kinds.add(kind)
        elif word == _KEEP and rest and (keep := count_of(rest[0])) is not None:
            rule, rest = replace(rule, keep=keep), rest[1:]
        elif word == _OLDER and rest and (span := span_of(rest[0])) is not None:
            rule, rest = replace(rule, older_than=span or None), rest[1:]
        else:
            return None
    return replace(rule, kinds=frozenset(kinds)) if kinds else rule


def offers(words: Sequence[str], usual: Rule) -> list[tuple[str, str]]:
    """What can be meant by the words so far, each with what it does; first what is typed, where that is a rule already."""
    older = span_text(usual.older_than) if usual.older_than is not None else "30d"
    every = [
        ("", "all that can go by the usual rule"),
        ("images", "images of projects, and those without a tag"),
        (f"images {_KEEP} {usual.keep}", f"the same, keep {usual.keep} per project"),
        ("volumes", "volumes without a name"),
        ("build-cache", "parts of the build cache"),
        ("containers", "containers that have ended"),
        (f"{_OLDER} {older}", "only what was not used for so long"),
    ]
    typed = " ".join(words)
    found = [one for one in every if one[0].startswith(typed) or (typed and typed in one[0])]
    if typed and all(name != typed for name, _ in found) and (rule := rule_of(words, usual)) is not None:
        found.insert(0, (typed, rule.told))
    return found
