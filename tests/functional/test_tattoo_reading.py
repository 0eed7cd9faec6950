"""The tattoo in the guest of VMs that opt in: read, compared, said aloud; messages come twice."""

import json
from pathlib import Path
from typing import Any

import pytest

from localcloud.scenario.clients import COMPUTE_API
from localcloud.scenario.machines import UBUNTU, Machine
from tests.conformance.oav import validate
from tests.functional.conftest import Json, LocalAssay

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPTED_IN = {"assay-read-tattoo": "true"}
SOURCE = {k: UBUNTU[k] for k in ("publisher", "offer", "sku")}
PATH = "/etc/assay/tattoo"


async def golden(local: LocalAssay) -> dict[str, str]:
    """Release the golden Ubuntu, once, and return the reference VMs are made with."""
    image = await local.assay.image("ubuntu-22-04")
    if image["newest"] is None:
        await local.simulation.upstream_publishes(SOURCE, "22.04.202611010")
        build = await local.finished((await local.assay.publish("ubuntu-22-04"))["build"])
        assert build["phase"] == "released", json.dumps(build, indent=1)

    async def offered() -> Json | None:
        image = await local.assay.image("ubuntu-22-04")
        return image if image["newest"] else None

    return {"id": (await local.until(offered, "the newest version"))["image_id"]}


async def deploy(local: LocalAssay, name: str, image: Any, **more: Any) -> Machine:
    machine = Machine(name=name, team="shop", image=image, **more)
    await local.azure.deploy(machine.id, machine.body())
    return machine


async def opt_in(local: LocalAssay, machine: Machine) -> None:
    """Let the team put the tag on a VM that runs already."""
    body = machine.body()
    await local.azure.deploy(machine.id, {**body, "tags": {**body["tags"], **OPTED_IN}})


async def tattoo_of(local: LocalAssay, name: str) -> Json:
    """Return the reading of a VM's tattoo once there is one."""

    async def look() -> Json | None:
        vm = next((v for v in await local.assay.vms() if v["name"] == name), None)
        return vm if vm and vm["tattoo"] else None

    vm = await local.until(look, f"a reading of the tattoo in {name}")
    whole = await local.assay.vm(vm["key"])
    assert vm["tattoo"] == {"state": whole["tattoo"]["state"]}
    return dict(whole["tattoo"])


def commands(local: LocalAssay, machine: Machine) -> list[str]:
    """Return the operations on run commands of a VM, as Azure saw them."""
    path = f"{machine.id}/".lower()
    return [
        each.operation
        for each in local.simulator.cloud.traffic
        if path in each.url.lower() and "/runcommands" in each.url.lower()
    ]


async def nothing_left_behind(local: LocalAssay, machine: Machine) -> bool:
    """Wait until no run command is left; a repeated delivery may have started one more."""
    path = f"{machine.id}/runCommands?api-version={COMPUTE_API}"

    async def look() -> bool | None:
        return (await local.azure.http.call("GET", path))["value"] == [] or None

    return await local.until(look, f"no run command in {machine.name}")


async def test_the_guest_of_a_released_version_matches(local: LocalAssay) -> None:
    machine = await deploy(local, "gold-1", await golden(local), tags=OPTED_IN)

    tattoo = await tattoo_of(local, "gold-1")

    vm = await local.vm("gold-1")
    assert (tattoo["state"], tattoo["differences"]) == ("match", [])
    assert (tattoo["by"], tattoo["version"]) == ("run-command", vm["image"]["version"])
    assert tattoo["read_at"]
    assert await nothing_left_behind(local, machine)


async def test_a_guest_somebody_changed_is_a_mismatch_and_told(local: LocalAssay) -> None:
    machine = await deploy(local, "gold-2", await golden(local))
    version = (await local.vm("gold-2", verdict="current"))["image"]["version"]
    files = local.simulator.cloud.store.get(machine.id).facts["guest"].files  # type: ignore[union-attr]
    changed = files[PATH].replace(f"\nversion={version}\n", "\nversion=9.20990101.1\n")
    body = {"resource_id": machine.id, "path": PATH, "text": changed}
    await local.simulation.http.call("POST", "/_sim/guests/files", body)

    await opt_in(local, machine)
    tattoo = await tattoo_of(local, "gold-2")

    assert tattoo["state"] == "mismatch"
    assert tattoo["differences"] == [
        f"version: the guest says 9.20990101.1, the register and the gallery say {version}"
    ]

    async def told() -> list[Json] | None:
        return [e for e in local.events("TattooMismatch") if "gold-2" in e["data"]["vm"]] or None

    events = await local.until(told, "an Assay.TattooMismatch")
    assert {e["id"] for e in events} == {events[0]["id"]}
    assert events[0]["data"]["state"] == "mismatch"
    assert await nothing_left_behind(local, machine)


