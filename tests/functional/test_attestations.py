"""Verdicts shown in Azure Policy, every message delivered twice."""

from datetime import datetime, timedelta
from http import HTTPStatus

import pytest

from localcloud.environment import TEAMS_SUBSCRIPTION
from localcloud.scenario.machines import UBUNTU, Machine
from tests.functional.conftest import Json, LocalAssay
from tests.functional.test_track import deploy, release

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCOPE = f"/subscriptions/{TEAMS_SUBSCRIPTION}"
ASSIGNMENT = f"{SCOPE}/providers/Microsoft.Authorization/policyAssignments/golden"
PUBLIC = "https://assay.example.com"
FOREIGN = Machine(name="web-0", team="shop", image=UBUNTU)


@pytest.fixture(scope="module")
def more_settings() -> dict[str, str]:
    return {"ASSAY_ATTESTATION_ASSIGNMENT": ASSIGNMENT, "ASSAY_PUBLIC_URL": PUBLIC}


async def assign(local: LocalAssay) -> None:
    definition = f"{SCOPE}/providers/Microsoft.Authorization/policyDefinitions/golden"
    body = {"properties": {"policyDefinitionId": definition}}
    await local.azure.http.call("PUT", f"{ASSIGNMENT}?api-version=2022-06-01", body)


async def evaluate(local: LocalAssay, machine: Machine) -> None:
    """Let Azure Policy evaluate a machine for the first time, as it does some minutes later."""
    await local.simulation.policy_says(machine.id, ASSIGNMENT, "Unknown")


def writes(local: LocalAssay, machine: Machine) -> list[tuple[bool, str]]:
    """Return what was attested of *machine* and how it was answered, in order.

    Of two deliveries at the same time both may write: that counts once.
    """
    said = [
        (e.status < HTTPStatus.BAD_REQUEST, str(e.request_body["properties"]["comments"]))
        for e in local.simulator.cloud.traffic
        if e.operation.startswith("Attestations_Create") and machine.id.lower() in e.url.lower()
    ]
    return list(dict.fromkeys(said))


async def attested(local: LocalAssay, machine: Machine, **wanted: str) -> Json:
    """Return what the one attestation of *machine* says once it is as wanted."""
    path = f"{machine.id}/providers/Microsoft.PolicyInsights/attestations?api-version=2022-09-01"

    async def look() -> Json | None:
        held = (await local.azure.http.call("GET", path))["value"]
        assert len(held) <= 1
        said: Json = held[0]["properties"] if held else {}
        return said if held and wanted.items() <= said.items() else None

    return await local.until(look, f"an attestation of {machine.name} with {wanted}")


def life(said: Json) -> timedelta:
    return datetime.fromisoformat(said["expiresOn"]) - datetime.fromisoformat(
        said["assessmentDate"]
    )


async def test_a_vm_with_a_foreign_image_does_not_comply(local: LocalAssay) -> None:
    await assign(local)
    await deploy(local, FOREIGN)
    await local.vm("web-0", verdict="unapproved")
    await local.until(lambda: _answer(local, FOREIGN), "the first try")
    await evaluate(local, FOREIGN)

    said = await attested(local, FOREIGN, complianceState="NonCompliant")

    vm = await local.vm("web-0")
    assert vm["reason"] in said["comments"]
    assert said["evidence"] == [
        {"description": "The VM in the register", "sourceUri": f"{PUBLIC}/api/v1/vms/{vm['key']}"}
    ]
    assert life(said) > timedelta(days=179)
    assert [taken for taken, _ in writes(local, FOREIGN)] == [False, True]


async def test_our_own_attestation_is_no_policy_state_of_the_vm(local: LocalAssay) -> None:
    await local.simulation.policy_says(
        FOREIGN.id, ASSIGNMENT.replace("golden", "other"), "Compliant"
    )

    vm = await local.vm("web-0", policy="compliant")

    whole = await local.assay.vm(vm["key"])
    assert [s["assignment_id"] for s in whole["policy_states"]] == [
        ASSIGNMENT.replace("golden", "other").lower()
    ]


async def test_a_current_vm_is_attested_when_azure_policy_knows_it_and_when_it_ages(
    local: LocalAssay,
) -> None:
    await release(local, "22.04.202611010")
    image = await local.assay.image("ubuntu-22-04")
    machine = Machine(name="web-1", team="shop", image={"id": image["image_id"]})
    await deploy(local, machine)
    await local.vm("web-1", verdict="current")
    await local.until(lambda: _answer(local, machine), "the first try")

    await evaluate(local, machine)
    current = await attested(local, machine, complianceState="Compliant")
    await release(local, "22.04.202611150")
    await local.vm("web-1", verdict="aged")

    async def aged() -> Json | None:
        said = await attested(local, machine)
        return said if "aged" in said["comments"] else None

    until_due = await local.until(aged, "the attestation of the aged VM")

    assert life(current) > timedelta(days=179)
    assert len(current["evidence"]) == 2
    assert until_due["complianceState"] == "Compliant"
    assert timedelta(days=29) < life(until_due) < timedelta(days=31)
    assert [taken for taken, _ in writes(local, machine)] == [False, True, True]


async def _answer(local: LocalAssay, machine: Machine) -> tuple[bool, str] | None:
    return next(iter(writes(local, machine)), None)
