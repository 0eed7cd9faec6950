"""Who runs an image version: counted, with their teams, and what speaks against promoting it."""

from dataclasses import dataclass, field
from typing import Any

from shared.domain.vm_record import Verdict, VmRecord
from shared.ports import Page, VmFilter, Vms

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
    users, cursor = Users(), ""
    while True:
        page = await _page(vms, definition, version, cursor)
        users.count += len(page.items)
        users.teams |= {record.team for record in page.items}
        cursor = page.cursor
        if not cursor:
            return users


async def failing_users(vms: Vms, definition: str, version: str) -> str:
    """Return which VMs that run *version* have a failing verdict or policy state; empty if none."""
    failing: list[str] = []
    cursor = ""
    while True:
        page = await _page(vms, definition, version, cursor)
        failing += [said for record in page.items if (said := _failing(record))]
        cursor = page.cursor
        if not cursor or len(failing) > FAILING_NAMED:
            more = ", and more" if len(failing) > FAILING_NAMED else ""
            return ", ".join(failing[:FAILING_NAMED]) + more


def _failing(record: VmRecord) -> str:
    if record.verdict not in _FINE:
        return f"{record.name} is {record.verdict}"
    return f"{record.name} is {record.policy}" if record.policy == "noncompliant" else ""


async def _page(vms: Vms, definition: str, version: str, cursor: str) -> Page[VmRecord]:
    wanted = VmFilter(image=definition, version=version)
    return await vms.list(wanted, limit=PAGE, cursor=cursor)
