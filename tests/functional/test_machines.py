"""Every kind of machine, tracked through the running product; messages come twice and shuffled."""

import pytest

from localcloud.environment import RESOURCE_GROUP, SUBSCRIPTION, TEAMS_SUBSCRIPTION
from localcloud.scenario.clients import COMPUTE_API, GALLERY_API
from localcloud.scenario.machines import UBUNTU, Machine
from tests.functional.conftest import Json, LocalAssay

pytestmark = pytest.mark.asyncio(loop_scope="module")

DISK_API = "2024-03-02"
GROUP = f"/subscriptions/{TEAMS_SUBSCRIPTION}/resourceGroups/rg-kinds"
COMPUTE = f"{GROUP}/providers/Microsoft.Compute"
MARKETPLACE = "canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2"


def machine(name: str, **changes: object) -> Machine:
    return Machine(**{"name": name, "team": "kinds", "image": UBUNTU, **changes})  # type: ignore[arg-type]


async def deploy(local: LocalAssay, asked: Machine) -> Json:
    return await local.azure.deploy(asked.id, asked.body())


async def act(local: LocalAssay, resource_id: str, verb: str) -> None:
    await local.azure.http.call("POST", f"{resource_id}/{verb}?api-version={COMPUTE_API}")


async def copied_disk(local: LocalAssay, vm: Json, name: str) -> str:
    """Restore a disk from a snapshot of a VM's OS disk, and return its id."""
    source = vm["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"]
    snapshot = f"{COMPUTE}/snapshots/{name}-snapshot"
    await local.azure.deploy(snapshot, _copy(source), api=DISK_API)
    disk = f"{COMPUTE}/disks/{name}"
    await local.azure.deploy(disk, _copy(snapshot), api=DISK_API)
    return disk


def _copy(source: str) -> Json:
    creation = {"createOption": "Copy", "sourceResourceId": source}
    return {"location": "westeurope", "properties": {"creationData": creation}}


async def test_a_vm_that_attaches_a_copied_disk_is_traced_back_to_its_image(
    local: LocalAssay,
) -> None:
    disk = await copied_disk(local, await deploy(local, machine("origin")), "restored")
    body = machine("attacher").body()
    body["properties"]["storageProfile"] = {
        "osDisk": {"osType": "Linux", "createOption": "Attach", "managedDisk": {"id": disk}}
    }
    del body["properties"]["osProfile"]
    await local.azure.deploy(machine("attacher").id, body)

    vm = await local.vm("attacher", verdict="unapproved")

    assert (vm["image"]["id"], vm["image"]["told_by"]) == (MARKETPLACE, "snapshot")
    assert (vm["machine"], vm["rule"]) == ("vm", "image-not-ours")


async def test_a_vm_whose_snapshot_is_gone_has_lost_its_lineage(local: LocalAssay) -> None:
    origin = await deploy(local, machine("forgotten"))
    disk = await copied_disk(local, origin, "orphan")
    await local.azure.delete(f"{COMPUTE}/snapshots/orphan-snapshot", api=DISK_API)
    body = machine("orphan").body()
    body["properties"]["storageProfile"] = {
        "osDisk": {"osType": "Linux", "createOption": "Attach", "managedDisk": {"id": disk}}
    }
    del body["properties"]["osProfile"]
    await local.azure.deploy(machine("orphan").id, body)

    vm = await local.vm("orphan", verdict="unknown")

    assert (vm["image"]["id"], vm["image"]["told_by"]) == (None, "none")
    assert vm["rule"] == "lineage-lost"


async def test_a_swapped_os_disk_is_flagged_and_believed(local: LocalAssay) -> None:
    await deploy(local, machine("swapped"))
    other = {**UBUNTU, "version": "22.04.202312060"}
    disk = await copied_disk(local, await deploy(local, machine("older", image=other)), "swap")
    before = await local.vm("swapped", verdict="unapproved")
    assert not before["image"]["mismatch"]

    vm_id = machine("swapped").id
    await act(local, vm_id, "deallocate")
    swap = {"name": "swap", "createOption": "FromImage", "managedDisk": {"id": disk}}
    await local.azure.http.call(
        "PATCH",
        f"{vm_id}?api-version={COMPUTE_API}",
        {"properties": {"storageProfile": {"osDisk": swap}}},
    )

    async def look() -> Json | None:
        vm = await local.vm("swapped")
        return vm if vm["image"]["mismatch"] else None

    vm = await local.until(look, "the mismatch of VM and disk")
    assert vm["image"]["version"] == "22.04.202312060"
    assert "find out whether the disk was swapped" in vm["reason"]


async def test_a_managed_image_has_no_version(local: LocalAssay) -> None:
    source = await deploy(local, machine("capture-me"))
    await act(local, source["id"], "deallocate")
    await act(local, source["id"], "generalize")
    image = f"{COMPUTE}/images/captured"
    await local.azure.deploy(
        image,
        {
            "location": "westeurope",
            "properties": {"sourceVirtualMachine": {"id": source["id"]}},
        },
    )
    await deploy(local, machine("from-managed", image={"id": image}))

    vm = await local.vm("from-managed", verdict="unapproved")

    assert (vm["image"]["id"], vm["image"]["version"]) == (image.lower(), None)
    assert vm["image"]["kind"] == "managed-image"


