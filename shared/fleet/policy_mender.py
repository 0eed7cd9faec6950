"""How what we hold on a VM is brought into line with what Azure Policy lists."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.attestation import AttestationRules
from shared.domain.identifiers import vm_key
from shared.domain.policy import strength
from shared.domain.policy_recovery import Found, States, recover, unlisted
from shared.domain.policy_subject import PolicySubject
from shared.domain.vm_record import PolicyState
from shared.errors import ConflictError
from shared.fleet.record import policy_said
from shared.ports import PolicyStates, Stored, VmEntry, Vms

BECAUSE = "policy sweep"
AT_ONCE = 90
"""Policy states of one VM written at once. A transaction takes 100 rows, and the record, its index
and its history want some of them ("Performing entity group transactions", Microsoft Learn)."""

_TRIES = 3
"""How often a VM is compared anew when others change it meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to become of one VM's entry."""

    vm_id: str
    rows: Sequence[PolicyState]
    stored: Stored[VmEntry]
    states: States
    found: Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Mender:
    """Brings what we hold on VMs into line with what Azure lists."""

    vms: Vms
    policy_states: PolicyStates
    attestation_rules: AttestationRules
    now: datetime
    fresh_since: datetime

    async def plan(self, vm_id: str, rows: Sequence[PolicyState]) -> Plan:
        """Compare what we hold on a VM with the *rows* of Azure's page.

        The rows of one VM may stand on several pages. So before anything counts as gone Azure is
        asked for its resource alone, and after our entry was loaded: a state that came meanwhile
        is among the answers. What we attested ourselves does not count.
        """
        stored = await self.vms.get(vm_key(vm_id))
        held = stored.value.policy_states
        listed = self._news(rows)
        on_page = len(listed)
        missing = unlisted(held, listed)
        for about in sorted({state.about for state in missing}):
            subject = PolicySubject(vm_id=vm_id, about=about)
            listed += self._news(await self.policy_states.of(subject))
        states, found = recover(
            held,
            listed,
            gone=unlisted(missing, listed),
            now=self.now,
            fresh_since=self.fresh_since,
        )
        found = replace(found, states=on_page)
        return Plan(vm_id=vm_id, rows=rows, stored=stored, states=states, found=found)

    def _news(self, rows: Sequence[PolicyState]) -> list[PolicyState]:
        ours = self.attestation_rules.is_ours
        return [row for row in rows if not ours(row.assignment_id, row.reference_id)]

    async def carry_out(self, plan: Plan) -> None:
        """Save what *plan* says; it is made anew when somebody else changed the VM.

        Raises ConflictError when that goes on.
        """
        lost = 0
        while True:
            states = _some(plan.stored.value.policy_states, plan.states)
            entry = replace(plan.stored.value, policy_states=states)
            change = policy_said(entry, now=self.now, because=BECAUSE)
            try:
                await self.vms.save(plan.stored, change.entry, change.lines)
            except ConflictError:
                lost += 1
                if lost == _TRIES:
                    raise
            else:
                if states == plan.states:
                    return
            plan = await self.plan(plan.vm_id, plan.rows)


def _some(held: States, wanted: States) -> States:
    """Return *held* with as much of *wanted* as is written at once, the strongest words first."""
    differing = sorted(set(wanted) - set(held), key=lambda s: (strength(s), s.key))
    if len(differing) <= AT_ONCE:
        return wanted
    states = {s.key: s for s in (*held, *differing[:AT_ONCE])}
    return tuple(sorted(states.values(), key=lambda s: s.key))
