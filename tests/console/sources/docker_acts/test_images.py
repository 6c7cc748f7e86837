"""Images and build cache of a real Engine removed, and all that makes one stay."""

from __future__ import annotations

import pytest

from console.model.source import NotThereError, SourceError, SourceState
from console.sources.docker_acts import DockerActs
from tests.support import builds
from tests.support.engine import Engine
from tests.support.images import BUSYBOX

TWO_MORE = f"FROM {BUSYBOX}\nCOPY a /a\nENV A=1\nRUN touch /b\n"
BOTH = pytest.mark.parametrize("buildkit", [False, True], ids=["older builder", "BuildKit"])


def built(engine: Engine, tag: str, dockerfile: str = TWO_MORE, *, buildkit: bool = False) -> str:
    try:
        return builds.build(engine, tag, dockerfile, buildkit=buildkit, files={"a": builds.noise(1)})
    except builds.NoBuilderError as error:
        pytest.skip(f"nothing here builds images that way: {error}")


def fresh(engine: Engine, *names: str) -> str:
    """The id of an image with one layer that no other has."""
    made = built(engine, names[0], f"FROM {BUSYBOX}\nCOPY a /a\n")
    for name in names[1:]:
        engine.docker("tag", made, name)
    return made


def images(engine: Engine) -> set[str]:
    return set(engine.docker("images", "-aq", "--no-trunc").split())


def tags(engine: Engine, image: str) -> list[str]:
    return sorted(engine.api("GET", f"/images/{image}/json")["RepoTags"])


@BOTH
async def test_an_image_goes_with_its_layers(acted_on: Engine, acts: DockerActs, buildkit: bool) -> None:
    before = images(acted_on)
    made = built(acted_on, "gone:1", buildkit=buildkit)
    acted_on.api("POST", "/build/prune?all=true")
    assert await acts.remove_image(made, ["gone:1"]) == 2, "the layers of its base stay"
    assert images(acted_on) == before
    with pytest.raises(NotThereError):
        await acts.remove_image(made, ["gone:1"])


async def test_layers_that_the_cache_holds_stay_with_it(acted_on: Engine, acts: DockerActs) -> None:
    made = built(acted_on, "held:1", buildkit=True)
    assert await acts.remove_image(made, ["held:1"]) == 0
    assert made not in images(acted_on)
    acted_on.api("POST", "/build/prune?all=true")


async def test_with_all_its_names(acted_on: Engine, acts: DockerActs) -> None:
    made = fresh(acted_on, "many:1", "many:2", "other/name:x", "localhost:5000/far/name:y")
    names = tags(acted_on, made)
    assert len(names) == 4
    assert await acts.remove_image(made, names) == 1
    assert made not in images(acted_on)


async def test_without_a_name(acted_on: Engine, acts: DockerActs) -> None:
    made = fresh(acted_on, "nameless:1")
    acted_on.docker("tag", BUSYBOX, "nameless:1")
    assert await acts.remove_image(made, []) == 1
    assert made not in images(acted_on)
    acted_on.docker("rmi", "nameless:1")


async def test_a_name_that_stands_for_another_one_now_is_left_alone(acted_on: Engine, acts: DockerActs) -> None:
    made = fresh(acted_on, "moved:1", "moved:2")
    newer = fresh(acted_on, "moved:1")
    assert await acts.remove_image(made, ["moved:1", "moved:2"]) == 1
    assert made not in images(acted_on)
    assert tags(acted_on, newer) == ["moved:1"]
    acted_on.docker("rmi", newer)


async def test_a_name_that_nobody_agreed_to_keeps_it(acted_on: Engine, acts: DockerActs) -> None:
    made = fresh(acted_on, "known:1", "new:1")
    for names in (["known:1"], []):
        with pytest.raises(SourceError) as caught:
            await acts.remove_image(made, names)
        assert caught.value.reason == f"It has got another name: {'new:1' if names else 'known:1'}. It stays."
        assert caught.value.state is SourceState.OK
    assert tags(acted_on, made) == ["known:1", "new:1"]
    acted_on.docker("rmi", "known:1", "new:1")


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("names", [["used:1"], ["used:1", "used:2"]])
async def test_an_image_in_use_keeps_all_its_names(acted_on: Engine, acts: DockerActs, names: list[str], running: bool) -> None:
    made = fresh(acted_on, *names)
    container = acted_on.docker("create", "--network=none", "--name=user", "used:1", "sleep", "1000").strip()
    if running:
        acted_on.docker("start", container)
    with pytest.raises(SourceError) as caught:
        await acts.remove_image(made, names)
    assert not isinstance(caught.value, NotThereError)
    assert ("container user was made from it" if len(names) > 1 else "Docker answers 409: conflict") in caught.value.reason
    assert tags(acted_on, made) == names
    acted_on.docker("rm", "--force", container)
    acted_on.docker("rmi", *names)


