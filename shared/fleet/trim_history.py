"""trim_history: drop lines that are older than they are to be kept, and VMs long gone."""

from dataclasses import replace
from datetime import datetime

from shared.domain.fleet_policy import FleetPolicy
from shared.domain.history_retention import is_forgotten, is_overdue, kept_since
from shared.fleet.register import all_of
from shared.messages import Message, TrimHistory
from shared.ports import Vms


async def trim_history(
    command: TrimHistory, *, vms: Vms, fleet_policy: FleetPolicy, now: datetime
) -> list[Message]:
    """Trim each VM's history, or forget the VM.

    The record says first from when on its history is whole, and only then lines go: who reads in
    between is told too little is known, never that nothing happened. A repeat drops up to the
    same moment.
    """
    await all_of(_trim(key, vms, fleet_policy, now) for key in command.vm_keys)
    return []


async def _trim(key: str, vms: Vms, policy: FleetPolicy, now: datetime) -> None:
    stored = await vms.get(key)
    record = stored.value.record
    if record is None or is_forgotten(record, policy, now):
        await vms.forget(stored)
        return
    if is_overdue(record, policy, now):
        record = replace(record, history_from=kept_since(policy, now))
    await vms.save(stored, replace(stored.value, record=record))
    if record.history_from:
        await vms.trim(key, before=record.history_from)
