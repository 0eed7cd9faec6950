"""sweep_policy_states: compare policy states of one subscription with Azure's, and mend ours."""

from dataclasses import replace
from datetime import datetime

from shared.domain.attestation import AttestationRules
from shared.domain.fleet_policy import FleetPolicy
from shared.domain.policy_recovery import Found
from shared.domain.policy_sweep import PolicySweep
from shared.domain.turns import Admission
from shared.errors import NotReadyError
from shared.fleet.policy_mender import Mender
from shared.fleet.policy_piece import Piece, next_piece
from shared.fleet.register import all_of
from shared.messages import Delayed, Message, SweepPolicyStates
from shared.ports import Pace, PolicyStates, PolicySweeps, Stored, Subscriptions, Vms


async def sweep_policy_states(
    command: SweepPolicyStates,
    *,
    policy_states: PolicyStates,
    policy_sweeps: PolicySweeps,
    vms: Vms,
    subscriptions: Subscriptions,
    fleet_policy: FleetPolicy,
    attestation_rules: AttestationRules,
    pace: Pace,
    now: datetime,
) -> list[Message]:
    """Compare some VMs of a subscription, and return the command for those after them.

    What differs is counted before it is mended: whoever comes after a crash finds less to mend,
    but does not count again. Where we may not read, the sweep through the subscription ends with
    the reason; the next sweep tries again.
    """
    stored = await policy_sweeps.get(command.began_at, command.subscription_id)
    if stored is None and command.turn:
        return []  # so old that it was forgotten
    sweep = PolicySweep(subscription_id=command.subscription_id, began_at=command.began_at)
    stored = stored or Stored(sweep)
    match stored.value.admit(command.turn, guard=command.guard):
        case Admission.DROP:
            return []
        case Admission.GUARD:
            return [Delayed(command=replace(command, guard=True), delay=pace.grace)]
        case Admission.RESEND:
            return _following(stored.value)
        case Admission.ACT:
            pass
    mender = Mender(
        vms=vms,
        policy_states=policy_states,
        attestation_rules=attestation_rules,
        now=now,
        fresh_since=now - fleet_policy.policy_stale_after / 2,
    )
    try:
        piece = await next_piece(stored.value, policy_states=policy_states, vms=vms)
        if piece is None:
            moved = stored.value.begun_anew(now=now)
        else:
            stored, found = await _work(stored, piece, mender, policy_sweeps)
            moved = stored.value.moved(found, at=piece.following, now=now)
    except NotReadyError as error:
        moved = stored.value.stopped(str(error), now=now)
    if moved.ended_at:
        await _note(moved, subscriptions)
    await policy_sweeps.save(replace(stored, value=moved))
    return _following(moved)


async def _work(
    stored: Stored[PolicySweep], piece: Piece, mender: Mender, policy_sweeps: PolicySweeps
) -> tuple[Stored[PolicySweep], Found]:
    """Count what differs among the VMs of *piece*, then mend it."""
    plans = await all_of(mender.plan(vm_id, piece.rows_of(vm_id)) for vm_id in piece.vm_ids)
    found = sum((plan.found for plan in plans), start=Found())
    if found.missed or found.refreshed:
        counted = stored.value.counting(found)
        if counted != stored.value:
            stored = await policy_sweeps.save(replace(stored, value=counted))
    await all_of(mender.carry_out(plan) for plan in plans)
    return stored, found


async def _note(sweep: PolicySweep, subscriptions: Subscriptions) -> None:
    """Note that every policy state of the subscription was seen since, or why not all were."""
    stored = await subscriptions.get(sweep.subscription_id)
    if stored is None:
        return
    seen_at = stored.value.policy_swept_at
    if seen_at and seen_at >= sweep.began_at:
        return
    noted = replace(
        stored.value,
        policy_swept_at=seen_at if sweep.problem else sweep.began_at,
        policy_problem=sweep.problem,
    )
    if noted != stored.value:
        await subscriptions.save(replace(stored, value=noted))


def _following(sweep: PolicySweep) -> list[Message]:
    if sweep.ended_at is not None:
        return []
    return [
        SweepPolicyStates(
            subscription_id=sweep.subscription_id, began_at=sweep.began_at, turn=sweep.turn
        )
    ]
