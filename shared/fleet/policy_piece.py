"""Which VMs one message of a policy sweep is about."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shared.domain.policy_sweep import PolicySweep, Position
from shared.domain.vm_record import Machine, PolicyState
from shared.ports import MACHINES, RANKS, PolicyPage, PolicyStates, Vms

CHUNK = 200
"""VMs of one message. Each may cost a question to Azure, and a burst of 250 reads is what Resource
Manager takes from one principal in a subscription
(https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling).
"""

READ = 1000
"""Records read at once from the register: one request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What one message looks at."""

    vm_ids: tuple[str, ...]
    rows: dict[str, list[PolicyState]] = field(default_factory=dict)
    """By VM, what Azure's page says."""
    following: Position | None
    """Where the next message goes on; None at the end."""

    def rows_of(self, vm_id: str) -> Sequence[PolicyState]:
        """Return what Azure's page says of a VM."""
        return self.rows.get(vm_id, ())


async def next_piece(sweep: PolicySweep, *, policy_states: PolicyStates, vms: Vms) -> Piece | None:
    """Return the VMs a sweep is to look at next; None when Azure forgot where it was.

    They are those on Azure's page, and those of the register between the last VM of the page
    before and the last one of this page of which policy states are held. Azure need not keep to
    our order: of a VM that it lists elsewhere it is asked alone.
    """
    at = sweep.at
    page = await policy_states.page(sweep.subscription_id, at.skip_token)
    if page is None:
        return None
    rows = _by_vm(page)
    top = max((at.page_after, *rows))
    up_to = top if page.skip_token else ""
    listed = sorted(vm_id for vm_id in rows if vm_id > at.done_to)
    reached = listed[CHUNK - 1] if len(listed) > CHUNK else up_to
    held: list[str] = []
    if not reached or reached > at.after:
        held, reached = await _held(vms, sweep.subscription_id, at.after, reached)
    ids = sorted(vm_id for vm_id in {*listed, *held} if not reached or vm_id <= reached)
    if len(ids) > CHUNK:
        ids = ids[:CHUNK]
        reached = ids[-1]
    following: Position | None = None
    if reached != up_to:
        following = replace(at, done_to=reached)
    elif page.skip_token:
        following = Position(skip_token=page.skip_token, page_after=top)
    return Piece(vm_ids=tuple(ids), rows=rows, following=following)


def _by_vm(page: PolicyPage) -> dict[str, list[PolicyState]]:
    rows: dict[str, list[PolicyState]] = {}
    for row in page.rows:
        rows.setdefault(row.vm_id, []).append(row.state)
    return rows


async def _held(vms: Vms, subscription_id: str, after: str, up_to: str) -> tuple[list[str], str]:
    """Return VMs of which living policy states are held, and up to which VM they are all."""
    ids: list[str] = []
    reached = up_to
    for machines in (rank for rank in RANKS if set(rank) <= set(MACHINES)):
        found, end = await _held_of(vms, subscription_id, machines, after, up_to)
        ids += found
        if end != up_to:
            reached = min(end, reached or end)
    return ids, reached


async def _held_of(
    vms: Vms, subscription_id: str, machines: Sequence[Machine], after: str, up_to: str
) -> tuple[list[str], str]:
    cursor = ""
    while True:
        page = await vms.held_between(
            subscription_id, machines, after=after, up_to=up_to, limit=READ, cursor=cursor
        )
        cursor = page.cursor
        if page.items or not cursor:
            break
    ids = [r.resource_id for r in page.items if r.policy and r.deleted_at is None]
    return ids, page.items[-1].resource_id if cursor else up_to
