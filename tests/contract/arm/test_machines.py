"""Virtual machines: which image they get, and what they say of it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.compute.aio import ComputeManagementClient

from localcloud.arm import ArmSimulator, Options
from localcloud.arm.faults import AsyncFault
from tests.arm_plugin import client_options
from tests.contract.arm.conftest import make_gallery
from tests.contract.arm.requests import (
    IMAGE,
    NEWEST_UBUNTU,
    UBUNTU,
    a_gallery,
    definition,
    machine,
    version,
    without_profile,
)


async def _versions(compute: ComputeManagementClient, **bodies: Any) -> None:
    for name, body in bodies.items():
        number = name.strip("v").replace("_", ".")
        await compute.gallery_image_versions.begin_create_or_update("rg", "g", "i", number, body)


async def _machine(compute: ComputeManagementClient, body: Any, name: str = "vm") -> Any:
    poller = await compute.virtual_machines.begin_create_or_update("rg", name, body)
    return await poller.result()


def _reference(made: Any) -> dict[str, Any]:
    found = made["properties"]["storageProfile"]["imageReference"]
    return dict(found.as_dict() if hasattr(found, "as_dict") else found)


async def test_a_marketplace_machine_tells_the_exact_version(
    compute: ComputeManagementClient,
) -> None:
    made = await _machine(compute, machine(UBUNTU))

    assert _reference(made) == {**UBUNTU, "exactVersion": NEWEST_UBUNTU}


@pytest.mark.usefixtures("gallery")
async def test_the_definition_means_the_highest_number_that_is_not_excluded(
    compute: ComputeManagementClient,
) -> None:
    await _versions(compute, v1_10_0=version(), v1_9_0=version(), v2_0_0=version(exclude=True))

    made = await _machine(compute, machine(IMAGE))

    assert _reference(made) == {"id": IMAGE, "exactVersion": "1.10.0"}


@pytest.mark.usefixtures("gallery")
async def test_a_version_excluded_in_the_machines_region_is_passed_over(
    compute: ComputeManagementClient,
) -> None:
    newer = version()
    newer["properties"]["publishingProfile"]["targetRegions"][0]["excludeFromLatest"] = True
    await _versions(compute, v1_0_0=version(), v1_1_0=newer)

    made = await _machine(compute, machine(IMAGE))

    assert _reference(made)["exactVersion"] == "1.0.0"


@pytest.mark.usefixtures("gallery")
async def test_a_version_that_is_not_replicated_to_the_region_is_passed_over(
    compute: ComputeManagementClient,
) -> None:
    await _versions(
        compute, v1_0_0=version("westeurope", "northeurope"), v1_1_0=version("westeurope")
    )

    made = await _machine(compute, machine(IMAGE, location="northeurope"))

    assert _reference(made)["exactVersion"] == "1.0.0"


async def test_a_replica_counts_only_once_it_is_complete(
    slow_arm: ArmSimulator, slow_compute: ComputeManagementClient
) -> None:
    await make_gallery(slow_compute)
    await _versions(slow_compute, v1_0_0=version())

    with pytest.raises(ResourceNotFoundError, match="is not available in westeurope region"):
        await slow_compute.virtual_machines.begin_create_or_update(
            "rg", "vm", machine(f"{IMAGE}/versions/1.0.0")
        )
    slow_arm.cloud.scheduler.advance(timedelta(minutes=10))
    await slow_compute.virtual_machines.begin_create_or_update(
        "rg", "vm", machine(f"{IMAGE}/versions/1.0.0")
    )


@pytest.mark.usefixtures("gallery")
async def test_without_an_included_version_there_is_no_latest(
    compute: ComputeManagementClient,
) -> None:
    await _versions(compute, v1_0_0=version(exclude=True))

    with pytest.raises(ResourceNotFoundError, match="There is no latest image version exists for"):
        await _machine(compute, machine(IMAGE))
    made = await _machine(compute, machine(f"{IMAGE}/versions/1.0.0"))

    assert _reference(made)["exactVersion"] == "1.0.0"


async def test_an_unknown_platform_image_is_refused(compute: ComputeManagementClient) -> None:
    with pytest.raises(ResourceNotFoundError) as refusal:
        await _machine(compute, machine({**UBUNTU, "version": "1.2.3"}))

    assert refusal.value.error is not None
    assert refusal.value.error.code == "PlatformImageNotFound"


@pytest.mark.usefixtures("gallery")
async def test_the_disk_knows_the_version_the_machine_was_made_from(
    compute: ComputeManagementClient,
) -> None:
    await _versions(compute, v1_0_0=version())
    made = await _machine(compute, machine(IMAGE))

    name = made["properties"]["storageProfile"]["osDisk"]["name"]
    disk = await compute.disks.get("rg", name)

    creation = disk["properties"]["creationData"]
    assert creation["galleryImageReference"]["id"] == f"{IMAGE}/versions/1.0.0"
    assert creation["createOption"] == "FromImage"


async def test_a_specialized_machine_has_no_os_profile(compute: ComputeManagementClient) -> None:
    await compute.galleries.begin_create_or_update("rg", "g", a_gallery())
    await compute.gallery_images.begin_create_or_update(
        "rg", "g", "i", definition(state="Specialized")
    )
    await _versions(compute, v1_0_0=version())

    with pytest.raises(HttpResponseError, match="Parameter 'osProfile' is not allowed"):
        await _machine(compute, machine(IMAGE))
    made = await _machine(compute, without_profile(machine(IMAGE)))

    assert "osProfile" not in made["properties"]
    assert _reference(made) == {"id": IMAGE, "exactVersion": "1.0.0"}
    view = await compute.virtual_machines.instance_view("rg", "vm")
    assert "OSState/specialized" in [status.code for status in view.statuses or []]
    assert len([disk async for disk in compute.disks.list_by_resource_group("rg")]) == 1


async def test_a_machine_shows_no_password_and_its_own_network_interface(
    arm: ArmSimulator, compute: ComputeManagementClient
) -> None:
    made = await _machine(compute, machine(UBUNTU))

    assert "adminPassword" not in made["properties"]["osProfile"]
    (interface,) = made["properties"]["networkProfile"]["networkInterfaces"]
    assert interface["id"] == (
        f"/subscriptions/{arm.subscription_id}/resourceGroups/rg/providers/"
        "Microsoft.Network/networkInterfaces/nic"
    )


async def test_the_agent_is_ready_once_the_machine_is_made(
    slow_arm: ArmSimulator, slow_compute: ComputeManagementClient
) -> None:
    machines = slow_compute.virtual_machines
    await machines.begin_create_or_update("rg", "vm", machine(UBUNTU))

    early = await machines.instance_view("rg", "vm")
    slow_arm.cloud.scheduler.advance(timedelta(minutes=1))
    late = await machines.instance_view("rg", "vm")

    assert early.vm_agent is not None
    assert late.vm_agent is not None
    assert [s.display_status for s in early.vm_agent.statuses or []] == ["Not Ready"]
    assert [s.display_status for s in late.vm_agent.statuses or []] == ["Ready"]
    assert [s.code for s in late.statuses or []] == [
        "ProvisioningState/succeeded",
        "PowerState/running",
    ]


async def test_a_deallocated_machine_hides_its_disk_size(
    compute: ComputeManagementClient,
) -> None:
    await _machine(compute, machine(UBUNTU))

    await (await compute.virtual_machines.begin_deallocate("rg", "vm")).result()
    made = await compute.virtual_machines.get("rg", "vm")

    assert "diskSizeGB" not in made["properties"]["storageProfile"]["osDisk"]


async def test_the_image_of_a_machine_cannot_be_changed(compute: ComputeManagementClient) -> None:
    await _machine(compute, machine(UBUNTU))

    with pytest.raises(ResourceExistsError) as refusal:
        await _machine(compute, machine({**UBUNTU, "version": "22.04.202202200"}))

    assert refusal.value.error is not None
    assert refusal.value.error.code == "PropertyChangeNotAllowed"
    again = await _machine(compute, machine(UBUNTU))
    assert again["properties"]["provisioningState"] == "Succeeded"


async def test_deleting_a_machine_deletes_the_disk_that_goes_with_it(
    compute: ComputeManagementClient,
) -> None:
    await _machine(compute, machine(UBUNTU))

    await (await compute.virtual_machines.begin_delete("rg", "vm")).result()

    assert [disk.name async for disk in compute.disks.list_by_resource_group("rg")] == []


async def test_a_machine_may_fail_for_want_of_capacity(
    arm: ArmSimulator, compute: ComputeManagementClient
) -> None:
    arm.add_fault(
        AsyncFault(
            operation="VirtualMachines_CreateOrUpdate",
            code="AllocationFailed",
            message="Allocation failed. We do not have sufficient capacity.",
            times=1,
        )
    )

    with pytest.raises(HttpResponseError) as failure:
        await _machine(compute, machine(UBUNTU))
    made = await compute.virtual_machines.get("rg", "vm")

    assert failure.value.error is not None
    assert failure.value.error.code == "AllocationFailed"
    assert made["properties"]["provisioningState"] == "Failed"


@pytest.fixture
async def small_pages() -> AsyncIterator[ComputeManagementClient]:
    options = Options(page_size=2)
    async with (
        ArmSimulator(options=options) as sim,
        ComputeManagementClient(
            subscription_id=sim.subscription_id, **client_options(sim)
        ) as client,
    ):
        yield client


async def test_a_long_list_comes_in_pages(small_pages: ComputeManagementClient) -> None:
    for name in ("a", "b", "c", "d", "e"):
        await _machine(small_pages, machine(UBUNTU), name)

    pages = [
        [vm.name async for vm in page]
        async for page in small_pages.virtual_machines.list_all().by_page()
    ]

    assert pages == [["a", "b"], ["c", "d"], ["e"]]
