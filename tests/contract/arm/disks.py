"""Making machines and disks with the real SDK, and looking into them."""

from typing import Any

from azure.mgmt.compute.aio import ComputeManagementClient

from tests.contract.arm.requests import copy_of, run_command


async def make_machine(compute: ComputeManagementClient, body: Any, name: str = "vm") -> Any:
    poller = await compute.virtual_machines.begin_create_or_update("rg", name, body)
    return await poller.result()


async def make_disk(compute: ComputeManagementClient, name: str, body: Any) -> Any:
    return await (await compute.disks.begin_create_or_update("rg", name, body)).result()


async def make_snapshot(compute: ComputeManagementClient, name: str, body: Any) -> Any:
    return await (await compute.snapshots.begin_create_or_update("rg", name, body)).result()


async def deallocate(compute: ComputeManagementClient, name: str = "vm") -> None:
    await (await compute.virtual_machines.begin_deallocate("rg", name)).result()


async def generalize(compute: ComputeManagementClient, name: str = "vm") -> None:
    await deallocate(compute, name)
    await compute.virtual_machines.generalize("rg", name)


async def restored(compute: ComputeManagementClient, disk_id: str, name: str) -> Any:
    """A disk that was restored from a snapshot of another."""
    snapshot = await make_snapshot(compute, f"{name}-snapshot", copy_of(disk_id))
    return await make_disk(compute, name, copy_of(snapshot.id))


async def read_file(compute: ComputeManagementClient, path: str, name: str = "vm") -> str:
    """What a file in a machine holds; empty where there is none."""
    commands = compute.virtual_machine_run_commands
    await (
        await commands.begin_create_or_update("rg", name, "read", run_command(f"cat {path}"))
    ).result()
    found = await commands.get_by_virtual_machine("rg", name, "read", expand="instanceView")
    return found.instance_view.output or "" if found.instance_view else ""


def os_disk(machine: Any) -> Any:
    """The `osDisk` of a machine."""
    return machine["properties"]["storageProfile"]["osDisk"]


def reference_of(machine: Any) -> Any:
    """The image reference of a machine, or None."""
    found = machine["properties"]["storageProfile"].get("imageReference")
    return found.as_dict() if hasattr(found, "as_dict") else found
