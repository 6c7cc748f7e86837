"""A unit of systemd, as it tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console.text import Clean

_NOT_WANTED = frozenset({"disabled", "masked", "masked-runtime"})
_RESTING = frozenset({"inactive", "failed"})


@dataclass(frozen=True, slots=True)
class Unit:
    """`active` is its ActiveState (`active`, `activating`, `inactive`, `failed`, ...), `file` whether the start of the machine
    starts it (`enabled`, `disabled`, `masked`, ...; empty: nobody has said so), `environment` what its file sets."""

    name: Clean
    active: Clean
    file: Clean
    environment: Mapping[str, Clean]

    @property
    def wanted(self) -> bool:
        """False where an administrator has switched it off for good."""
        return self.file not in _NOT_WANTED

    @property
    def rests(self) -> bool:
        """It does not run, and nobody is about to start it."""
        return self.active in _RESTING
