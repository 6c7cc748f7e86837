"""What a build is asked for with: the values of the one before, what a person changed, what the platform wants. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from console.actions.jenkins.finding import Wish
from console.actions.plan import MASK, Entry, Say
from console.model.asking import Definition, FieldKind
from console.model.build import Build, Parameter, Result
from console.model.words import commit_id
from console.text import Clean, clean

COMMIT, PROJECT, FORCE, RESUME = "COMMIT", "PROJECT", "FORCE", "RESUME_FROM"
_REQUEST = ("DELIVERY", "TIMESTAMP")
"""They name one request, and a second one with them is refused as a replay (docs/platform.md): by hand they are empty."""

_BY_HAND = Clean("empty by hand")
_OF_A_PROJECT = (COMMIT, RESUME, "OVERRIDES")
_KEY = 12
_TRUE, _FALSE = frozenset({"true", "on", "yes", "1"}), frozenset({"false", "off", "no", "0", ""})
_LONG = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What will be sent, and what is to be said of it. `values` holds secrets: it shows itself without them.

    `trained` is the build that trained the same commit, `sentences` what a person should know beside the fields.
    """

    values: Mapping[str, str] = field(repr=False)
    entries: tuple[Entry, ...] = ()
    sentences: tuple[Say, ...] = ()
    trained: int | None = None

    @property
    def project(self) -> str:
        return self.values.get(PROJECT, "")


def asked(
    wish: Wish, definitions: Sequence[Definition], source: Build | None, history: Sequence[Build], described: str = ""
) -> Asked:
    """`source` is the build to run again, `history` the newest of its job. `described` is what is known of a checkpoint."""
    declared = {str(one.name): one for one in definitions}
    before = {str(one.name): one for one in source.parameters} if source is not None else {}
    values = {name: _first(one, before.get(name)) for name, one in declared.items()}
    sentences: list[Say] = []
    emptied = _empty_request(declared, values)
    if PROJECT in wish.values and PROJECT in before and wish.values[PROJECT] != before[PROJECT].value:
        for name in _OF_A_PROJECT:
            if name in declared:
                values[name] = str(declared[name].default or "")
    for name, value in wish.values.items():
        if name in declared:
            # What is neither stays as it was written, so that its field can say so.
            values[name] = (as_boolean(value) or value) if declared[name].kind is FieldKind.BOOLEAN else value
    if wish.resume_from is not None and RESUME in declared:
        values[RESUME] = str(wish.resume_from)
    key = _key(values)
    trained = _trained(key, history)
    if FORCE in declared and FORCE not in wish.values:
        if wish.force:
            values[FORCE] = "true"
        elif trained is not None and values.get(FORCE) != "true":
            values[FORCE] = "true"
            sentences.append(Say("but", clean(f"{commit_id(values[COMMIT])} was trained in #{trained}. FORCE is set.")))
    if FORCE in declared and trained is not None and values.get(FORCE) != "true":
        sentences.append(
            Say("but", clean(f"#{trained} trained this commit: without FORCE the build ends at once, as skipped."))
        )
    sentences += _left_out(before, declared)
    if PROJECT in declared and COMMIT in declared and not values.get(COMMIT):
        sentences.append(Say("but", _no_commit(source)))
    entries = [_entry(one, values.get(name), before.get(name), source) for name, one in declared.items()]
    noted = [
        replace(entry, changed=False, note=_BY_HAND)
        if entry.name in emptied and not entry.value
        else _noted(entry, trained, key, described)
        for entry in entries
    ]
    sent = {name: value for name, value in values.items() if value is not None}
    return Asked(sent, tuple(noted), tuple(sentences), trained)


def _first(one: Definition, before: Parameter | None) -> str | None:
    """What is sent unless a person says otherwise. None leaves it out: then Jenkins takes the default."""
    if before is not None and before.value is not None and one.kind not in (FieldKind.PASSWORD, FieldKind.FILE):
        return str(before.value)
    return (
        None if one.default is None or not one.exact or one.kind in (FieldKind.PASSWORD, FieldKind.FILE) else str(one.default)
    )


