"""How a VM stands: the verdict with all that explains it, and what is planned for it."""

from datetime import datetime

from shared.domain.vm_record import Kind, Machine, VmRecord
from shared.web.exchange import Json
from shared.web.views.today import Today
from shared.web.views.values import instant_or_none


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
    """Return the age of the VM and of its image, and what the plan for its kind wants."""
    asked = today.policy.of(vm.team)
    return {
        "age_days": today.days_since(vm.created_at or vm.first_seen_at),
        "runs_since": instant_or_none(vm.runs_since),
        "image_age_days": today.days_since(vm.image_published_at),
        "says": asked.pet_plan or None if vm.kind is Kind.PET else None,
        "due_at": instant_or_none(vm.plan_due_at),
        "overdue": today.is_past(vm.plan_due_at),
    }


def _since(vm: VmRecord) -> datetime | None:
    """Return since when this VM stands as it does: no earlier than it began to run its image."""
    if vm.machine is Machine.SCALE_SET:
        return vm.since
    moments = [at for at in (vm.since, vm.runs_since) if at]
    return max(moments, default=None)
