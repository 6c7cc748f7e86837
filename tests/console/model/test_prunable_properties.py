"""What holds for every disk and every rule. What is protected is written here a second time, as plain sets."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import TypeVar, cast

from hypothesis import given
from hypothesis import strategies as st

from console.model.container import Container, ContainerState
from console.model.disk import CacheRecord, Image, Volume, freed, once
from console.model.prunable import decide
from console.model.prunegroups import groups
from console.model.pruning import Decision, Kind, Known, Rule, Verdict
from console.text import clean
from tests.console.pruneworlds import asked

_ENDED = {ContainerState.EXITED, ContainerState.DEAD}
_KEEP, _PROJECT, _COMMIT, _PURPOSE = map(clean, ("mlops.keep", "mlops.project", "mlops.commit", "mlops.purpose"))
Labelled = Image | Volume | Container
T = TypeVar("T")


def ids(verdicts: tuple[Verdict, ...], kind: Kind) -> set[str]:
    return {one.id for one in verdicts if one.kind is kind}


def kept(one: Labelled) -> bool:
    return one.labels.get(_KEEP, "").casefold() == "true"


def named(one: Image) -> set[tuple[str, str]]:
    return {(found[1], found[2]) for name in one.names if (found := re.fullmatch(r"mlops/(.+):(.+)", name))}


def projects(one: Image) -> set[str]:
    return {project for project, _ in named(one)} | {one.labels[name] for name in (_PROJECT,) if name in one.labels}


def commits(one: Image) -> set[tuple[str, str]]:
    labelled = one.labels.get(_PROJECT) or next((project for project, _ in sorted(named(one))), None)
    said = {(labelled, one.labels[_COMMIT][:12])} if labelled and _COMMIT in one.labels else set()
    return named(one) | said


def is_validation(one: Image) -> bool:
    return one.labels.get(_PURPOSE) == "validate"


def newest(images: tuple[Image, ...]) -> set[str]:
    """Of each project the newest image that is not for checking a branch."""
    found: set[str] = set()
    for project in {project for one in images for project in projects(one)}:
        own = [one for one in images if project in projects(one) and not is_validation(one)]
        found |= {one.id for one in own if one.created == max(other.created for other in own)}
    return found


def places(known: Known, keep: int) -> set[str]:
    """Images that have one of the `keep` places of their project and purpose: fewer than that many are newer."""
    found: set[str] = set()
    ranked = [one for one in known.disk.images if one.names and not is_validation(one)]
    for one in ranked:
        for project in projects(one):
            line = [
                other
                for other in ranked
                if project in projects(other) and other.labels.get(_PURPOSE, "train") == one.labels.get(_PURPOSE, "train")
            ]
            if sum(other.created > one.created for other in line) < max(1, keep):
                found.add(one.id)
    # Of each purpose the newest stays even where it has lost its name.
    for kind in {one.labels.get(_PURPOSE, "train") for one in known.disk.images}:
        found |= newest(tuple(one for one in known.disk.images if one.labels.get(_PURPOSE, "train") == kind))
    return found


def protected_images(known: Known) -> set[str]:
    found: set[str] = {one.image_id for one in known.containers if one.state not in _ENDED}
    found |= newest(known.disk.images) | (set(known.declared_images or ()))
    found |= {one.id for one in known.disk.images if kept(one)}
    good = {(project, commit) for project, builds in (known.good or {}).items() for commit in builds}
    found |= {one.id for one in known.disk.images if commits(one) & good}
    if known.good is None:
        found |= {one.id for one in known.disk.images if projects(one)}
    if known.declared_images is None:
        found |= {one.id for one in known.disk.images if not projects(one)}
    return found


def protected_volumes(known: Known, rule: Rule) -> set[str]:
    found = {
        mount.source for one in known.containers if one.state not in _ENDED for mount in one.mounts if mount.kind == "volume"
    }
    found |= set(known.declared_volumes or ()) | {one.name for one in known.disk.volumes if kept(one)}
    nameless = {one.name for one in known.disk.volumes if re.fullmatch("[0-9a-f]{64}", one.name)}
    with_names = {one.name for one in known.disk.volumes} - nameless
    return found | (with_names if known.declared_volumes is None else with_names - rule.named)


def by_rule(rule: Rule, known: Known, kind: Kind, when: datetime | None, labels: dict[str, str]) -> bool:
    """Whether what nothing protects goes by the rule."""
    if rule.label is not None:
        name, given_value, value = rule.label.partition("=")
        if kind is Kind.CACHE or name not in labels or (given_value and labels[name] != value):
            return False
    if rule.older_than is not None and (when is None or when > known.now - rule.older_than):
        return False
    return kind in rule.kinds


def strings(one: Labelled) -> dict[str, str]:
    return {str(name): str(value) for name, value in one.labels.items()}


def ended(one: Container) -> datetime:
    known = one.details.finished_at if one.details is not None else None
    return one.created if known is None else known


def expected(known: Known, rule: Rule) -> dict[Kind, set[str]]:
    """All that goes, worked out once more."""
    containers: set[str] = {
        one.id
        for one in known.containers
        if one.state in _ENDED and not kept(one)
        and by_rule(rule, known, Kind.CONTAINER, ended(one), strings(one))
    }  # fmt: skip
    staying = [one for one in known.containers if one.id not in containers]
    with_image = {one.image_id for one in staying} | protected_images(known) | places(known, rule.keep)
    with_volume = {mount.source for one in staying for mount in one.mounts if mount.kind == "volume"}
    images: set[str] = {
        one.id
        for one in known.disk.images
        if one.id not in with_image and by_rule(rule, known, Kind.IMAGE, one.created, strings(one))
    }
    stay = {layer.chain for one in known.disk.images if one.id not in images for layer in one.layers or ()}
    images -= {one.id for one in known.disk.images if one.layers and {layer.chain for layer in one.layers} <= stay}
    volumes: set[str] = {
        one.name
        for one in known.disk.volumes
        if one.name not in with_volume | protected_volumes(known, rule)
        and (
            (one.name in rule.named and Kind.VOLUME in rule.kinds)
            or (by_rule(rule, known, Kind.VOLUME, one.created, strings(one)) and (rule.nameless or not one.anonymous))
        )
    }
    cache: set[str] = {
        one.id
        for one in known.disk.cache
        if not one.in_use and by_rule(rule, known, Kind.CACHE, one.used_at or one.created, {})
    }
    while needed := {one for one in cache if any(one in child.parents and (child.id not in cache or child.id == one)
                                                 for child in known.disk.cache)}:  # fmt: skip
        cache -= needed
    return {Kind.CONTAINER: containers, Kind.IMAGE: images, Kind.VOLUME: volumes, Kind.CACHE: cache}


@given(asked())
def test_nothing_protected_ever_goes(world: tuple[Known, Rule]) -> None:
    known, rule = world
    decision = decide(known, rule)
    assert not ids(decision.remove, Kind.IMAGE) & protected_images(known)
    assert not ids(decision.remove, Kind.VOLUME) & protected_volumes(known, rule)
    live = {one.id for one in known.containers if one.state not in _ENDED or kept(one)}
    assert not ids(decision.remove, Kind.CONTAINER) & live
    assert not ids(decision.remove, Kind.CACHE) & {one.id for one in known.disk.cache if one.in_use}


@given(asked())
def test_what_the_rule_lets_go_goes_and_nothing_else(world: tuple[Known, Rule]) -> None:
    known, rule = world
    decision, wanted = decide(known, rule), expected(known, rule)
    assert {kind: ids(decision.remove, kind) for kind in (Kind.CONTAINER, Kind.IMAGE, Kind.VOLUME)} == {
        kind: wanted[kind] for kind in (Kind.CONTAINER, Kind.IMAGE, Kind.VOLUME)
    }
    # Parts that are each other's parents can go in no order: what is written above would let them go.
    assert ids(decision.remove, Kind.CACHE) == wanted[Kind.CACHE] - circular(known.disk.cache)


def circular(cache: tuple[CacheRecord, ...]) -> set[str]:
    """Parts that are among their own ancestors, and those that such a part is built on."""
    parents = {one.id: set(one.parents) for one in cache}

    def above(start: str) -> set[str]:
        found: set[str] = set()
        fresh = set(parents.get(clean(start), ()))
        while fresh:
            found |= fresh
            fresh = {parent for one in fresh for parent in parents.get(one, ())} - found
        return found

    loops = {one.id for one in cache if one.id in above(one.id)}
    return loops | {parent for one in loops for parent in above(one)}


@given(asked())
def test_every_object_is_told_of_once(world: tuple[Known, Rule]) -> None:
    known, rule = world
    decision = decide(known, rule)
    told = [(one.kind, one.id) for one in (*decision.remove, *decision.keep)]
    there = [(Kind.CONTAINER, one.id) for one in known.containers] + [(Kind.IMAGE, one.id) for one in known.disk.images]
    there += [(Kind.VOLUME, one.name) for one in known.disk.volumes] + [(Kind.CACHE, one.id) for one in known.disk.cache]
    assert sorted(told) == sorted(there)
    assert all(one.reason and one.why is None for one in decision.remove)
    assert all(one.reason and one.why is not None for one in decision.keep)


@given(asked())
def test_nothing_is_removed_before_what_uses_it(world: tuple[Known, Rule]) -> None:
    known, rule = world
    containers = {one.id: one for one in known.containers}
    cache = {one.id: one for one in known.disk.cache}
    kinds = [one.kind for one in decide(known, rule).remove]
    assert kinds == sorted(kinds, key=list(Kind).index)
    for one in decide(known, rule).remove:
        if one.kind is Kind.CONTAINER:
            del containers[one.id]
        elif one.kind is Kind.IMAGE:
            assert one.id not in {user.image_id for user in containers.values()}
        elif one.kind is Kind.VOLUME:
            assert one.id not in {mount.source for user in containers.values() for mount in user.mounts}
        else:
            assert not any(one.id in child.parents for child in cache.values())
            del cache[one.id]


def brute(known: Known, decision: Decision) -> int:
    """Bytes that come free, layer by layer and object by object."""
    gone = {kind: ids(decision.remove, kind) for kind in Kind}
    before = {(layer.chain, layer.size) for one in known.disk.images for layer in one.layers or ()}
    after = {
        (layer.chain, layer.size) for one in known.disk.images if one.id not in gone[Kind.IMAGE] for layer in one.layers or ()
    }
    total = sum(size for _, size in before - after)
    total += sum(one.size for one in known.disk.images if one.layers is None and one.id in gone[Kind.IMAGE])
    total += sum(one.size or 0 for one in known.disk.volumes if one.name in gone[Kind.VOLUME])
    total += sum(one.size for one in known.disk.cache if one.id in gone[Kind.CACHE] and not one.shared)
    written = [sizes.get(one.id, 0) for sizes in (known.disk.written, known.disk.logs) for one in known.containers
               if one.id in gone[Kind.CONTAINER]]  # fmt: skip
    return total + sum(written)


@given(asked())
def test_estimates_are_what_counting_gives(world: tuple[Known, Rule]) -> None:
    known, rule = world
    decision = decide(known, rule)
    images = known.disk.images
    assert decision.bytes == brute(known, decision)
    for one in (*decision.remove, *decision.keep):
        if one.kind is Kind.IMAGE:
            assert one.bytes == freed(tuple(image for image in images if image.id == one.id), images)
    gone = ids(decision.remove, Kind.IMAGE)
    stays = once(tuple(one for one in images if one.id not in gone))
    assert sum(one.bytes or 0 for one in groups(decision.remove)) == decision.bytes
    assert sum(one.bytes or 0 for one in groups(decision.keep) if one.kind is Kind.IMAGE) == stays


@given(asked(), st.integers(0, 3))
def test_a_larger_keep_never_removes_more(world: tuple[Known, Rule], more: int) -> None:
    known, rule = world
    for kind in Kind:
        assert ids(decide(known, replace(rule, keep=rule.keep + more)).remove, kind) <= ids(decide(known, rule).remove, kind)


@given(asked(), st.data())
def test_a_keep_label_never_removes_more(world: tuple[Known, Rule], data: st.DataObject) -> None:
    known, rule = world
    every: list[Labelled] = [*known.disk.images, *known.disk.volumes, *known.containers]
    if not every:
        return
    chosen = data.draw(st.sampled_from(every))
    marked = replace(chosen, labels={**chosen.labels, _KEEP: clean("true")})

    def with_label(every: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(cast("T", marked) if one is chosen else one for one in every)

    disk = replace(known.disk, images=with_label(known.disk.images), volumes=with_label(known.disk.volumes))
    containers = with_label(known.containers)
    before, after = decide(known, rule), decide(replace(known, disk=disk, containers=containers), rule)
    for kind in Kind:
        assert ids(after.remove, kind) <= ids(before.remove, kind)


@given(asked(), st.randoms(use_true_random=False))
def test_it_is_the_same_in_whatever_order_things_are_told(world: tuple[Known, Rule], chance: Random) -> None:
    known, rule = world

    def mixed(every: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(chance.sample(every, len(every)))

    disk = replace(
        known.disk, images=mixed(known.disk.images), volumes=mixed(known.disk.volumes), cache=mixed(known.disk.cache)
    )
    assert decide(replace(known, disk=disk, containers=mixed(known.containers)), rule) == decide(known, rule)
