"""Every sample of an event is understood, passed over or refused exactly as said here."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.domain.vm_record import Image, LineageSource
from shared.errors import BadMessageError
from shared.events import route
from shared.messages import Command, HurryBuild, RecordPolicyState, TrackImageVersion, TrackVm
from tests.conformance.samples import samples_folder
from tests.contract.gateways.fleets import CannedArm
from tests.fakes.definitions import ubuntu

ZERO = "/subscriptions/00000000-0000-0000-0000-000000000000"
TEAM_A = f"{ZERO}/resourcegroups/rg-team-a/providers/microsoft.compute"
VM = TrackVm(resource_id=f"{TEAM_A}/virtualmachines/vm-web-01")
SCALE_SET = TrackVm(resource_id=f"{TEAM_A}/virtualmachinescalesets/vmss-api")
RECORDED_VM = TrackVm(
    resource_id=f"{ZERO}/resourcegroups/clitest.rg000001/providers/microsoft.compute"
    "/virtualmachines/vmfromimage"
)
IMAGE = f"{ZERO}/resourcegroups/rg-images/providers/microsoft.compute/galleries/gal_golden"
HURRY = HurryBuild(template="it-ubuntu-2204")
CONTOSO = "/providers/microsoft.management/managementgroups/contoso/providers"


def version(number: str) -> TrackImageVersion:
    return TrackImageVersion(resource_id=f"{IMAGE}/images/ubuntu-2204/versions/{number}")


def policy(state: str, *, deleted: bool = False) -> RecordPolicyState:
    return RecordPolicyState(
        resource_id=VM.resource_id,
        assignment_id=f"{CONTOSO}/microsoft.authorization/policyassignments/allowed-images",
        definition_id=f"{CONTOSO}/microsoft.authorization/policydefinitions/only-gallery-images",
        reference_id="",
        state=state,
        timestamp=datetime(2021, 3, 27, 18, 37, 42, 449695, tzinfo=UTC),
        deleted=deleted,
    )


UNDERSTOOD: dict[str, Command] = {
    "derived/arn_vm_created_or_updated.cloudevents.json": RECORDED_VM,
    "derived/arn_vm_created_or_updated.eventgrid.json": RECORDED_VM,
    "derived/gallery_image_version_delete_success.cloudevents.json": version("1.2.0"),
    "derived/gallery_image_version_delete_success.eventgrid.json": version("1.2.0"),
    "derived/gallery_image_version_write_success.cloudevents.json": version("1.4.0"),
    "derived/gallery_image_version_write_success.eventgrid.json": version("1.4.0"),
    "derived/image_template_run_action_failure.eventgrid.json": HURRY,
    "derived/image_template_run_action_success.cloudevents.json": HURRY,
    "derived/image_template_run_action_success.eventgrid.json": HURRY,
    "derived/policy_state_changed_vm.cloudevents.json": policy("compliant"),
    "derived/policy_state_changed_vm.eventgrid.json": policy("compliant"),
    "derived/policy_state_created_vm.cloudevents.json": policy("noncompliant"),
    "derived/policy_state_created_vm.eventgrid.json": policy("noncompliant"),
    "derived/policy_state_deleted_vm.eventgrid.json": policy("", deleted=True),
    "derived/vm_delete_success.cloudevents.json": VM,
    "derived/vm_delete_success.eventgrid.json": VM,
    "derived/vm_write_success_create.cloudevents.json": VM,
    "derived/vm_write_success_create.eventgrid.json": VM,
    "derived/vm_write_success_update.cloudevents.json": VM,
    "derived/vm_write_success_update.eventgrid.json": VM,
    "derived/vmss_instance_delete_success.eventgrid.json": SCALE_SET,
    "derived/vmss_write_success.cloudevents.json": SCALE_SET,
    "derived/vmss_write_success.eventgrid.json": SCALE_SET,
}

NOISE = {
    "derived/noise_deployment_write_success.eventgrid.json",
    "derived/vm_write_cancel.cloudevents.json",
    "derived/vm_write_cancel.eventgrid.json",
    "derived/vm_write_failure.cloudevents.json",
    "derived/vm_write_failure.eventgrid.json",
    "docs/subscription_validation_event.json",
    # about a type of resource the sample leaves open
    "spec/Microsoft.PolicyInsights.cloudevents.policy_state_changed.json",
    "spec/Microsoft.PolicyInsights.eventgrid.policy_state_changed.json",
    "spec/Microsoft.PolicyInsights.eventgrid.policy_state_created.json",
    # about health, or about storage accounts
    "spec/Microsoft.ResourceNotifications.cloudevents.HealthResources_AvailabilityStatusChanged.json",
    "spec/Microsoft.ResourceNotifications.cloudevents.HealthResources_ResourceAnnotated.json",
    "spec/Microsoft.ResourceNotifications.cloudevents.Resources_CreatedOrUpdated.json",
    "spec/Microsoft.ResourceNotifications.cloudevents.Resources_Deleted.json",
    "spec/Microsoft.ResourceNotifications.eventgrid.HealthResources_AvailabilityStatusChanged.json",
    "spec/Microsoft.ResourceNotifications.eventgrid.HealthResources_ResourceAnnotated.json",
    "spec/Microsoft.ResourceNotifications.eventgrid.Resources_CreatedOrUpdated.json",
    # about event hubs and storage accounts
    "spec/Microsoft.Resources.cloudevents.resource_action_cancel.json",
    "spec/Microsoft.Resources.cloudevents.resource_action_success.json",
    "spec/Microsoft.Resources.cloudevents.resource_delete_cancel.json",
    "spec/Microsoft.Resources.cloudevents.resource_delete_failure.json",
    "spec/Microsoft.Resources.cloudevents.resource_delete_success.json",
    "spec/Microsoft.Resources.cloudevents.resource_write_failure.json",
    "spec/Microsoft.Resources.cloudevents.resource_write_success.json",
    "spec/Microsoft.Resources.eventgrid.resource_action_cancel.json",
    "spec/Microsoft.Resources.eventgrid.resource_action_failure.json",
    "spec/Microsoft.Resources.eventgrid.resource_action_success.json",
    "spec/Microsoft.Resources.eventgrid.resource_delete_cancel.json",
    "spec/Microsoft.Resources.eventgrid.resource_delete_success.json",
    "spec/Microsoft.Resources.eventgrid.resource_write_cancel.json",
    "spec/Microsoft.Resources.eventgrid.resource_write_failure.json",
    "spec/Microsoft.Resources.eventgrid.resource_write_success.json",
}

REFUSED = {  # no events: the fields an event must have are missing
    "docs/resource_changes_record.json": "eventType is missing",
    "docs/subscription_validation_response.json": "eventType is missing",
    "docs/vmss_lifecycle_hook_event_data.json": "eventType is missing",
}


def events_folder() -> Path:
    folder = samples_folder() / "events"
    if not folder.is_dir():
        pytest.skip(f"no samples of events in {folder} (set ASSAY_SAMPLES)")
    return folder


def events_in(name: str) -> list[dict[str, Any]]:
    parsed = json.loads((events_folder() / name).read_text(encoding="utf-8"))
    return parsed if isinstance(parsed, list) else [parsed]


def test_no_sample_is_left_out() -> None:
    folder = events_folder()
    there = {
        path.relative_to(folder).as_posix()
        for part in ("spec", "derived", "docs")
        for path in (folder / part).glob("*.json")
    }
    assert there == UNDERSTOOD.keys() | NOISE | REFUSED.keys()


@pytest.mark.parametrize(("name", "command"), UNDERSTOOD.items())
def test_a_sample_that_concerns_us_becomes_one_message(name: str, command: Command) -> None:
    [event] = events_in(name)
    assert route(event, {"ubuntu-22-04": ubuntu()}) == [command]


@pytest.mark.parametrize("name", sorted(NOISE))
def test_a_sample_that_does_not_concern_us_is_passed_over(name: str) -> None:
    [event] = events_in(name)
    assert route(event, {"ubuntu-22-04": ubuntu()}) == []


@pytest.mark.parametrize(("name", "fault"), REFUSED.items())
def test_a_sample_that_is_no_event_is_refused(name: str, fault: str) -> None:
    [event] = events_in(name)
    with pytest.raises(BadMessageError, match=fault):
        route(event, {})


# --- what Azure answered when it was asked for the VM ---------------------------------------------

TESTED = f"{ZERO}/resourcegroups"
GALLERIES = "providers/microsoft.compute/galleries"
RECORDED: dict[str, tuple[str, str]] = {
    "arm/vm_from_aib_gallery_version.json": (
        f"{TESTED}/img_tmpl_sig000001/{GALLERIES}/ib_sig000003/images/image1",
        "1.0.0",
    ),
    "arm/vm_from_marketplace_image.json": (
        "canonical:ubuntuserver:18.04-lts",
        "18.04.202306070",
    ),
    "arm/vm_from_specialized_gallery_version.json": (
        f"{TESTED}/cli_test_test_specialized_image_000001/{GALLERIES}/gallery_000002/images/image1",
        "1.0.0",
    ),
}


@pytest.mark.parametrize(("name", "image"), RECORDED.items())
async def test_the_image_of_a_recorded_vm_is_read(name: str, image: tuple[str, str]) -> None:
    arm = CannedArm()
    [vm] = events_in(name)
    async with arm.gateway() as fleet:
        facts = await fleet.vm(arm.put(vm))
    assert facts is not None
    expected = Image(image_id=image[0], version=image[1], source=LineageSource.IMAGE_REFERENCE)
    assert facts.image == expected


@pytest.mark.parametrize(
    ("name", "image_id", "number"),
    [
        (
            "arm/disk_from_own_gallery.json",
            f"{TESTED}/cli_test_create_disk_from_diff_gallery_image_version_000001/{GALLERIES}"
            "/gallery2000003/images/image2",
            "1.1.2",
        ),
        (
            "arm/disk_from_shared_gallery.json",
            "/sharedgalleries/0b1f6471-1bf0-4dda-aec3-cb9272f09590-gallery23w37qifn/images/image2",
            "1.1.2",
        ),
    ],
)
async def test_a_vm_on_a_recorded_disk_runs_the_image_of_the_disk(
    name: str, image_id: str, number: str
) -> None:
    arm = CannedArm()
    [disk] = events_in(name)
    arm.put(disk)
    [vm] = events_in("arm/vm_from_marketplace_image.json")
    storage = vm["properties"]["storageProfile"]
    del storage["imageReference"]
    storage["osDisk"]["managedDisk"]["id"] = disk["id"]
    async with arm.gateway() as fleet:
        facts = await fleet.vm(arm.put(vm))
    assert facts is not None
    assert facts.image == Image(image_id=image_id, version=number, source=LineageSource.DISK)
