"""record_policy_state: keep the newest word of Azure Policy on a VM, and roll all of them up."""

from dataclasses import replace
from datetime import datetime

from shared.domain.attestation import AttestationRules
from shared.domain.identifiers import normalise_id, vm_key
from shared.domain.policy import merge
from shared.domain.vm_record import PolicyState
from shared.errors import BadMessageError
from shared.fleet.hear_own_state import hear_own_state
from shared.fleet.record import policy_said
from shared.messages import Message, RecordPolicyState
from shared.ports import Vms


async def record_policy_state(
    command: RecordPolicyState, *, vms: Vms, attestation_rules: AttestationRules, now: datetime
) -> list[Message]:
    """Keep the state unless a newer one is held for the same assignment and definition.

    Of a VM not yet known the state is kept too: its record takes the roll-up up when it appears.
    What we attested ourselves comes back as a state too, and does not count.
    """
    try:
        key = vm_key(command.resource_id)
    except ValueError as error:
        raise BadMessageError(f"record_policy_state cannot be done: {error}") from error
    stored = await vms.get(key)
    if attestation_rules.is_ours(command.assignment_id, command.reference_id):
        return await hear_own_state(
            command, stored, vms=vms, attestation_rules=attestation_rules, now=now
        )
    states = merge(stored.value.policy_states, _state(command))
    change = policy_said(
        replace(stored.value, policy_states=states), now=now, because=_because(command)
    )
    await vms.save(stored, change.entry, change.lines)
    return []


def _state(command: RecordPolicyState) -> PolicyState:
    return PolicyState(
        assignment_id=normalise_id(command.assignment_id),
        definition_id=normalise_id(command.definition_id),
        reference_id=command.reference_id.lower(),
        state=command.state.lower(),
        timestamp=command.timestamp,
        deleted=command.deleted,
    )


def _because(command: RecordPolicyState) -> str:
    assignment = command.assignment_id.rpartition("/")[2]
    said = "was removed" if command.deleted else f"says {command.state.lower()}"
    return f"policy assignment {assignment} {said}"
