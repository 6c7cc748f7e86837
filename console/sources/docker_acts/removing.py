"""How images and build cache are removed: several requests each, by the rules of what may go and what may not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from console.model.source import NotThereError, SourceError, SourceState
from console.sources.docker_engine.layers import chains, diff_ids_of
from console.text import clean

if TYPE_CHECKING:
    from console.sources.docker_acts.library import Library

_RECORD = re.compile(r"[a-z0-9]{1,64}")
_AT_A_TIME = 200


def remove_image(library: Library, image: str, names: Sequence[str]) -> int:
    """See `sources.protocols.EngineActs`. Whatever the Engine says of an image that somebody else removes at the same moment
    (404, 409 and 500 on 20.10): if it is gone then it is gone."""
    from docker.errors import APIError  # type: ignore[import-untyped]

    try:
        return _remove_image(library, image, names)
    except APIError:
        if _stands_for(library, image) is None:
            raise NotThereError(SourceState.OK, clean("The image is gone.")) from None
        raise


def _remove_image(library: Library, image: str, names: Sequence[str]) -> int:
    """Names go first, and one in use would lose them and stay: so that is looked at."""
    looked = library.inspect_image(image)
    known = str(looked["Id"])
    layers = set(chains(diff_ids_of(looked) or ()))
    tags = [str(name) for name in looked.get("RepoTags") or ()]
    if others := [name for name in tags if name not in names]:
        refuse = clean(f"It has got another name: {others[0]}. It stays.")
        raise SourceError(SourceState.OK, refuse)
    left = [*tags, *_bare_digests(looked, tags)]
    if len(left) > 1 and (user := _user(library, known)):
        raise SourceError(SourceState.OK, clean(f"It is in use: container {user} was made from it."))
    gone: list[dict[str, Any]] = []
    for name in left:
        if _stands_for(library, name) == known:
            gone += library.remove_image(name)
    if not left:
        gone += library.remove_image(known)
    return len(layers & {one.get("Deleted") for one in gone})


def _bare_digests(looked: dict[str, Any], tags: Sequence[str]) -> list[str]:
    """Names by digest, without those of a repository that has a tag: they go with the last one of its tags."""
    tagged = {name.rpartition(":")[0] for name in tags}
    return [one for one in looked.get("RepoDigests") or () if str(one).partition("@")[0] not in tagged]


def _stands_for(library: Library, name: str) -> str | None:
    """The image that has this name now."""
    from docker.errors import NotFound

    try:
        return str(library.inspect_image(name)["Id"])
    except NotFound:
        return None


def _user(library: Library, image: str) -> str | None:
    """The name of a container, running or not, that was made from it."""
    for one in library.containers(all=True):
        if one.get("ImageID") == image:
            return str((one.get("Names") or [one["Id"][:12]])[0]).removeprefix("/")
    return None


def remove_cache(library: Library, records: Sequence[str]) -> int:
    """Bytes that came free. The Engine takes `id` for a pattern (Engine 20.10 to 29: `id~=`), so several go at a time.

    That is how a chain goes whole: a record stays as long as another one stands on it, and within one request the Engine begins
    anew after each that went. `all` lets it take records of every kind, and those that are layers of an image too.
    """
    wanted = [one for one in dict.fromkeys(records) if _RECORD.fullmatch(one)]
    freed = 0
    while wanted:
        gone: set[str] = set()
        for start in range(0, len(wanted), _AT_A_TIME):
            pattern = "^(" + "|".join(wanted[start : start + _AT_A_TIME]) + ")$"
            answer = library.prune_builds(filters={"id": pattern}, all=True)
            gone.update(answer.get("CachesDeleted") or ())
            freed += int(answer.get("SpaceReclaimed") or 0)
        if not gone or len(wanted) <= _AT_A_TIME:
            break
        wanted = [one for one in wanted if one not in gone]
    return freed


def check_image(image: str, names: Sequence[str]) -> None:
    """Raise SourceError for what no image can be called: it would become another address."""
    for name in (image, *names):
        parts = re.split(r"[/:@]", name)
        if not all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", part) for part in parts):
            raise SourceError(SourceState.OK, clean(f"No image is called {clean(name, limit=100)!r}."))
