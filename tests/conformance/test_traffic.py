"""Microsoft's traffic validator finds nothing wrong with what the simulator says."""

from pathlib import Path
from typing import Any

from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.imagebuilder.aio import ImageBuilderClient
from azure.mgmt.policyinsights.aio import PolicyInsightsClient
from azure.mgmt.resourcegraph.aio import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from localcloud.arm import ArmSimulator
from localcloud.arm.policy import PolicyState
from tests.arm_plugin import client_options
from tests.conformance.oav import inspect
from tests.contract.arm.disks import deallocate, generalize, make_machine, os_disk, restored
from tests.contract.arm.requests import (
    a_gallery,
    attached,
    captured,
    definition,
    image_of_disk,
    instances,
    machine,
    scale_set,
    swapped,
    tags,
    template,
    version_update,
)

_PLAN = ("westeurope", "Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2")


async def _make_an_image(
    sim: ArmSimulator, compute: ComputeManagementClient, builder: ImageBuilderClient
) -> str:
    await (await compute.galleries.begin_create_or_update("rg", "g", a_gallery())).result()
    image = await (
        await compute.gallery_images.begin_create_or_update("rg", "g", "i", definition())
    ).result()
    templates = builder.virtual_machine_image_templates
    asked = template(f"{image.id}/versions/1.0.0", validators=True, exclude=False)
    await (await templates.begin_create_or_update("rg", "t", asked)).result()
    await (await templates.begin_run("rg", "t")).result()
    await templates.get("rg", "t")
    await templates.get_run_output("rg", "t", "out")
    _ = [each async for each in templates.list_run_outputs("rg", "t")]
    _ = [each async for each in templates.list()]
    _ = [each async for each in templates.list_by_resource_group("rg")]
    await (await templates.begin_update("rg", "t", tags(a="b"))).result()
    await (await templates.begin_delete("rg", "t")).result()
    return str(image.id)


async def _use_the_gallery(compute: ComputeManagementClient) -> None:
    versions = compute.gallery_image_versions
    await versions.get("rg", "g", "i", "1.0.0", expand="ReplicationStatus")
    _ = [each async for each in versions.list_by_gallery_image("rg", "g", "i")]
    _ = [each async for each in compute.gallery_images.list_by_gallery("rg", "g")]
    _ = [each async for each in compute.galleries.list()]
    _ = [each async for each in compute.galleries.list_by_resource_group("rg")]
    await (await versions.begin_update("rg", "g", "i", "1.0.0", version_update())).result()


async def _run_machines(compute: ComputeManagementClient, image: str) -> None:
    machines, sets = compute.virtual_machines, compute.virtual_machine_scale_sets
    await (await machines.begin_create_or_update("rg", "vm", machine(image))).result()
    await machines.get("rg", "vm", expand="instanceView")
    await machines.instance_view("rg", "vm")
    _ = [each async for each in machines.list_all()]
    _ = [each async for each in machines.list("rg")]
    await (await machines.begin_update("rg", "vm", tags(a="b"))).result()
    await (await sets.begin_create_or_update("rg", "set", scale_set(image))).result()
    _ = [each async for each in sets.list_all()]
    _ = [each async for each in compute.virtual_machine_scale_set_vms.list("rg", "set")]
    await compute.virtual_machine_scale_set_vms.get("rg", "set", "0")
    await (await sets.begin_delete("rg", "set")).result()
    await (await machines.begin_delete("rg", "vm")).result()


