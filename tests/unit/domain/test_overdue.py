"""What is overdue of a VM, and what to do about it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.domain.fleet_policy import DEFAULT_GRACE, FleetPolicy, TeamPolicy
from shared.domain.overdue import overdue
from shared.domain.vm_record import Kind, Rule
from tests.unit.web.samples import NOON, vm

DAY = timedelta(days=1)
POLICY = FleetPolicy()


@pytest.mark.parametrize(
    ("due_at", "plan_due_at"), [(None, None), (NOON, None), (NOON + DAY, NOON + 2 * DAY)]
)
def test_nothing_is_overdue_before_its_day_has_passed(
    due_at: datetime | None, plan_due_at: datetime | None
) -> None:
    record = replace(vm(), due_at=due_at, plan_due_at=plan_due_at)

    assert overdue(record, policy=POLICY, as_of=NOON) is None


def test_what_its_verdict_wants_is_in_its_reason() -> None:
    record = replace(vm(), due_at=NOON - 36 * timedelta(hours=1), rule=Rule.BEHIND, reason="Redo.")

    late = overdue(record, policy=POLICY, as_of=NOON)

    assert late
    assert (late.days, late.rule, late.what_to_do) == (1, "newer-version-offered", "Redo.")


def test_what_its_plan_wants_comes_first_when_it_was_due_first() -> None:
    asked = TeamPolicy(grace=DEFAULT_GRACE, pet_plan="Rebuild on a Sunday.")
    record = replace(vm(), due_at=NOON - DAY, plan_due_at=NOON - 2 * DAY)

    late = overdue(record, policy=FleetPolicy(default=asked), as_of=NOON)

    assert late
    assert (late.days, late.rule, late.what_to_do) == (2, "pet-plan", "Rebuild on a Sunday.")


@pytest.mark.parametrize(
    ("kind", "rule", "words"),
    [(Kind.PET, "pet-plan", "rebuild it from 1.2.3"), (Kind.CATTLE, "cattle-refresh", "refresh")],
)
def test_a_plan_without_words_of_its_own_says_what_to_do(kind: Kind, rule: str, words: str) -> None:
    record = replace(vm(), kind=kind, plan_due_at=NOON - DAY, newest="1.2.3")

    late = overdue(record, policy=POLICY, as_of=NOON)

    assert late
    assert late.rule == rule
    assert words in late.what_to_do