def _empty_request(declared: Mapping[str, Definition], values: dict[str, str | None]) -> Collection[str]:
    """Which fields were emptied: no person did it, so it counts as no change."""
    if not all(name in declared for name in (*_REQUEST, PROJECT, COMMIT)):
        return ()
    values.update(dict.fromkeys(_REQUEST, ""))
    return _REQUEST


def _key(values: Mapping[str, str | None]) -> str | None:
    """`project@` and 12 digits of the commit: what the display name of a training ends with (Jenkinsfile, judge())."""
    project, commit = values.get(PROJECT), values.get(COMMIT) or ""
    return f"{project}@{commit[:_KEY]}" if project and _LONG.fullmatch(commit) else None


def _trained(key: str | None, history: Sequence[Build]) -> int | None:
    """The newest build that trained the same, by its name as the pipeline looks for it, or by what it was asked for."""
    if key is None:
        return None
    done = [one for one in history if one.result is Result.SUCCESS and not one.building]
    return max((one.number for one in done if one.name.endswith(f" {key}") or _asked_for(one) == key), default=None)


def _asked_for(build: Build) -> str | None:
    return _key({name: build.parameter(name) for name in (PROJECT, COMMIT)})


def _left_out(before: Mapping[str, Parameter], declared: Mapping[str, Definition]) -> list[Say]:
    gone = [name for name in before if name not in declared]
    return [Say("goes", clean(f"{name}: the job has no such parameter any more")) for name in gone]


def _no_commit(source: Build | None) -> Clean:
    which = f"; #{source.number} trained {commit_id(source.commit)}" if source is not None and source.commit else ""
    return clean(f"COMMIT is empty: that is the newest of the release branch when it begins{which}.")


def _entry(one: Definition, value: str | None, before: Parameter | None, source: Build | None) -> Entry:
    secret = one.kind is FieldKind.PASSWORD
    was = MASK if secret and before is not None else before.value if before is not None and before.value else Clean("")
    shown = clean(value or "", lines=True)
    # A parameter that the build before did not have is changed where it does not have its default.
    usual = was if before is not None else one.default or ""
    changed = value is not None if secret else shown != usual
    note = Clean("")
    if secret and value is None:
        note = Clean("hidden: the job's default is used")
    elif before is None:
        note = clean(f"new since #{source.number}") if source is not None else note
    elif changed and not secret:
        note = clean(f"was {was.splitlines()[0]}" if was else "was empty")
    return Entry(
        name=one.name,
        kind=one.kind,
        value=MASK if secret and value else shown,
        was=was,
        note=note,
        choices=one.choices,
        changed=changed,
        problem=_problem(one, value, before),
    )


def _problem(one: Definition, value: str | None, before: Parameter | None) -> Clean | None:
    """Why it cannot be sent as it is."""
    if value is not None and before is not None and not before.exact and value == before.value:
        return clean(f"{one.name} of the build before holds characters that are not shown as they are: give it anew.")
    return unfit(one, value)


def unfit(one: Definition, value: str | None) -> Clean | None:
    """Why a field does not take this value; None where it does, and where it has none."""
    if one.kind is FieldKind.FILE:
        return clean(f"{one.name} is a file, which cannot be sent from here.")
    if value is None:
        return None
    if one.kind is FieldKind.CHOICE and one.choices and value not in one.choices:
        return clean(f"{one.name} cannot be {clean(value, limit=60) or 'empty'}: it is one of {', '.join(one.choices[:8])}.")
    if one.kind is FieldKind.BOOLEAN and as_boolean(value) is None:
        return clean(f"{one.name} is true or false, not {clean(value, limit=60)}.")
    return None


def _noted(entry: Entry, trained: int | None, key: str | None, described: str) -> Entry:
    """What is known of the two fields that decide whether and from where it trains."""
    note = ""
    if entry.name == COMMIT and key is not None:
        note = f"trained in #{trained}" if trained is not None else "not trained yet"
    elif entry.name == RESUME and entry.value and described:
        note = described
    if not note:
        return entry
    return replace(entry, note=clean(": ".join(part for part in (entry.note, note) if part)))


def as_boolean(text: str) -> str | None:
    """`true` or `false` for what people write; None when it is neither."""
    word = text.strip().lower()
    return "true" if word in _TRUE else "false" if word in _FALSE else None
