"""The contract of the fleet port, and how the gateway reads what Azure recorded."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.identifiers import normalise_id
from shared.domain.lineage import Known
from shared.domain.vm_record import Boot, Image, LineageSource, Machine, VmFacts
from shared.errors import NotReadyError, ThrottledError
from shared.fleet.catalog import BUILD_TAG
from shared.gateways.clients import AzureClients
from shared.gateways.machines import machine_body
from shared.settings import Settings
from tests.contract.gateways import things
from tests.contract.gateways.fleets import (
    GROUP,
    IMAGE,
    CannedArm,
    FleetCloud,
    MemoryFleet,
    SimulatedFleet,
)

TEAM = {"team": "web"}


@pytest.fixture(params=["fakes", "simulated Azure"])
def cloud(request: pytest.FixtureRequest, clients: AzureClients, settings: Settings) -> FleetCloud:
    if request.param == "fakes":
        return MemoryFleet(settings.subscription_id)
    return SimulatedFleet(clients)


async def test_a_vm_is_read_with_its_image_region_and_tags(cloud: FleetCloud) -> None:
    vm = await cloud.make_vm("Web-01", {"Team": "Payments"})
    facts = await cloud.fleet.vm(vm)
    assert facts is not None
    assert facts.resource_id == normalise_id(vm)
    assert (facts.name, facts.region, facts.os) == ("Web-01", "westeurope", "linux")
    assert (facts.image, facts.tags, facts.scale_set_id) == (IMAGE, {"team": "Payments"}, "")


async def test_a_vm_tells_what_it_boots(cloud: FleetCloud) -> None:
    facts = await cloud.fleet.vm(await cloud.make_vm("web-01", {}))
    assert facts is not None
    assert facts.boot.reference == f"{IMAGE.image_id}@{IMAGE.version}"
    assert "/providers/microsoft.compute/disks/" in facts.boot.os_disk_id
    assert (facts.machine, facts.specialised, facts.capacity) == (Machine.VM, False, 0)


async def test_a_vm_that_boots_what_it_booted_runs_what_it_ran(cloud: FleetCloud) -> None:
    vm = await cloud.make_vm("web-01", {})
    facts = await cloud.fleet.vm(vm)
    assert facts is not None
    found = Image(image_id="found:long:ago", version="1", source=LineageSource.SNAPSHOT)
    again = await cloud.fleet.vm(vm, Known(boot=facts.boot, image=found))
    assert again == replace(facts, image=found)


async def test_a_vm_that_was_made_again_is_found_anew(cloud: FleetCloud) -> None:
    vm = await cloud.make_vm("web-01", {})
    facts = await cloud.fleet.vm(vm)
    assert facts is not None
    found = Image(image_id="found:long:ago", version="1", source=LineageSource.SNAPSHOT)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    again = await cloud.fleet.vm(vm, Known(boot=facts.boot, image=found, created_at=long_ago))
    assert again == facts


async def test_a_vm_that_does_not_exist_is_none(cloud: FleetCloud) -> None:
    vm = await cloud.make_vm("web-01", {})
    await cloud.remove(vm)
    assert await cloud.fleet.vm(vm) is None


@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
async def test_the_instances_of_a_scale_set_are_read(cloud: FleetCloud, mode: str) -> None:
    await cloud.make_vm("bystander", {})
    scale_set = await cloud.make_scale_set("api", mode, 3)
    whole = await cloud.fleet.scale_set(scale_set, {})
    assert whole is not None
    instances = whole.instances
    assert len({i.resource_id for i in instances}) == 3
    shown = {(i.scale_set_id, i.image, i.tags["team"], i.os) for i in instances}
    assert shown == {(normalise_id(scale_set), IMAGE, "web", "linux")}
    of_the_set = [i.resource_id.startswith(f"{normalise_id(scale_set)}/") for i in instances]
    assert of_the_set == [mode == "Uniform"] * 3
    kind = Machine.UNIFORM if mode == "Uniform" else Machine.FLEXIBLE
    assert {i.machine for i in instances} == {kind}


@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
async def test_the_model_of_a_scale_set_is_the_wish(cloud: FleetCloud, mode: str) -> None:
    scale_set = await cloud.make_scale_set("api", mode, 2)
    whole = await cloud.fleet.scale_set(scale_set, {})
    assert whole is not None
    model = whole.model
    assert (model.resource_id, model.name, model.machine) == (
        normalise_id(scale_set), "api", Machine.SCALE_SET
    )  # fmt: skip
    assert (model.image, model.capacity, model.os) == (IMAGE, 2, "linux")
    assert (model.tags["team"], model.region, model.scale_set_id) == ("web", "westeurope", "")
    assert model.boot == Boot(reference=f"{IMAGE.image_id}@{IMAGE.version}")


@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
async def test_an_instance_read_alone_is_what_the_scale_set_says(
    cloud: FleetCloud, mode: str
) -> None:
    scale_set = await cloud.make_scale_set("api", mode, 2)
    whole = await cloud.fleet.scale_set(scale_set, {})
    assert whole is not None
    assert len(whole.instances) == 2
    for instance in whole.instances:
        assert await cloud.fleet.vm(instance.resource_id) == instance


async def test_a_scale_set_without_instances_is_empty(cloud: FleetCloud) -> None:
    scale_set = await cloud.make_scale_set("api", "Uniform", 0)
    whole = await cloud.fleet.scale_set(scale_set, {})
    assert whole is not None
    assert whole.instances == ()


async def test_a_scale_set_that_does_not_exist_is_none(cloud: FleetCloud) -> None:
    scale_set = await cloud.make_scale_set("api", "Uniform", 1)
    await cloud.remove(scale_set)
    assert await cloud.fleet.scale_set(scale_set, {}) is None
    assert await cloud.fleet.vm(f"{normalise_id(scale_set)}/virtualMachines/0") is None


def test_verification_vms_carry_the_tag_that_keeps_them_out_of_the_fleet(
    settings: Settings,
) -> None:
    body = machine_body(things.DEFINITION, {"id": "/v"}, "build-1", settings)
    assert dict(body)["tags"] == {BUILD_TAG: "build-1"}


# --- what only Azure's own answers show -----------------------------------------------------------

COMPUTE = f"/subscriptions/0000000a/resourceGroups/{GROUP}/providers/Microsoft.Compute"
GALLERY_IMAGE = normalise_id(f"{COMPUTE}/galleries/golden/images/ubuntu")


def machine(reference: dict[str, str] | None, **properties: Any) -> dict[str, Any]:
    """Return a VM as Azure writes it, with an OS disk called `os`."""
    storage: dict[str, Any] = {
        "osDisk": {
            "osType": "Linux",
            "createOption": "FromImage" if reference else "Attach",
            "managedDisk": {"id": f"{COMPUTE}/disks/os"},
        }
    }
    if reference:
        storage["imageReference"] = reference
    return {
        "id": f"{COMPUTE}/virtualMachines/vm",
        "name": "vm",
        "location": "westeurope",
        "properties": {
            "storageProfile": storage,
            "timeCreated": "2026-11-22T12:00:00.1234567+00:00",
            **properties,
        },
    }


def disk(path: str, **creation_data: Any) -> dict[str, Any]:
    """Return a disk or snapshot as Azure writes it."""
    return {
        "id": f"{COMPUTE}/{path}",
        "name": path.rsplit("/", 1)[-1],
        "location": "westeurope",
        "properties": {"creationData": creation_data},
    }


def made_from(version: str) -> dict[str, Any]:
    return {
        "createOption": "FromImage",
        "galleryImageReference": {
            "id": f"{COMPUTE}/galleries/golden/images/ubuntu/versions/{version}"
        },
    }


def copy_of(path: str) -> dict[str, Any]:
    return {"createOption": "Copy", "sourceResourceId": f"{COMPUTE}/{path}"}


async def read(arm: CannedArm, vm: dict[str, Any]) -> VmFacts:
    async with arm.gateway() as fleet:
        facts = await fleet.vm(arm.put(vm))
    assert facts is not None
    return facts


async def test_a_vm_that_says_its_exact_image_costs_one_read() -> None:
    arm = CannedArm()
    reference = {"id": f"{COMPUTE}/galleries/golden/images/ubuntu", "exactVersion": "1.1.3"}
    facts = await read(arm, machine(reference))
    assert facts.image == Image(
        image_id=GALLERY_IMAGE, version="1.1.3", source=LineageSource.IMAGE_REFERENCE
    )
    assert facts.created_at == datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
    assert arm.reads == ["virtualmachines/vm"]


async def test_an_attached_disk_tells_the_image() -> None:
    arm = CannedArm()
    arm.put(disk("disks/os", **made_from("1.1.2")))
    facts = await read(arm, machine(None))
    assert facts.image == Image(image_id=GALLERY_IMAGE, version="1.1.2", source=LineageSource.DISK)
    assert arm.reads == ["virtualmachines/vm", "disks/os"]


async def test_a_swapped_disk_is_read_and_believed() -> None:
    arm = CannedArm()
    arm.put(disk("disks/os", **made_from("1.0.0")))
    reference = {"id": f"{COMPUTE}/galleries/golden/images/ubuntu", "exactVersion": "1.1.3"}
    vm = arm.put(machine(reference))
    ran = Image(image_id=GALLERY_IMAGE, version="1.1.3", source=LineageSource.IMAGE_REFERENCE)
    before = Boot(reference=f"{GALLERY_IMAGE}@1.1.3", os_disk_id=normalise_id(f"{COMPUTE}/disks/o"))
    async with arm.gateway() as fleet:
        facts = await fleet.vm(vm, Known(boot=before, image=ran))
        assert facts is not None
        swapped = Image(
            image_id=GALLERY_IMAGE, version="1.0.0", source=LineageSource.DISK, mismatch=True
        )
        assert facts.image == swapped
        again = await fleet.vm(vm, Known(boot=facts.boot, image=facts.image))
        assert again == facts
    assert arm.reads == ["virtualmachines/vm", "disks/os", "virtualmachines/vm"]


async def test_a_new_disk_for_a_new_version_is_no_swap() -> None:
    arm = CannedArm()
    reference = {"id": f"{COMPUTE}/galleries/golden/images/ubuntu", "exactVersion": "1.1.4"}
    vm = arm.put(machine(reference))
    before = Boot(reference=f"{GALLERY_IMAGE}@1.1.3", os_disk_id=normalise_id(f"{COMPUTE}/disks/o"))
    async with arm.gateway() as fleet:
        facts = await fleet.vm(vm, Known(boot=before, image=Image(image_id=GALLERY_IMAGE)))
    assert facts is not None
    assert (facts.image.version, facts.image.mismatch) == ("1.1.4", False)
    assert arm.reads == ["virtualmachines/vm"]


async def test_a_gallery_vm_without_os_profile_is_specialised() -> None:
    reference = {"id": f"{COMPUTE}/galleries/golden/images/ubuntu", "exactVersion": "1.1.3"}
    assert (await read(CannedArm(), machine(reference))).specialised
    general = machine(reference, osProfile={"computerName": "vm"})
    assert not (await read(CannedArm(), general)).specialised


async def test_the_image_is_followed_through_copies() -> None:
    arm = CannedArm()
    arm.put(disk("disks/os", **copy_of("snapshots/s")))
    arm.put(disk("snapshots/s", **copy_of("disks/first")))
    arm.put(disk("disks/first", **made_from("1.0.0")))
    facts = await read(arm, machine(None))
    assert facts.image == Image(
        image_id=GALLERY_IMAGE, version="1.0.0", source=LineageSource.SNAPSHOT
    )
    assert arm.reads == ["virtualmachines/vm", "disks/os", "snapshots/s", "disks/first"]


async def test_lineage_is_lost_with_the_snapshot() -> None:
    arm = CannedArm()
    arm.put(disk("disks/os", **copy_of("snapshots/deleted")))
    assert (await read(arm, machine(None))).image == Image()


async def test_copies_in_a_circle_end() -> None:
    arm = CannedArm()
    arm.put(disk("disks/os", **copy_of("disks/os")))
    assert (await read(arm, machine(None))).image == Image()
    assert arm.reads == ["virtualmachines/vm"] + ["disks/os"] * 6


async def test_a_snapshot_we_may_not_read_ends_the_trail() -> None:
    arm = CannedArm()
    arm.put(disk("disks/os", **copy_of("snapshots/foreign")))
    arm.refused[normalise_id(f"{COMPUTE}/snapshots/foreign")] = (403, "AuthorizationFailed")
    assert (await read(arm, machine(None))).image == Image()


async def test_an_os_disk_we_may_not_read_is_said() -> None:
    arm = CannedArm()
    arm.refused[normalise_id(f"{COMPUTE}/disks/os")] = (403, "AuthorizationFailed")
    with pytest.raises(NotReadyError, match="did not read disks os"):
        await read(arm, machine(None))


async def test_a_vm_without_managed_disk_has_lost_its_lineage() -> None:
    vm = machine(None)
    del vm["properties"]["storageProfile"]["osDisk"]["managedDisk"]
    assert (await read(CannedArm(), vm)).image == Image()


async def test_a_vm_still_being_created_is_told_by_its_disk() -> None:
    arm = CannedArm()
    arm.put(disk("disks/os", **made_from("1.2.0")))
    reference = {"id": f"{COMPUTE}/galleries/golden/images/ubuntu", "exactVersion": "latest"}
    facts = await read(arm, machine(reference))
    assert (facts.image.version, facts.image.mismatch) == ("1.2.0", False)


async def test_a_throttled_read_says_when_to_come_back() -> None:
    arm = CannedArm()
    vm = arm.put(machine(None))
    arm.refused[vm] = (429, "TooManyRequests")
    async with arm.gateway() as fleet:
        with pytest.raises(ThrottledError):
            await fleet.vm(vm)


async def test_a_subscription_we_may_not_see_is_not_a_vm_that_is_gone() -> None:
    arm = CannedArm()
    vm = arm.put(machine(None))
    arm.refused[vm] = (404, "SubscriptionNotFound")
    async with arm.gateway() as fleet:
        with pytest.raises(NotReadyError):
            await fleet.vm(vm)
