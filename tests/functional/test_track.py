"""VM deployed to VM tracked, every message delivered twice."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from localcloud.environment import TEAMS_SUBSCRIPTION
from localcloud.scenario.clients import GALLERY_API
from localcloud.scenario.machines import UBUNTU, Machine
from tests.conformance.oav import validate
from tests.functional.conftest import Json, LocalAssay

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNBLOCKED = "blockDeletionBeforeEndOfLife"
SOURCE = {k: UBUNTU[k] for k in ("publisher", "offer", "sku")}


async def release(local: LocalAssay, version: str) -> str:
    """Publish a golden Ubuntu from *version*; return its image version once it is the newest."""
    await local.simulation.upstream_publishes(SOURCE, version)
    build = await local.finished((await local.assay.publish("ubuntu-22-04"))["build"])
    assert build["phase"] == "released", json.dumps(build, indent=1)
    made = str(build["attempts"][-1]["version"])

    async def newest() -> str | None:
        image = await local.assay.image("ubuntu-22-04")
        return made if image["newest"] and image["newest"]["version"] == made else None

    return await local.until(newest, f"version {made} as the newest")


async def deploy(local: LocalAssay, machine: Machine) -> None:
    await local.azure.deploy(machine.id, machine.body())


def transitions(vm: Json) -> list[tuple[str, str, str]]:
    return [(t["what"], t["from"], t["to"]) for t in vm["history"]]


async def test_a_vm_from_the_marketplace_is_unapproved(local: LocalAssay) -> None:
    await deploy(local, Machine(name="web-0", team="shop", image=UBUNTU))

    vm = await local.vm("web-0", verdict="unapproved")

    assert vm["team"] == "shop"
    assert vm["kind"] == "pet"
    assert vm["image"]["id"] == "canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2"


async def test_a_vm_of_the_newest_version_is_current_until_the_next_release(
    local: LocalAssay,
) -> None:
    first = await release(local, "22.04.202611010")
    image = await local.assay.image("ubuntu-22-04")
    await deploy(local, Machine(name="web-1", team="shop", image={"id": image["image_id"]}))
    vm = await local.vm("web-1", verdict="current")
    assert vm["image"]["version"] == first

    second = await release(local, "22.04.202611150")

    aged = await local.vm("web-1", verdict="aged")
    whole = await local.assay.vm(aged["key"])
    assert second in aged["reason"]
    assert [t for t in transitions(whole) if t[0] == "verdict"][-1] == (
        "verdict",
        "current",
        "aged",
    )


async def test_a_version_somebody_deletes_retires_the_vms_that_run_it(local: LocalAssay) -> None:
    vm = await local.vm("web-1")
    image = await local.assay.image("ubuntu-22-04")
    gone = f"{image['image_id']}/versions/{vm['image']['version']}"

    # An aged version may not be deleted before its end of life, unless somebody lifts that first.
    lifted = {"properties": {"storageProfile": {}, "safetyProfile": {UNBLOCKED: False}}}
    path = f"{gone}?api-version={GALLERY_API}"
    await local.azure.http.call("PATCH", path, lifted)
    await local.azure.delete(gone, api=GALLERY_API)

    retired = await local.vm("web-1", verdict="retired")
    row = await local.assay.http.call(
        "GET", f"/api/v1/images/ubuntu-22-04/versions/{vm['image']['version']}"
    )
    assert "redeploy" in retired["reason"]
    assert row["deleted_at"] is not None


@pytest.mark.parametrize("encode", [str.encode, lambda t: base64.b64encode(t.encode())])
async def test_a_vm_event_straight_in_a_queue_is_taken(
    local: LocalAssay, unique: str, encode: Callable[[str], bytes]
) -> None:
    machine = Machine(name=f"vm-{unique}", team="shop", image=UBUNTU)
    await deploy(local, machine)
    event = {
        "topic": "/subscriptions/x", "subject": machine.id.upper(), "id": unique,
        "eventType": "Microsoft.Resources.ResourceWriteSuccess", "dataVersion": "2",
        "eventTime": "2026-11-22T12:00:00Z",
        "data": {
            "operationName": "Microsoft.Compute/virtualMachines/write",
            "resourceUri": machine.id.upper(),
        },
    }  # fmt: skip

    await local.put("track-vm", encode(json.dumps(event)).decode())

    assert (await local.vm(machine.name, verdict="unapproved"))["team"] == "shop"
    assert [v["name"] for v in await local.assay.vms()].count(machine.name) == 1


async def test_a_deleted_vm_is_kept_and_marked(local: LocalAssay) -> None:
    machine = Machine(name="web-2", team="pay", image=UBUNTU)
    await deploy(local, machine)
    await local.vm("web-2", verdict="unapproved")

    await local.azure.delete(machine.id)

    async def look() -> Json | None:
        vm = await local.vm("web-2")
        return vm if vm["deleted_at"] else None

    vm = await local.until(look, "web-2 marked deleted")
    assert vm["verdict"] == "unapproved"
    listed = await local.assay.http.call("GET", "/api/v1/vms?team=pay")
    assert "web-2" not in [v["name"] for v in listed["items"]]


async def test_the_instances_of_a_scale_set_are_cattle(local: LocalAssay) -> None:
    await deploy(local, Machine(name="farm", team="shop", image=UBUNTU, instances=3))

    async def look() -> list[Json] | None:
        herd = [v for v in await local.assay.vms() if v["name"].startswith("farm")]
        return herd if len(herd) == 3 else None

    herd = await local.until(look, "three instances")
    assert {v["kind"] for v in herd} == {"cattle"}
    assert {v["verdict"] for v in herd} == {"unapproved"}


async def test_the_newest_word_of_azure_policy_counts(local: LocalAssay) -> None:
    machine = Machine(name="web-3", team="shop", image=UBUNTU)
    await deploy(local, machine)
    await local.vm("web-3", verdict="unapproved")
    assignment = (
        f"/subscriptions/{TEAMS_SUBSCRIPTION}/providers/Microsoft.Authorization"
        "/policyAssignments/golden-images-only"
    )

    await local.simulation.policy_says(machine.id, assignment, "NonCompliant")
    await local.vm("web-3", policy="noncompliant")
    await local.simulation.policy_says(machine.id, assignment, "Compliant")
    vm = await local.vm("web-3", policy="compliant")

    whole = await local.assay.vm(vm["key"])
    assert [t[2] for t in transitions(whole) if t[0] == "policy"] == ["noncompliant", "compliant"]


async def test_a_repeated_delivery_writes_no_second_line_of_history(local: LocalAssay) -> None:
    vm = await local.vm("web-0")
    whole = await local.assay.vm(vm["key"])

    lines = transitions(whole)
    assert len(lines) == len(set(lines))


async def test_the_traffic_was_as_azures_specifications_say(
    local: LocalAssay, tmp_path: Path
) -> None:
    await local.simulation.http.call("POST", "/_sim/traffic/dump", {"dir": str(tmp_path)})

    assert len(list(tmp_path.glob("*.json"))) > 100
    assert await validate(tmp_path) == []
