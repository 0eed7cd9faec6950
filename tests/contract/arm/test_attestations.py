"""Attestations of resources, and what they do to policy states."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.policyinsights.aio import PolicyInsightsClient
from azure.mgmt.policyinsights.models import Attestation, AttestationEvidence, AttestationProperties

from localcloud.arm import ArmSimulator
from localcloud.arm.policy import PolicyState
from tests.arm_plugin import client_options
from tests.contract.arm.requests import GROUP, SUBSCRIPTION, UBUNTU, machine

_VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/Web"
_ASSIGNMENT = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/policyAssignments/A"


def _attestation(state: str = "Compliant", **properties: Any) -> Attestation:
    return Attestation(
        properties=AttestationProperties(
            policy_assignment_id=_ASSIGNMENT, compliance_state=state, **properties
        )
    )


async def _evaluated_machine(
    sim: ArmSimulator, compute: ComputeManagementClient, *references: str
) -> None:
    await compute.virtual_machines.begin_create_or_update("rg", "Web", machine(UBUNTU))
    for reference in references or ("",):
        sim.cloud.policy_states.put(
            PolicyState(
                resource_id=_VM, assignment=_ASSIGNMENT, reference=reference, state="Unknown"
            )
        )
    sim.cloud.events.clear()


def _states(sim: ArmSimulator) -> dict[str, str]:
    return {
        row["policyDefinitionReferenceId"]: row["complianceState"]
        for row in sim.cloud.policy_states.under(_VM)
    }


def _policy_events(sim: ArmSimulator) -> list[tuple[str, str, str]]:
    return [
        (event.type.rsplit(".", 1)[-1], event.subject, event.data["complianceState"])
        for event in sim.cloud.events.log
        if event.stream == "policy"
    ]


async def test_an_attestation_sets_the_policy_state_with_its_event(
    arm: ArmSimulator, compute: ComputeManagementClient, policy: Any
) -> None:
    await _evaluated_machine(arm, compute)
    asked = _attestation(
        comments="The tattoo was read.",
        owner="assay",
        evidence=[AttestationEvidence(description="build b-1", source_uri="https://x.test/b-1")],
        metadata={"build": "b-1"},
    )

    poller = await policy.attestations.begin_create_or_update_at_resource(_VM, "assay", asked)
    made = await poller.result()

    properties = made.properties
    assert made.id == f"{_VM}/providers/Microsoft.PolicyInsights/attestations/assay"
    assert (made.name, made.type) == ("assay", "Microsoft.PolicyInsights/attestations")
    assert (properties.provisioning_state, properties.compliance_state) == (
        "Succeeded",
        "Compliant",
    )
    assert properties.last_compliance_state_change_at is not None
    assert properties.evidence[0].source_uri == "https://x.test/b-1"
    assert made.system_data.created_by_type == "Application"
    assert _states(arm) == {"": "Compliant"}
    assert _policy_events(arm) == [("PolicyStateChanged", _VM.lower(), "Compliant")]
    write = arm.cloud.events.log[-1]
    assert write.data["operationName"] == "Microsoft.PolicyInsights/attestations/write"


async def test_an_attestation_is_updated_read_and_listed(
    arm: ArmSimulator, compute: ComputeManagementClient, policy: Any
) -> None:
    await _evaluated_machine(arm, compute)
    attestations = policy.attestations
    statuses: list[int] = []

    async def write(**properties: Any) -> Any:
        poller = await attestations.begin_create_or_update_at_resource(
            _VM,
            "assay",
            _attestation(**properties),
            raw_response_hook=lambda response: statuses.append(response.http_response.status_code),
        )
        return await poller.result()

    first, again = await write(), await write(comments="again")
    other = await write(state="NonCompliant")

    read = await attestations.get_at_resource(_VM, "assay")
    listed = [each async for each in attestations.list_for_resource(_VM)]
    matching = f"PolicyAssignmentId eq '{_ASSIGNMENT}' AND PolicyDefinitionReferenceId eq 'r'"
    filtered = [each async for each in attestations.list_for_resource(_VM, filter=matching)]
    changed = [each.properties.last_compliance_state_change_at for each in (first, again, other)]
    assert statuses == [201, 200, 200]
    assert changed[0] == changed[1] < changed[2]
    assert read == other
    assert (listed, filtered) == ([other], [])


async def test_one_definition_of_a_set_is_attested_or_all_of_them(
    arm: ArmSimulator, compute: ComputeManagementClient, policy: Any
) -> None:
    await _evaluated_machine(arm, compute, "tattoo", "image")
    attest = policy.attestations.begin_create_or_update_at_resource

    await attest(_VM, "one", _attestation(policy_definition_reference_id="tattoo"))
    one = _states(arm)
    await attest(_VM, "all", _attestation("NonCompliant"))

    assert one == {"tattoo": "Compliant", "image": "Unknown"}
    assert _states(arm) == {"tattoo": "NonCompliant", "image": "NonCompliant"}


async def test_a_deleted_attestation_leaves_the_state_unknown(
    arm: ArmSimulator, compute: ComputeManagementClient, policy: Any
) -> None:
    await _evaluated_machine(arm, compute)
    attestations = policy.attestations
    await attestations.begin_create_or_update_at_resource(_VM, "assay", _attestation())

    await attestations.delete_at_resource(_VM, "assay")
    await attestations.delete_at_resource(_VM, "assay")

    assert _states(arm) == {"": "Unknown"}
    assert [state for *_, state in _policy_events(arm)] == ["Compliant", "Unknown"]
    with pytest.raises(ResourceNotFoundError):
        await attestations.get_at_resource(_VM, "assay")


async def test_an_attestation_expires_unless_it_was_renewed(
    slow_arm: ArmSimulator, slow_compute: ComputeManagementClient
) -> None:
    await _evaluated_machine(slow_arm, slow_compute)
    start = slow_arm.cloud.clock.now()

    def expiring(days: int) -> Attestation:
        return _attestation(expires_on=start + timedelta(days=days))

    seen = []
    async with PolicyInsightsClient(
        subscription_id=SUBSCRIPTION, **client_options(slow_arm)
    ) as policy:
        attest = policy.attestations.begin_create_or_update_at_resource
        await attest(_VM, "assay", expiring(7))
        slow_arm.cloud.scheduler.advance(timedelta(days=6))
        await attest(_VM, "assay", expiring(14))
        for days in (2, 5, 1):
            slow_arm.cloud.scheduler.advance(timedelta(days=days))
            seen.append(_states(slow_arm)[""])

    assert seen == ["Compliant", "Compliant", "Unknown"]
    assert [state for *_, state in _policy_events(slow_arm)] == ["Compliant", "Unknown"]


async def test_attestations_go_with_their_machine(
    slow_arm: ArmSimulator, slow_compute: ComputeManagementClient
) -> None:
    await _evaluated_machine(slow_arm, slow_compute)
    expires = slow_arm.cloud.clock.now() + timedelta(days=1)
    async with PolicyInsightsClient(
        subscription_id=SUBSCRIPTION, **client_options(slow_arm)
    ) as policy:
        await policy.attestations.begin_create_or_update_at_resource(
            _VM, "assay", _attestation(expires_on=expires)
        )
        await slow_compute.virtual_machines.begin_delete("rg", "Web")
        slow_arm.cloud.scheduler.advance(timedelta(days=2))

        with pytest.raises(ResourceNotFoundError):
            await policy.attestations.get_at_resource(_VM, "assay")

    assert _states(slow_arm) == {"": "Compliant"}


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({"policyAssignmentId": ""}, "'policyAssignmentId' of the attestation is missing"),
        ({"complianceState": "Perfect"}, "must be one of Compliant, NonCompliant, Unknown"),
        ({"complianceState": None}, "must be one of Compliant, NonCompliant, Unknown"),
        ({"expiresOn": "soon"}, "is no time with an offset"),
        ({"expiresOn": datetime(2020, 1, 1, tzinfo=UTC).isoformat()}, "is past"),
        ({"colour": "red"}, "no properties colour"),
        ({"policyAssignmentId": f"{_ASSIGNMENT}2"}, "No compliance data was found"),
        ({"policyDefinitionReferenceId": "r"}, "No compliance data was found"),
    ],
)
async def test_an_attestation_that_says_nothing_right_is_refused(
    arm: ArmSimulator,
    compute: ComputeManagementClient,
    policy: Any,
    properties: dict[str, Any],
    says: str,
) -> None:
    await _evaluated_machine(arm, compute)
    whole = {"policyAssignmentId": _ASSIGNMENT, "complianceState": "Compliant"}
    asked: Any = {"properties": {**whole, **properties}}

    with pytest.raises(HttpResponseError, match=says) as refusal:
        await policy.attestations.begin_create_or_update_at_resource(_VM, "assay", asked)

    assert refusal.value.status_code == 400
    assert _states(arm) == {"": "Unknown"}


async def test_what_is_not_there_cannot_be_attested(policy: Any) -> None:
    with pytest.raises(ResourceNotFoundError, match="virtualMachines/Web"):
        await policy.attestations.begin_create_or_update_at_resource(_VM, "a", _attestation())
