"""What Azure Policy says of VMs, as the API answers it, and what sweeps found."""

from collections.abc import Sequence

from shared.domain.policy import is_exempt
from shared.domain.policy_sweep import PolicySweep
from shared.domain.vm_record import PolicyState, VmRecord
from shared.web.exchange import Json
from shared.web.views.today import Today
from shared.web.views.values import instant, instant_or_none


def policy_summary(vm: VmRecord, today: Today) -> Json:
    """Return the roll-up of a VM's policy states, and how old what it rests on is."""
    return {
        "policy": vm.policy or None,
        "policy_as_of": instant_or_none(vm.policy_as_of),
        "policy_stale": today.is_stale(vm.policy_as_of),
    }


def policy_states_view(states: Sequence[PolicyState], today: Today) -> Json:
    """Return each policy state, and the assignments the VM is exempt from."""
    return {
        "policy_states": [_policy_state(s, today) for s in states],
        "exemptions": sorted({s.assignment_id for s in states if is_exempt(s)}),
    }


def policy_sweep_view(sweep: PolicySweep) -> Json:
    """Return how far a sweep through one subscription is, and what it found."""
    found = sweep.found
    return {
        "began_at": instant(sweep.began_at),
        "subscription": sweep.subscription_id,
        "ended_at": instant_or_none(sweep.ended_at),
        "problem": sweep.problem or None,
        "states": found.states,
        "missed": found.missed,
        "new": found.new,
        "changed": found.changed,
        "removed": found.removed,
        "refreshed": found.refreshed,
    }


def _policy_state(state: PolicyState, today: Today) -> Json:
    return {
        "assignment_id": state.assignment_id,
        "definition_id": state.definition_id,
        "reference_id": state.reference_id or None,
        "about": state.about or None,
        "state": state.state or None,
        "reason_code": state.reason_code or None,
        "exempt": is_exempt(state),
        "timestamp": instant(state.timestamp),
        "stale": not state.deleted and today.is_stale(state.timestamp),
        "deleted": state.deleted,
    }
