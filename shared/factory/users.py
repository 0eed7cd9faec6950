"""Who runs an image version: counted, with their teams, and what speaks against promoting it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from shared.domain.vm_record import Verdict, VmRecord
from shared.ports import VmFilter, Vms, every

PAGE = 500
FAILING_NAMED = 5
"""So many failing VMs are named; the rest is counted by nobody, one is enough to wait."""

_FINE = frozenset({Verdict.CURRENT, Verdict.AGED})


@dataclass(slots=True)
class Users:
    """The VMs that run one version, as the register knows them."""

    count: int = 0
    teams: set[str] = field(default_factory=set)

    @property
    def data(self) -> dict[str, Any]:
        """What an announcement says of them."""
        return {"vms": self.count, "teams": sorted(self.teams)}


async def users_of(vms: Vms, definition: str, version: str) -> Users:
    """Count the VMs that run *version*, and gather their teams."""
    users = Users()
    async for record in _running(vms, definition, version):
        users.count += 1
        users.teams.add(record.team)
    return users


async def failing_users(vms: Vms, definition: str, version: str) -> str:
    """Return which VMs that run *version* have a failing verdict or policy state; empty if none."""
    failing: list[str] = []
    async for record in _running(vms, definition, version):
        if said := _failing(record):
            failing.append(said)
        if len(failing) > FAILING_NAMED:
            break
    more = ", and more" if len(failing) > FAILING_NAMED else ""
    return ", ".join(failing[:FAILING_NAMED]) + more


def _failing(record: VmRecord) -> str:
    if record.verdict not in _FINE:
        return f"{record.name} is {record.verdict}"
    return f"{record.name} is {record.policy}" if record.policy == "noncompliant" else ""


def _running(vms: Vms, definition: str, version: str) -> AsyncIterator[VmRecord]:
    wanted = VmFilter(image=definition, version=version)
    return every(lambda cursor: vms.list(wanted, limit=PAGE, cursor=cursor))
