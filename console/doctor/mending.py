"""What `--fix` does: one act of all that can be mended safely."""

from __future__ import annotations

from console.actions.docker.services import ActOnServices, ServiceVerb
from console.actions.jenkins.switching import SetOffline
from console.actions.plan import Act, several
from console.actions.rights import SetRights, Wanted
from console.actions.several import Several
from console.actions.starting import StartUnits
from console.doctor.findings import Mends
from console.doctor.instruments import Instruments
from console.sources.reach import Reach

NAME = "doctor-fix"


def act(mends: Mends, reach: Reach, tools: Instruments) -> Act:
    """Raises SourceError where something is to be done at a Jenkins that there is none of."""
    acts: list[Act] = []
    if mends.rights:
        acts.append(SetRights(tools.files, [Wanted(one.path, one.rights, one.uid) for one in mends.rights], tools.uid))
    if mends.services:
        acts.append(ActOnServices(reach, ServiceVerb.START, [str(one) for one in mends.services]))
    if mends.nodes:
        acts.append(SetOffline(reach.ask_jenkins(), [str(one) for one in mends.nodes], None))
    if mends.units:
        acts.append(StartUnits(tools.units, [str(one) for one in mends.units]))
    names = [*(one.path.name for one in mends.rights), *map(str, (*mends.services, *mends.nodes, *mends.units))]
    return Several(NAME, f"Mend  {several(names)}", acts)
