"""Verdicts are attested only where an assignment is named."""

from datetime import timedelta

import pytest

from shared.domain.attestation import AttestationRules
from shared.errors import SettingsError
from shared.settings import settings_from_environ
from tests.settings import APP_ENVIRON

_NAME = "/providers/Microsoft.Authorization/policyAssignments/golden"
_SUBSCRIPTION = f"/subscriptions/00000000-0000-0000-0000-00000000000a{_NAME}"


def _rules(assignment: str, **environ: str) -> AttestationRules:
    public = {"ASSAY_PUBLIC_URL": "https://assay.test", "ASSAY_ATTESTATION_ASSIGNMENT": assignment}
    return settings_from_environ({**APP_ENVIRON, **public, **environ}).attestation


def test_nothing_is_attested_unless_an_assignment_is_named() -> None:
    assert not settings_from_environ(APP_ENVIRON).attestation.is_on
    assert not _rules("").is_on


@pytest.mark.parametrize(
    "assignment",
    [
        _SUBSCRIPTION,
        f"/subscriptions/a/resourceGroups/rg{_NAME}",
        f"/providers/Microsoft.Management/managementGroups/all{_NAME}",
    ],
)
def test_an_assignment_of_any_scope_is_taken(assignment: str) -> None:
    assert _rules(assignment) == AttestationRules(
        assignment_id=assignment, life=timedelta(days=180), public_url="https://assay.test"
    )


def test_life_and_definition_of_an_initiative_can_be_said() -> None:
    rules = _rules(
        _SUBSCRIPTION, ASSAY_ATTESTATION_DAYS="30", ASSAY_ATTESTATION_REFERENCE="golden-image"
    )

    assert (rules.life, rules.reference_id) == (timedelta(days=30), "golden-image")


@pytest.mark.parametrize(
    "assignment", ["golden", "/subscriptions/a/resourceGroups/rg", _NAME, f"{_SUBSCRIPTION}/x"]
)
def test_what_is_no_assignment_is_refused(assignment: str) -> None:
    with pytest.raises(SettingsError, match=r"ASSAY_ATTESTATION_ASSIGNMENT is .*policyAssignments"):
        _rules(assignment)


@pytest.mark.parametrize("days", ["1", "0", "3651", "1.5", "soon"])
def test_a_life_is_a_whole_number_of_days(days: str) -> None:
    with pytest.raises(SettingsError, match="ASSAY_ATTESTATION_DAYS"):
        _rules(_SUBSCRIPTION, ASSAY_ATTESTATION_DAYS=days)


def test_evidence_needs_an_address_to_link_to() -> None:
    with pytest.raises(SettingsError, match=r"ASSAY_PUBLIC_URL is not set.*the evidence"):
        _rules(_SUBSCRIPTION, ASSAY_PUBLIC_URL="")