async def _keep_disks(compute: ComputeManagementClient, image: str) -> None:
    machines, images = compute.virtual_machines, compute.images
    await make_machine(compute, machine(image), "source")
    await generalize(compute, "source")
    source = await machines.get("rg", "source", expand="instanceView")
    await (await images.begin_create_or_update("rg", "a", captured(str(source.id)))).result()
    disk = await restored(compute, os_disk(source)["managedDisk"]["id"], "restored")
    of_disk = image_of_disk(managedDisk={"id": disk.id})
    await (await images.begin_create_or_update("rg", "b", of_disk)).result()
    managed = await images.get("rg", "b")
    _ = [each async for each in images.list()]
    _ = [each async for each in images.list_by_resource_group("rg")]
    await make_machine(compute, attached(disk.id), "attached")
    await make_machine(compute, machine(str(managed.id)), "of-managed")
    other = await restored(compute, disk.id, "other")
    await deallocate(compute, "of-managed")
    await (await machines.begin_update("rg", "of-managed", swapped(other.id))).result()
    _ = [each async for each in machines.list("rg")]
    await (await images.begin_delete("rg", "a")).result()
    for name in ("source", "attached", "of-managed"):
        await (await machines.begin_delete("rg", name)).result()


async def _upgrade_sets(compute: ComputeManagementClient, image: str) -> None:
    sets, chosen = compute.virtual_machine_scale_sets, instances("*")
    for mode in ("Uniform", "Flexible"):
        body = scale_set(image, mode=mode)
        await (await sets.begin_create_or_update("rg", mode, body)).result()
        await (await sets.begin_update_instances("rg", mode, chosen)).result()
        await (await sets.begin_update("rg", mode, tags(a="b"))).result()
        await (await sets.begin_delete("rg", mode)).result()


async def _ask_policy(sim: ArmSimulator, policy: Any, image: str) -> None:
    scope = f"/subscriptions/{sim.subscription_id}"
    sim.cloud.policy_states.put(
        PolicyState(
            resource_id=image,
            assignment=f"{scope}/providers/microsoft.authorization/policyassignments/a",
            state="NonCompliant",
        )
    )
    states = policy.policy_states
    _ = [s async for s in states.list_query_results_for_subscription(sim.subscription_id, "latest")]
    _ = [
        s
        async for s in states.list_query_results_for_resource_group(
            sim.subscription_id, "rg", "latest"
        )
    ]
    _ = [s async for s in states.list_query_results_for_resource("latest", image)]
    await (await states.begin_trigger_resource_group_evaluation(sim.subscription_id, "rg")).result()
    attestation: Any = {
        "properties": {
            "policyAssignmentId": f"{scope}/providers/microsoft.authorization/policyassignments/a",
            "complianceState": "Compliant",
        }
    }
    await policy.attestations.begin_create_or_update_at_resource(image, "a", attestation)


async def _ask_graph(graph: Any, subscription: str) -> None:
    for table in ("Resources", "ComputeResources", "ResourceContainers"):
        query = f"{table} | extend key = tolower(id) | order by key asc"
        options = QueryRequestOptions(top=1)
        request = QueryRequest(query=query, subscriptions=[subscription], options=options)
        await graph.resources(request)


async def test_its_traffic_is_as_the_specifications_say(
    arm: ArmSimulator,
    compute: ComputeManagementClient,
    image_builder: ImageBuilderClient,
    tmp_path: Path,
) -> None:
    images = compute.virtual_machine_images
    await images.list(*_PLAN)
    await images.list_publishers("westeurope")
    await images.list_offers(*_PLAN[:2])
    image = await _make_an_image(arm, compute, image_builder)
    await _use_the_gallery(compute)
    await _run_machines(compute, image)
    await _keep_disks(compute, image)
    await _upgrade_sets(compute, image)
    async with PolicyInsightsClient(
        subscription_id=arm.subscription_id, **client_options(arm)
    ) as policy:
        await _ask_policy(arm, policy, image)
    async with ResourceGraphClient(**client_options(arm)) as graph:
        await _ask_graph(graph, arm.subscription_id)
    await (await compute.gallery_image_versions.begin_delete("rg", "g", "i", "1.0.0")).result()
    await (await compute.gallery_images.begin_delete("rg", "g", "i")).result()
    await (await compute.galleries.begin_delete("rg", "g")).result()
    assert arm.cloud.traffic.dump(tmp_path / "traffic") > 60

    report = await inspect(tmp_path / "traffic")

    assert report.beyond_azure() == []
    assert report.covered >= 50
    assert "Resources" in report.passed
