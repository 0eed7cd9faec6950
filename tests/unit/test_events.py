"""What an event means for us."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.image_definition import MarketplaceSource
from shared.errors import BadMessageError
from shared.events import Event, route
from shared.messages import (
    Command,
    Envelope,
    HurryBuild,
    RecordPolicyState,
    StartBuild,
    TrackImageVersion,
    TrackVm,
    encode,
)
from tests.fakes.definitions import ubuntu

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-00000000000A"
GROUP = f"{SUBSCRIPTION}/resourceGroups/RG-Web/providers"
VM = f"{GROUP}/Microsoft.Compute/virtualMachines/Web-01"
SCALE_SET = f"{GROUP}/Microsoft.Compute/virtualMachineScaleSets/Api"
IMAGE_VERSION = f"{GROUP}/Microsoft.Compute/galleries/g/images/i/versions/1.0.0"
TEMPLATE = f"{GROUP}/Microsoft.VirtualMachineImages/imageTemplates/Ubuntu-abc-a1"

DEFINITIONS = {d.name: d for d in (
    ubuntu(),
    ubuntu(name="ubuntu-web"),
    ubuntu(name="other", source=MarketplaceSource(publisher="a", offer="b", sku="c")),
)}  # fmt: skip


def arm(kind: str, operation: str, subject: str, **data: Any) -> dict[str, Any]:
    """Return an event of Azure Resource Manager in the Event Grid schema."""
    return {
        "id": "e-1",
        "topic": SUBSCRIPTION,
        "subject": subject,
        "eventType": f"Microsoft.Resources.{kind}",
        "eventTime": "2026-11-22T12:00:00Z",
        "data": {
            "operationName": operation,
            "status": "Succeeded",
            "claims": {"name": "Ada Lovelace", "ipaddr": "203.0.113.7"},
            "authorization": {"scope": subject},
            **data,
        },
        "dataVersion": "2",
        "metadataVersion": "1",
    }


def policy(change: str = "Changed", subject: str = VM, **data: Any) -> dict[str, Any]:
    """Return an event of Azure Policy."""
    return {
        "id": "E-2",
        "topic": SUBSCRIPTION,
        "subject": subject,
        "eventType": f"Microsoft.PolicyInsights.PolicyState{change}",
        "eventTime": "2026-11-22T12:30:00Z",
        "data": {
            "timestamp": "2026-11-22T12:00:00.1234567Z",
            "policyAssignmentId": "/providers/Microsoft.Management/managementGroups/MG/A",
            "policyDefinitionId": "/providers/Microsoft.Authorization/policyDefinitions/D",
            "policyDefinitionReferenceId": "",
            "complianceState": "NonCompliant",
            "complianceReasonCode": "",
            **data,
        },
    }


def published(**data: Any) -> dict[str, Any]:
    """Return our own event of a new source version, as a CloudEvent."""
    return {
        "specversion": "1.0",
        "id": "x",
        "source": "assay",
        "type": "Assay.SourceVersionPublished",
        "subject": "sources/canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2",
        "time": "2026-11-22T12:00:00Z",
        "data": {
            "publisher": "canonical",
            "offer": "0001-com-ubuntu-server-jammy",
            "sku": "22_04-LTS-gen2",
            "version": "22.04.202411080",
            **data,
        },
    }


def as_cloud_event(event: dict[str, Any]) -> dict[str, Any]:
    """Return the same event in CloudEvents 1.0."""
    names = {"topic": "source", "eventType": "type", "eventTime": "time"}
    kept = {k: v for k, v in event.items() if k not in ("dataVersion", "metadataVersion")}
    return {"specversion": "1.0"} | {names.get(k, k): v for k, v in kept.items()}


MEANINGS: list[tuple[str, str, str, Command]] = [
    *(
        (kind, operation, VM, TrackVm(resource_id=VM.lower()))
        for kind, operation in (
            ("ResourceWriteSuccess", "Microsoft.Compute/virtualMachines/write"),
            ("ResourceDeleteSuccess", "MICROSOFT.COMPUTE/VIRTUALMACHINES/DELETE"),
            ("ResourceActionSuccess", "Microsoft.Compute/virtualMachines/reimage/action"),
        )
    ),
    *(
        (kind, f"Microsoft.Compute/virtualMachineScaleSets/{verb}", SCALE_SET,
         TrackVm(resource_id=SCALE_SET.lower()))
        for kind, verb in (
            ("ResourceWriteSuccess", "write"),
            ("ResourceDeleteSuccess", "delete"),
            ("ResourceActionSuccess", "delete/action"),
            ("ResourceActionSuccess", "manualUpgrade/action"),
            ("ResourceActionSuccess", "reimage/action"),
            ("ResourceActionSuccess", "reimageAll/action"),
            ("ResourceActionSuccess", "osRollingUpgrade/action"),
        )
    ),
    *(
        (kind, f"Microsoft.Compute/virtualMachineScaleSets/virtualMachines/{verb}",
         f"{SCALE_SET}/virtualMachines/3", TrackVm(resource_id=SCALE_SET.lower()))
        for kind, verb in (
            ("ResourceDeleteSuccess", "delete"),
            ("ResourceActionSuccess", "reimage/action"),
        )
    ),
    *(
        (kind, f"Microsoft.Compute/galleries/images/versions/{verb}", IMAGE_VERSION,
         TrackImageVersion(resource_id=IMAGE_VERSION.lower()))
        for kind, verb in (("ResourceWriteSuccess", "write"), ("ResourceDeleteSuccess", "delete"))
    ),
    ("ResourceDeleteSuccess", "Microsoft.Compute/galleries/images/delete",
     IMAGE_VERSION.partition("/versions/")[0],
     TrackImageVersion(resource_id=IMAGE_VERSION.lower().partition("/versions/")[0])),
    *(
        (kind, "Microsoft.VirtualMachineImages/imageTemplates/run/action", TEMPLATE,
         HurryBuild(template="ubuntu-abc-a1"))
        for kind in ("ResourceActionSuccess", "ResourceActionFailure", "ResourceActionCancel")
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "operation", "subject", "command"), MEANINGS)
def test_what_happened_to_a_resource_is_looked_at(
    kind: str, operation: str, subject: str, command: Command
) -> None:
    event = arm(kind, operation, subject)
    assert route(event, DEFINITIONS) == [command]
    assert route(as_cloud_event(event), DEFINITIONS) == [command]


@pytest.mark.parametrize(
    "event",
    [
        arm("ResourceWriteFailure", "Microsoft.Compute/virtualMachines/write", VM),
        arm("ResourceWriteCancel", "Microsoft.Compute/virtualMachines/write", VM),
        arm("ResourceDeleteFailure", "Microsoft.Compute/virtualMachines/delete", VM),
        arm("ResourceActionSuccess", "Microsoft.Compute/virtualMachines/restart/action", VM),
        arm("ResourceWriteSuccess", "Microsoft.Compute/virtualMachines/extensions/write", VM),
        arm("ResourceWriteSuccess", "Microsoft.Resources/deployments/write", "whatever"),
        arm("ResourceWriteSuccess", "Microsoft.Storage/storageAccounts/write", "whatever"),
        policy(subject=SCALE_SET),
        policy(subject=SUBSCRIPTION),
        policy(subject=f"{SUBSCRIPTION}/resourceGroups/rg"),
        policy(subject="/providers/Microsoft.Management/managementGroups/mg"),
        policy("Forgotten"),
        {"id": "1", "subject": VM, "data": {}, "eventType":
            "Microsoft.ResourceNotifications.HealthResources.AvailabilityStatusChanged"},
        {"id": "1", "subject": f"{GROUP}/Microsoft.Storage/storageAccounts/s", "data": {},
         "eventType": "Microsoft.ResourceNotifications.Resources.CreatedOrUpdated"},
        {"id": "1", "subject": VM, "data": {},
         "eventType": "Microsoft.ResourceNotifications.Resources.Renamed"},
        {"id": "1", "subject": VM, "data": {}, "type": "Assay.VmVerdictChanged",
         "specversion": "1.0"},
        {"id": "1", "subject": "", "data": {"validationCode": "c"},
         "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent"},
        published(publisher="debian"),
    ],
)  # fmt: skip
def test_everything_else_is_noise(event: dict[str, Any]) -> None:
    assert route(event, DEFINITIONS) == []
    assert route(as_cloud_event(event), DEFINITIONS) == []


@pytest.mark.parametrize("change", ["CreatedOrUpdated", "Deleted"])
@pytest.mark.parametrize("subject", [VM, SCALE_SET])
def test_a_resource_notification_about_a_vm_has_it_looked_at(change: str, subject: str) -> None:
    event = {
        "id": "1",
        "subject": subject,
        "eventType": f"Microsoft.ResourceNotifications.Resources.{change}",
        "data": {"resourceInfo": {"id": subject}},
    }
    assert route(event, DEFINITIONS) == [TrackVm(resource_id=subject.lower())]


@pytest.mark.parametrize("subject", [VM, f"{SCALE_SET}/virtualMachines/3"])
def test_a_policy_state_is_recorded_with_the_time_of_its_evaluation(subject: str) -> None:
    event = policy(subject=subject)
    expected = RecordPolicyState(
        resource_id=subject.lower(),
        assignment_id="/providers/microsoft.management/managementgroups/mg/a",
        definition_id="/providers/microsoft.authorization/policydefinitions/d",
        reference_id="",
        state="noncompliant",
        timestamp=datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC),
    )
    assert route(event, DEFINITIONS) == [expected]
    assert route(as_cloud_event(event), DEFINITIONS) == [expected]


def test_a_deleted_policy_state_is_a_tombstone_whatever_state_it_carries() -> None:
    for state in ("", "Compliant"):
        [command] = route(policy("Deleted", complianceState=state), DEFINITIONS)
        assert isinstance(command, RecordPolicyState)
        assert (command.deleted, command.state) == (True, "")


def test_a_source_version_builds_every_image_made_from_that_source() -> None:
    assert route(published(), DEFINITIONS) == [
        StartBuild(definition=name, source_version="22.04.202411080", requested_by="source-version")
        for name in ("ubuntu-22-04", "ubuntu-web")
    ]


def test_claims_may_be_text_and_are_never_kept() -> None:
    event = arm(
        "ResourceWriteSuccess",
        "Microsoft.Compute/virtualMachines/write",
        VM,
        claims='{"name": "Ada Lovelace"}',
        authorization='{"scope": ""}',
        httpRequest="",
    )
    [command] = route(event, DEFINITIONS)
    assert command == TrackVm(resource_id=VM.lower())
    text = encode(Envelope(command=command, correlation_id="c"))
    assert "Ada" not in text


def without(event: dict[str, Any], *path: str) -> dict[str, Any]:
    """Return *event* without the field at *path*."""
    name, *rest = path
    if rest:
        return {**event, name: without(event[name], *rest)}
    return {key: value for key, value in event.items() if key != name}


VM_WRITE = arm("ResourceWriteSuccess", "Microsoft.Compute/virtualMachines/write", VM)


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        ({}, "eventType is missing"),
        ({"specversion": "1.0"}, "type is missing"),
        (without(VM_WRITE, "eventType"), "eventType is missing"),
        ({**VM_WRITE, "eventType": 5}, "eventType is not a text"),
        (without(VM_WRITE, "subject"), "subject is missing"),
        ({**VM_WRITE, "subject": "Web-01"}, "subject is 'Web-01', which is no resource id"),
        (
            {**VM_WRITE, "subject": SCALE_SET},
            f"subject is '{SCALE_SET}', which is no microsoft.compute/virtualmachines",
        ),
        ({**VM_WRITE, "subject": SUBSCRIPTION}, "which is no microsoft.compute/virtualmachines"),
        (without(VM_WRITE, "data"), "data is not an object"),
        ({**VM_WRITE, "data": "{}"}, "data is not an object"),
        (without(VM_WRITE, "data", "operationName"), "data.operationName is missing"),
        (without(policy(), "data", "timestamp"), "data.timestamp is missing"),
        (policy(timestamp="yesterday"), "data.timestamp is 'yesterday', which is no time"),
        (policy(timestamp="2026-11-22T12:00:00"), "which has no time zone"),
        (policy(policyAssignmentId=""), "data.policyAssignmentId is missing"),
        (without(policy(), "data", "policyDefinitionId"), "data.policyDefinitionId is missing"),
        (policy(complianceState=None), "data.complianceState is missing"),
        (policy(policyDefinitionReferenceId=3), "data.policyDefinitionReferenceId is not a text"),
        (without(published(), "data", "sku"), "data.sku is missing"),
        (published(version="latest"), "data.version is 'latest', which is no version number"),
    ],
)
def test_a_malformed_event_is_refused_by_the_name_of_the_field(
    event: dict[str, Any], fault: str
) -> None:
    with pytest.raises(BadMessageError) as refused:
        route(event, DEFINITIONS)
    assert fault in str(refused.value)


def test_the_id_of_an_event_is_asked_for_only_where_it_is_needed() -> None:
    assert Event(VM_WRITE).id == "e-1"
    with pytest.raises(BadMessageError, match="id is missing"):
        _ = Event({}).id


TAGGED = [(VM, True), (SCALE_SET, True), (IMAGE_VERSION, False)]


@pytest.mark.parametrize("verb", ["write", "delete"])
@pytest.mark.parametrize(("tagged", "means"), TAGGED)
def test_a_change_of_tags_alone_is_seen_for_team_and_kind(
    verb: str, tagged: str, means: bool
) -> None:
    subject = f"{tagged}/providers/Microsoft.Resources/tags/default"
    event = arm("ResourceWriteSuccess", f"Microsoft.Resources/tags/{verb}", subject)

    expected = [TrackVm(resource_id=tagged.lower())] if means else []
    assert route(event, DEFINITIONS) == expected


def test_tags_of_groups_and_failed_changes_mean_nothing() -> None:
    group = f"{SUBSCRIPTION}/resourceGroups/RG/providers/Microsoft.Resources/tags/default"
    failed = f"{VM}/providers/Microsoft.Resources/tags/default"

    assert route(arm("ResourceWriteSuccess", "Microsoft.Resources/tags/write", group), {}) == []
    assert route(arm("ResourceWriteFailure", "Microsoft.Resources/tags/write", failed), {}) == []
