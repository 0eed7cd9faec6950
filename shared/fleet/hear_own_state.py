"""What a policy state that our own attestations set means for a VM."""

from dataclasses import replace
from datetime import datetime

from shared.domain.attestation import UNTOLD, AttestationRules
from shared.domain.policy import canonical
from shared.domain.vm_record import Attestation
from shared.fleet.attesting import attesting
from shared.messages import Message, RecordPolicyState
from shared.ports import Stored, VmEntry, Vms


async def hear_own_state(
    command: RecordPolicyState,
    stored: Stored[VmEntry],
    *,
    vms: Vms,
    attestation_rules: AttestationRules,
    now: datetime,
) -> list[Message]:
    """Return the attesting of the VM, where Azure Policy can be told, or has forgotten.

    The state itself does not count for the VM: it is our own word that comes back. But it tells
    when the VM was evaluated for the first time, without which it cannot be attested; and that an
    attestation lapsed or was deleted. What we remember of that is forgotten, then it is said anew.
    """
    record = stored.value.record
    if record is None or command.deleted:
        return []
    if record.attestation is not None and not _holds(record.attestation, command):
        record = replace(record, attestation=None)
        await vms.save(stored, replace(stored.value, record=record))
    return attesting([record], attestation_rules, now)


def _holds(said: Attestation, command: RecordPolicyState) -> bool:
    """Tell whether what we remember is still so; an evaluation from before says nothing."""
    if said.state == UNTOLD:
        return False
    return canonical(command.state) != "unknown" or command.timestamp <= said.said_at
