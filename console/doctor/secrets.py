"""Hop 4: the files of the platform's secrets. Their contents are not looked at."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Mapping
from pathlib import Path

from console.doctor.findings import Finding, HopState, Mends, Rights, behind, broken, elsewhere, good, off, together
from console.doctor.visit import Visit
from console.model.source import NotThereError, SourceError, SourceState

HOP = "secrets"
_JENKINS, _ROOT = 1000, 0
_PRIVATE, _PUBLIC = 0o400, 0o444

READERS: Mapping[str, tuple[int, int]] = {
    **{
        f"jenkins-{who}-{what}": (_JENKINS, _PRIVATE)
        for who in ("admin", "operator", "viewer", "release-bot")
        for what in ("password", "token")
    },
    **dict.fromkeys(("webhook-hmac", "webhook-token", "agent-ssh-key"), (_JENKINS, _PRIVATE)),
    **dict.fromkeys(("frp-token", "frp-admin-password"), (_JENKINS, _PRIVATE)),
    **dict.fromkeys(("hf-read-token", "hf-write-token", "git-token"), (_JENKINS, _PRIVATE)),
    **dict.fromkeys(("agent-host-key", "portainer-admin-password"), (_ROOT, _PRIVATE)),
    **dict.fromkeys(("agent-ssh-key.pub", "agent-host-key.pub"), (_ROOT, _PUBLIC)),
    "frp-ca": (_JENKINS, _PUBLIC),
}
"""Uid of the reader and mode, by name, as infra/platform makes them. Compose gives secrets no others."""

_OPEN = stat.S_IRWXO | stat.S_IRWXG


async def look(visit: Visit) -> Finding:
    if (away := visit.instruments.away) is not None:
        return elsewhere(str(away))
    try:
        project = await visit.project()
    except SourceError:
        # Why the file cannot be read is told by the hop that reads it, if there is an Engine to read it for.
        return behind(visit.leads_to("docker") or "compose")
    if project is None or not project.secrets:
        return off("the Compose file declares no secrets" if project is not None else "no Compose file here")
    found = await asyncio.gather(*(_one(visit, str(name), Path(file)) for name, file in project.secrets))
    hidden = [one for one in found if one.state is HopState.SKIPPED]
    if len(hidden) == len(found):
        return hidden[0]
    bad = [one for one in found if one.state is HopState.BROKEN]
    if bad:
        return together(bad)
    if hidden:
        return together(hidden)
    return good(f"{len(found)} present, owners and modes are right")


async def _one(visit: Visit, name: str, path: Path) -> Finding:
    try:
        facts = await visit.instruments.files.facts(path)
    except NotThereError:
        return broken(HOP, "missing", f"{name} is missing")
    except SourceError as error:
        if error.state is SourceState.DENIED:
            return elsewhere("this user may not look at the secrets: sudo mlops-console doctor")
        return broken(HOP, "unread", str(error.reason))
    if not facts.plain:
        return broken(HOP, "missing", f"{name} is no plain file")
    if facts.size == 0:
        return broken(HOP, "missing", f"{name} is empty")
    known = READERS.get(name)
    owner, rights = known if known is not None else (facts.uid, facts.rights & ~_OPEN)
    if (facts.uid, facts.rights) == (owner, rights):
        return good(name)
    mends = Mends(rights=(Rights(path, facts, rights, owner if owner != facts.uid else None),))
    if rights != _PUBLIC and facts.rights & _OPEN:
        return broken(HOP, "open", f"{name} is open to others (mode {facts.rights:04o})", mends=mends, name=name)
    seen = f"{name} belongs to user {facts.uid} with mode {facts.rights:04o}; its reader is user {owner}, mode {rights:04o}"
    return broken(HOP, "rights", seen, mends=mends)
