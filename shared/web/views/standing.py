"""How a VM stands: the verdict with all that explains it, and what is planned for it."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.fleet_policy import FleetPolicy
from shared.domain.vm_record import Kind, Machine, VmRecord
from shared.web.exchange import Json
from shared.web.views.values import instant_or_none


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """What days are counted against: the time, and what is asked of the fleet."""

    now: datetime
    policy: FleetPolicy

    def days_since(self, moment: datetime | None) -> int | None:
        """Return the whole days that have passed since *moment*; None where there is none."""
        return None if moment is None else max(0, (self.now - moment).days)

    def is_past(self, moment: datetime | None) -> bool:
        """Tell whether *moment* has passed."""
        return moment is not None and moment < self.now


def standing_view(vm: VmRecord, today: Today) -> Json:
    """Return the verdict, its rule and reason, since when, how far behind, and by when to act."""
    since = _since(vm)
    return {
        "verdict": vm.verdict.value,
        "rule": vm.rule.value,
        "reason": vm.reason,
        "since": instant_or_none(since),
        "behind": {"versions": vm.behind, "days": today.days_since(since)} if vm.behind else None,
        "newest": vm.newest or None,
        "due_at": instant_or_none(vm.due_at),
        "overdue": today.is_past(vm.due_at),
    }


def plan_view(vm: VmRecord, today: Today) -> Json:
    """Return pet or cattle, the age of the VM and of its image, and what its kind's plan wants."""
    asked = today.policy.of(vm.team)
    return {
        "kind": vm.kind.value,
        "age_days": today.days_since(vm.created_at or vm.first_seen_at),
        "runs_since": instant_or_none(vm.runs_since),
        "image_age_days": today.days_since(vm.image_published_at),
        "plan": asked.pet_plan or None if vm.kind is Kind.PET else None,
        "due_at": instant_or_none(vm.plan_due_at),
        "overdue": today.is_past(vm.plan_due_at),
    }


def _since(vm: VmRecord) -> datetime | None:
    """Return since when this VM stands as it does: no earlier than it began to run its image."""
    if vm.machine is Machine.SCALE_SET:
        return vm.since
    moments = [at for at in (vm.since, vm.runs_since) if at]
    return max(moments, default=None)
