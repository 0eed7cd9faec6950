"""What Azure Policy is told of a VM, and when it is told anew."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.attestation import (
    AttestationRules,
    EvidenceLink,
    Statement,
    needs_attesting,
    statement_for,
    told,
    untold,
)
from shared.domain.identifiers import vm_key
from shared.domain.vm_record import Attestation, Image, Kind, Machine, Rule, Verdict, VmRecord

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SUBSCRIPTION = "/subscriptions/0a"
ASSIGNMENT = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/policyAssignments/golden"
RULES = AttestationRules(assignment_id=ASSIGNMENT, public_url="https://assay.test")
VM = f"{SUBSCRIPTION}/resourcegroups/rg/providers/microsoft.compute/virtualmachines/web"


def a_vm(verdict: Verdict = Verdict.CURRENT, **changes: Any) -> VmRecord:
    record = VmRecord(
        key=vm_key(VM),
        resource_id=VM,
        name="web",
        subscription_id="0a",
        resource_group="rg",
        region="westeurope",
        image=Image(image_id="/g/ubuntu", version="1.2.0"),
        definition="ubuntu",
        team="shop",
        kind=Kind.PET,
        verdict=verdict,
        reason="Version 1.2.0 of ubuntu is the newest.",
        rule=Rule.NEWEST,
        policy="",
        first_seen_at=NOON,
        changed_at=NOON,
        as_of=NOON,
        image_published_at=NOON - DAY,
    )
    return replace(record, **changes)


def said_of(record: VmRecord, now: datetime = NOON, rules: AttestationRules = RULES) -> Statement:
    statement = statement_for(record, rules, now)
    assert statement is not None
    return statement


def told_vm(record: VmRecord, now: datetime = NOON) -> VmRecord:
    """Return *record* once Azure Policy was told of it."""
    return replace(record, attestation=told(said_of(record, now), now))


def test_a_current_vm_complies_for_the_life_of_an_attestation() -> None:
    statement = said_of(a_vm())

    assert statement.state == "Compliant"
    assert statement.expires_at == NOON + 180 * DAY
    assert statement.assessed_at == NOON
    assert statement.comments == (
        "Version 1.2.0 of ubuntu is the newest. (verdict: current, rule: newest-in-region)"
    )
    assert statement.evidence == (
        EvidenceLink(
            description="The VM in the register",
            url=f"https://assay.test/api/v1/vms/{vm_key(VM)}",
        ),
        EvidenceLink(
            description="Version 1.2.0 of ubuntu, with its evidence",
            url="https://assay.test/api/v1/images/ubuntu/versions/1.2.0",
        ),
    )


def test_an_aged_vm_complies_until_its_grace_ends() -> None:
    statement = said_of(a_vm(Verdict.AGED, due_at=NOON + 30 * DAY))

    assert (statement.state, statement.expires_at) == ("Compliant", NOON + 30 * DAY)


@pytest.mark.parametrize(
    ("due_at", "expires_at"),
    [(None, NOON + 180 * DAY), (NOON + 400 * DAY, NOON + 180 * DAY)],
)
def test_an_aged_vm_with_time_to_spare_complies_for_a_life(
    due_at: datetime | None, expires_at: datetime
) -> None:
    statement = said_of(a_vm(Verdict.AGED, due_at=due_at))

    assert (statement.state, statement.expires_at) == ("Compliant", expires_at)


@pytest.mark.parametrize(
    ("verdict", "due_at"),
    [
        (Verdict.AGED, NOON),
        (Verdict.RETIRED, NOON + DAY),
        (Verdict.REVOKED, NOON + DAY),
        (Verdict.UNAPPROVED, NOON + DAY),
        (Verdict.UNKNOWN, None),
    ],
)
def test_an_overdue_or_unfit_vm_does_not_comply(verdict: Verdict, due_at: datetime | None) -> None:
    statement = said_of(a_vm(verdict, due_at=due_at))

    assert (statement.state, statement.expires_at) == ("NonCompliant", NOON + 180 * DAY)


@pytest.mark.parametrize(
    ("record", "rules"),
    [
        (a_vm(deleted_at=NOON), RULES),
        (a_vm(machine=Machine.SCALE_SET), RULES),
        (a_vm(), AttestationRules()),
        (a_vm(), replace(RULES, assignment_id=ASSIGNMENT.replace("0a", "0b"))),
    ],
    ids=["deleted", "model of a scale set", "switched off", "outside the scope"],
)
def test_nothing_is_said_of_a_machine_that_is_not_there_or_not_meant(
    record: VmRecord, rules: AttestationRules
) -> None:
    assert statement_for(record, rules, NOON) is None
    assert not needs_attesting(record, rules, NOON)


def test_an_assignment_to_a_management_group_may_reach_any_vm() -> None:
    group = "/providers/Microsoft.Management/managementGroups/all"
    rules = replace(
        RULES, assignment_id=f"{group}/providers/Microsoft.Authorization/policyAssignments/golden"
    )

    assert needs_attesting(a_vm(), rules, NOON)


def test_a_group_that_only_starts_like_the_scope_is_outside() -> None:
    scope = f"{SUBSCRIPTION}/resourceGroups/r"
    rules = AttestationRules(
        assignment_id=f"{scope}/providers/Microsoft.Authorization/policyAssignments/golden"
    )

    assert not rules.reaches(VM)
    assert rules.reaches(VM.replace("/rg/", "/R/"))


def test_a_foreign_image_has_no_page_to_link_to() -> None:
    record = a_vm(Verdict.UNAPPROVED, definition="", image_published_at=None)

    assert len(said_of(record).evidence) == 1


def test_the_name_of_an_attestation_is_a_guid_of_machine_and_assignment() -> None:
    name = said_of(a_vm()).name

    assert str(uuid.UUID(name)) == name
    assert said_of(a_vm(Verdict.REVOKED)).name == name
    assert said_of(a_vm(), rules=replace(RULES, reference_id="r")).name != name
    assert said_of(a_vm(resource_id=f"{VM}-2")).name != name


def test_what_was_said_is_not_said_again() -> None:
    assert needs_attesting(a_vm(), RULES, NOON)
    assert not needs_attesting(told_vm(a_vm()), RULES, NOON)


def test_a_newer_version_to_redeploy_from_is_not_said_anew() -> None:
    record = told_vm(a_vm(Verdict.AGED, due_at=NOON + 30 * DAY, reason="Redeploy from 1.3.0."))

    later = replace(record, reason="Redeploy from 1.4.0.", newest="1.4.0", behind=2)

    assert not needs_attesting(later, RULES, NOON + DAY)


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": Verdict.REVOKED},
        {"image": Image(image_id="/g/ubuntu", version="1.3.0")},
        {"due_at": NOON + 10 * DAY},
    ],
    ids=["verdict", "image", "due date"],
)
def test_another_verdict_image_or_due_date_is_said(change: dict[str, Any]) -> None:
    record = told_vm(a_vm(Verdict.AGED, due_at=NOON + 30 * DAY))

    assert needs_attesting(replace(record, **change), RULES, NOON)


def test_another_assignment_is_told_from_the_start() -> None:
    record = told_vm(a_vm())

    assert needs_attesting(record, replace(RULES, assignment_id=f"{ASSIGNMENT}2"), NOON)


def test_an_attestation_is_renewed_in_the_last_fifth_of_its_life() -> None:
    record = told_vm(a_vm())

    assert not needs_attesting(record, RULES, NOON + 144 * DAY)
    assert needs_attesting(record, RULES, NOON + 144 * DAY + timedelta(seconds=1))


def test_the_end_of_the_grace_is_not_put_off_but_said_when_it_has_come() -> None:
    record = told_vm(a_vm(Verdict.AGED, due_at=NOON + 30 * DAY))

    assert not needs_attesting(record, RULES, NOON + 29 * DAY)
    assert needs_attesting(record, RULES, NOON + 30 * DAY)
    assert said_of(record, NOON + 30 * DAY).state == "NonCompliant"


def test_what_cannot_be_told_yet_is_tried_again_after_ever_longer_waits() -> None:
    record, now = a_vm(), NOON
    waits = []
    for _ in range(10):
        assert needs_attesting(record, RULES, now)
        kept = untold(said_of(record, now), record.attestation, now)
        record = replace(record, attestation=kept)
        assert not needs_attesting(record, RULES, kept.expires_at - timedelta(seconds=1))
        waits.append((kept.expires_at - now) // timedelta(hours=1))
        now = kept.expires_at

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 192, 192]


def test_another_verdict_of_what_could_not_be_told_is_tried_at_once() -> None:
    record = a_vm()
    record = replace(record, attestation=untold(said_of(record), None, NOON))

    assert needs_attesting(replace(record, verdict=Verdict.REVOKED), RULES, NOON)


def test_what_is_kept_of_a_statement_that_was_taken() -> None:
    statement = said_of(a_vm())

    assert told(statement, NOON) == Attestation(
        state="Compliant", said_at=NOON, expires_at=NOON + 180 * DAY, about=statement.about
    )


@pytest.mark.parametrize(
    ("assignment", "reference", "is_ours"),
    [
        (ASSIGNMENT.upper(), "golden-image", True),
        (ASSIGNMENT, "GOLDEN-IMAGE", True),
        (ASSIGNMENT, "other", False),
        (f"{ASSIGNMENT}2", "golden-image", False),
    ],
)
def test_a_state_is_ours_by_assignment_and_reference(
    assignment: str, reference: str, *, is_ours: bool
) -> None:
    rules = replace(RULES, reference_id="Golden-Image")

    assert rules.is_ours(assignment, reference) is is_ours


def test_no_state_is_ours_while_nothing_is_attested() -> None:
    assert not AttestationRules().is_ours("", "")