async def test_a_foreign_vm_that_opted_in_has_none(local: LocalAssay) -> None:
    await deploy(local, "other-1", UBUNTU, tags=OPTED_IN)

    tattoo = await tattoo_of(local, "other-1")

    assert (tattoo["state"], tattoo["differences"]) == ("absent", [])


async def test_a_foreign_vm_that_claims_to_be_ours_is_a_mismatch(local: LocalAssay) -> None:
    machine = await deploy(local, "other-2", UBUNTU)
    body = {"resource_id": machine.id, "path": PATH, "text": "definition=ubuntu-22-04\n"}
    await local.simulation.http.call("POST", "/_sim/guests/files", body)

    await opt_in(local, machine)
    tattoo = await tattoo_of(local, "other-2")

    assert tattoo["state"] == "mismatch"
    assert "which is none of ours" in tattoo["differences"][0]


async def test_the_instances_of_a_uniform_scale_set_are_read_too(local: LocalAssay) -> None:
    await deploy(local, "herd", await golden(local), tags=OPTED_IN, instances=2)

    for number in range(2):
        assert (await tattoo_of(local, f"herd_{number}"))["state"] == "match"


async def test_a_vm_that_is_off_is_unreadable(local: LocalAssay) -> None:
    machine = await deploy(local, "gold-3", await golden(local))
    await local.vm("gold-3", verdict="current")
    path = f"{machine.id}/deallocate?api-version={COMPUTE_API}"
    await local.azure.http.call("POST", path, {})

    await opt_in(local, machine)
    tattoo = await tattoo_of(local, "gold-3")

    assert tattoo["state"] == "unreadable"
    assert "not running" in tattoo["differences"][0]


async def test_what_machine_configuration_reported_is_taken_without_a_run_command(
    local: LocalAssay,
) -> None:
    machine = await deploy(local, "gold-4", await golden(local))
    version = (await local.vm("gold-4", verdict="current"))["image"]["version"]
    row = await local.assay.http.call("GET", f"/api/v1/images/ubuntu-22-04/versions/{version}")
    facts = {k: v for k, v in row["tattoo"].items() if k not in ("os-version", "published-at")}
    phrase = "\n".join(f"{key}={value}" for key, value in facts.items())
    reason = {"code": "AssayTattoo:AssayTattoo:Tattoo", "phrase": phrase}
    body = {"resource_id": machine.id, "name": "AssayTattoo", "status": "NonCompliant"}
    await local.simulation.http.call(
        "POST", "/_sim/guest-assignments", {**body, "reasons": [reason]}
    )

    await opt_in(local, machine)
    tattoo = await tattoo_of(local, "gold-4")

    assert (tattoo["state"], tattoo["by"]) == ("match", "machine-configuration")
    assert set(commands(local, machine)) == {"VirtualMachineRunCommands_GetByVirtualMachine"}


async def test_in_a_vm_that_did_not_opt_in_nothing_is_run_or_asked(local: LocalAssay) -> None:
    machine = await deploy(local, "gold-5", await golden(local), tags={"assay-read-tattoo": "no"})

    vm = await local.vm("gold-5", verdict="current")

    assert vm["tattoo"] is None
    assert commands(local, machine) == []


async def test_nothing_was_parked_and_the_traffic_was_as_azures_specifications_say(
    local: LocalAssay, tmp_path: Path
) -> None:
    await local.simulation.http.call("POST", "/_sim/traffic/dump", {"dir": str(tmp_path)})

    assert await local.assay.parked() == []
    assert len(list(tmp_path.glob("*.json"))) > 100
    assert await validate(tmp_path) == []