async def test_an_image_that_others_stand_on_loses_its_name_only(acted_on: Engine, acts: DockerActs) -> None:
    base = built(acted_on, "base:1")
    top = built(acted_on, "top:1", "FROM base:1\nRUN touch /c\n")
    assert await acts.remove_image(base, ["base:1"]) == 0
    assert base in images(acted_on)
    assert await acts.remove_image(top, ["top:1"]) == 3, "and what was kept for it alone"
    assert base not in images(acted_on)


async def test_a_base_that_nobody_names_is_refused_while_others_stand_on_it(acted_on: Engine, acts: DockerActs) -> None:
    base = built(acted_on, "base:1")
    built(acted_on, "top:1", "FROM base:1\nRUN touch /c\n")
    acted_on.docker("rmi", "base:1")
    with pytest.raises(SourceError, match="has dependent child images"):
        await acts.remove_image(base, [])
    acted_on.docker("rmi", "top:1")


async def test_names_that_would_be_another_address(acted_on: Engine, acts: DockerActs) -> None:
    before = images(acted_on)
    for name in ("", "..", "a/../b:1", "//", "a//b", "\x1b[2J:1", "a:1?force=1"):
        for image, names in ((name, []), (BUSYBOX, [BUSYBOX, name])):
            with pytest.raises(SourceError, match="No image is called"):
                await acts.remove_image(image, names)
    assert images(acted_on) == before


async def test_only_the_named_parts_of_the_cache_go(acted_on: Engine, acts: DockerActs) -> None:
    built(acted_on, "cached:1", buildkit=True)
    acted_on.docker("rmi", "cached:1")
    ids = builds.cache_ids(acted_on)
    sizes = {one["ID"]: one["Size"] for one in acted_on.api("GET", "/system/df")["BuildCache"]}
    sent = next(
        one for one in acted_on.api("GET", "/system/df")["BuildCache"] if one["Type"] == "source.local" and one["Size"] > 9999
    )
    assert await acts.remove_cache([]) == 0
    assert await acts.remove_cache(["x" * 25, "", ".*", ids[0][:10], f"{ids[0]}|{ids[1]}"]) == 0
    assert set(builds.cache_ids(acted_on)) == set(ids)
    assert await acts.remove_cache([sent["ID"], "x" * 25]) == sent["Size"]
    assert set(builds.cache_ids(acted_on)) == set(ids) - {sent["ID"]}
    assert await acts.remove_cache([sent["ID"]]) == 0, "one that is gone is left without a word"
    assert await acts.remove_cache(ids) == sum(sizes.values()) - sent["Size"]
    assert builds.cache_ids(acted_on) == []


async def test_a_part_that_others_stand_on_stays(acted_on: Engine, acts: DockerActs) -> None:
    built(acted_on, "cached:2", buildkit=True)
    acted_on.docker("rmi", "cached:2")
    records = acted_on.api("GET", "/system/df")["BuildCache"]
    parents = {one["Parent"] for one in records if one["Parent"]}
    assert parents
    assert await acts.remove_cache(sorted(parents)) == 0
    assert parents <= set(builds.cache_ids(acted_on))


async def test_a_long_list_goes_in_several_requests(
    acted_on: Engine, acts: DockerActs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.sources.docker_acts.removing._AT_A_TIME", 1)
    built(acted_on, "cached:3", buildkit=True)
    acted_on.docker("rmi", "cached:3")
    ids = builds.cache_ids(acted_on)
    assert len(ids) > 2
    assert await acts.remove_cache(ids) > 0
    assert builds.cache_ids(acted_on) == []