async def test_a_foreign_gallery_is_not_ours_however_it_is_shared(local: LocalAssay) -> None:
    gallery = f"{GROUP}/providers/Microsoft.Compute/galleries/foreign"
    sharing = {
        "permissions": "Community",
        "communityGalleryInfo": {
            "publisherUri": "https://example.com",
            "publisherContact": "images@example.com",
            "eula": "none",
            "publicNamePrefix": "foreign",
        },
    }
    made = await local.azure.deploy(
        gallery,
        {"location": "westeurope", "properties": {"sharingProfile": sharing}},
        api=GALLERY_API,
    )
    public = made["properties"]["sharingProfile"]["communityGalleryInfo"]["publicNames"][0]
    for name, state in (("general", "Generalized"), ("special", "Specialized")):
        await _foreign_image(local, f"{gallery}/images/{name}", name, state)
    community = f"/CommunityGalleries/{public}/Images/general/Versions/latest"
    await deploy(local, machine("communal", image={"communityGalleryImageId": community}))
    body = machine("special", image={"id": f"{gallery}/images/special"}).body()
    del body["properties"]["osProfile"]
    await local.azure.deploy(machine("special").id, body)

    communal = await local.vm("communal", verdict="unapproved")
    special = await local.vm("special", verdict="unapproved")

    assert communal["image"]["kind"] == "community-gallery"
    assert (communal["image"]["version"], communal["specialised"]) == ("1.0.0", False)
    assert (special["image"]["kind"], special["specialised"]) == ("gallery", True)


async def _foreign_image(local: LocalAssay, image: str, name: str, state: str) -> None:
    identifier = {"publisher": "p", "offer": "o", "sku": name}
    properties = {"osType": "Linux", "osState": state, "identifier": identifier}
    body = {"location": "westeurope", "properties": {**properties, "hyperVGeneration": "V2"}}
    await local.azure.deploy(image, body, api=GALLERY_API)
    source = await deploy(local, machine(f"source-of-{name}"))
    target = {"name": "westeurope", "regionalReplicaCount": 1}
    storage = {"source": {"virtualMachineId": source["id"]}}
    version = {
        "location": "westeurope",
        "properties": {
            "publishingProfile": {"targetRegions": [target]},
            "storageProfile": storage,
        },
    }
    await local.azure.deploy(f"{image}/versions/1.0.0", version, api=GALLERY_API)


async def test_a_scale_set_is_the_wish_and_its_instances_the_fact(local: LocalAssay) -> None:
    older = {**UBUNTU, "version": "22.04.202312060"}
    await deploy(local, machine("herd", image=older, instances=2))
    await local.vm("herd_0", verdict="unapproved")
    newer = {"imageReference": {**UBUNTU, "version": "22.04.202411080"}}
    await local.azure.http.call(
        "PATCH",
        f"{machine('herd', instances=2).id}?api-version={COMPUTE_API}",
        {"properties": {"virtualMachineProfile": {"storageProfile": newer}}},
    )

    async def look() -> Json | None:
        listed = await local.assay.http.call("GET", "/api/v1/scale-sets?team=kinds")
        found = next((s for s in listed["items"] if s["name"] == "herd"), None)
        return found if found and found["image"]["version"] == "22.04.202411080" else None

    model = await local.until(look, "the model with another version")
    whole = await local.assay.http.call("GET", f"/api/v1/scale-sets/{model['key']}")
    assert (whole["machine"], whole["capacity"], whole["follows_latest"]) == ("scale-set", 2, False)
    assert [(i["version"], i["count"]) for i in whole["instances"]] == [("22.04.202312060", 2)]
    assert "herd" not in [v["name"] for v in await local.assay.vms()]
    instance = await local.vm("herd_0")
    assert (instance["machine"], instance["kind"]) == ("uniform-instance", "cattle")


async def test_an_id_in_three_spellings_is_one_vm(local: LocalAssay) -> None:
    asked = machine("spelt")
    await deploy(local, asked)
    await local.vm("spelt", verdict="unapproved")
    for spelling in (asked.id.upper(), asked.id.lower(), f"{asked.id}/"):
        event = {
            "subject": spelling, "id": spelling, "topic": "/subscriptions/x",
            "eventType": "Microsoft.Resources.ResourceWriteSuccess",
            "eventTime": "2026-11-22T12:00:00Z", "dataVersion": "2",
            "data": {"operationName": "Microsoft.Compute/virtualMachines/write"},
        }  # fmt: skip
        await local.host_event(event)
    whole = await local.assay.vm((await local.vm("spelt"))["key"])
    assert [v["name"] for v in await local.assay.vms()].count("spelt") == 1
    assert [t["what"] for t in whole["history"]] == ["first-seen", "verdict"]


async def test_our_own_workshop_is_nobodys_fleet(local: LocalAssay) -> None:
    ours = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/{RESOURCE_GROUP}".lower()
    assert not [v for v in await local.assay.vms() if v["resource_id"].startswith(ours)]
