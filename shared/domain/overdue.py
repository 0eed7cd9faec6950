"""VMs whose due day has passed: how long ago, by which rule, and what to do."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.fleet_policy import FleetPolicy
from shared.domain.vm_record import Kind, VmRecord

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """A VM for which something should have been done by now."""

    vm: VmRecord
    due_at: datetime
    """The earlier of the days its verdict and its plan want something done by."""
    days: int
    """Whole days since then."""
    rule: str
    """The rule of its verdict, or `pet-plan` or `cattle-refresh`."""
    what_to_do: str
    as_of: datetime


def overdue(vm: VmRecord, *, policy: FleetPolicy, as_of: datetime) -> Overdue | None:
    """Return what is overdue of *vm*; None when nothing is."""
    dues = [at for at in (vm.due_at, vm.plan_due_at) if at is not None]
    due_at = min(dues, default=as_of)
    if due_at >= as_of:
        return None
    by_verdict = due_at == vm.due_at
    return Overdue(
        vm=vm,
        due_at=due_at,
        days=(as_of - due_at) // _DAY,
        rule=str(vm.rule) if by_verdict else _plan_of(vm.kind),
        what_to_do=vm.reason if by_verdict else _what_the_plan_wants(vm, policy),
        as_of=as_of,
    )


def _plan_of(kind: Kind) -> str:
    return "pet-plan" if kind is Kind.PET else "cattle-refresh"


def _what_the_plan_wants(vm: VmRecord, policy: FleetPolicy) -> str:
    asked = policy.of(vm.team)
    source = vm.newest or "a released image version"
    if vm.kind is Kind.PET:
        return asked.pet_plan or f"It is older than a pet may grow; rebuild it from {source}."
    return f"It has run its image for longer than cattle may; refresh it from {source}."
