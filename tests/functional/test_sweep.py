"""Machines of which no event tells, found by sweeps; every message delivered twice."""

import asyncio
from typing import Any

import pytest
from azure.data.tables.aio import TableServiceClient

from localcloud.arm.faults import EventFault
from localcloud.arm.scale_set_instances import INSTANCE
from localcloud.environment import TEAMS_SUBSCRIPTION
from localcloud.scenario.machines import UBUNTU, Machine
from tests.functional.conftest import Json, LocalAssay

pytestmark = pytest.mark.asyncio(loop_scope="module")

OLD, NEW = "22.04.202611010", "22.04.202611150"
PET = Machine(name="lost-pet", team="sweep", image={**UBUNTU, "version": OLD})
HERD = Machine(name="lost-herd", team="sweep", image={**UBUNTU, "version": OLD}, instances=2)
IN_GROUP = "/resourceGroups/rg-sweep/"


async def sweep(local: LocalAssay, *, finding: dict[str, int]) -> Json:
    """Sweep by hand; return the sweep once it is over and has found what was to be found."""
    asked = await local.assay.http.call("POST", "/api/v1/sweeps", {"reason": "a test"})
    assert not asked["reused"], asked
    seen: list[Json] = []

    async def look() -> Json | None:
        whole = dict(await local.assay.http.call("GET", f"/api/v1/sweeps/{asked['id']}"))
        seen.append(whole["vms"])
        settled = len(seen) > 8 and seen[-1] == seen[-8]  # no part was counted for two seconds
        fits = whole["ended_at"] and found(whole) == finding
        return whole if fits and settled else None

    return await local.until(look, f"the end of sweep {asked['id']}, finding {finding}")


def found(whole: Json) -> Json:
    """Return what a sweep counted besides rows."""
    return {name: n for name, n in whole["vms"].items() if n and name not in ("rows", "unchanged")}


async def rows(local: LocalAssay, *tables: str) -> dict[tuple[str, ...], str]:
    """Return the ETag of every row of some tables."""
    async with TableServiceClient.from_connection_string(local.storage) as service:
        return {
            (name, row["PartitionKey"], row["RowKey"]): str(row.metadata["etag"])
            for name in tables
            async for row in service.get_table_client(name).list_entities()
        }


def lose_events(local: LocalAssay) -> None:
    local.simulator.add_fault(EventFault(subject=IN_GROUP, effect="drop"))


async def machines(local: LocalAssay) -> dict[str, Json]:
    """Return the records of our machines, by name."""
    return {v["name"]: v for v in await local.assay.vms() if v["team"] == "sweep"}


async def test_the_timer_sweeps_for_the_first_time(local: LocalAssay) -> None:
    for version in (OLD, NEW):
        source = {k: UBUNTU[k] for k in ("publisher", "offer", "sku")}
        await local.simulation.upstream_publishes(source, version)
    await local.assay.http.call("POST", "/admin/functions/look_at_fleet", {"input": ""})

    async def look() -> Json | None:
        items = (await local.assay.http.call("GET", "/api/v1/sweeps"))["items"]
        return items[0] if items and items[0]["ended_at"] else None

    first = await local.until(look, "the end of the first sweep")

    assert (first["asked_by"], first["outcome"], first["subscriptions"]) == ("timer", "done", 2)
    listed = await local.assay.http.call("GET", "/api/v1/subscriptions")
    assert {s["id"]: s["swept_at"] for s in listed["items"]} == dict.fromkeys(
        [s["id"] for s in listed["items"]], first["began_at"]
    )
    assert TEAMS_SUBSCRIPTION in {s["id"] for s in listed["items"]}


async def test_machines_made_without_an_event_are_found(local: LocalAssay) -> None:
    lose_events(local)
    for machine in (PET, HERD):
        await local.azure.deploy(machine.id, machine.body())
    await asyncio.sleep(1)
    assert await machines(local) == {}

    whole = await sweep(local, finding={"new": 4, "missed": 4})

    assert whole["outcome"] == "done"
    known = await machines(local)
    assert sorted(known) == ["lost-herd_0", "lost-herd_1", "lost-pet"]
    assert {v["verdict"] for v in known.values()} == {"unapproved"}
    history = (await local.assay.vm(known["lost-pet"]["key"]))["history"]
    assert {t["because"] for t in history} == {"sweep"}


async def test_an_unchanged_fleet_costs_no_write(local: LocalAssay) -> None:
    before = await rows(local, "Vms", "VmIndex", "History")

    whole = await sweep(local, finding={})

    assert (whole["outcome"], whole["vms"]["unchanged"]) == ("done", whole["vms"]["rows"])
    assert whole["vms"]["rows"] == 4
    assert await rows(local, "Vms", "VmIndex", "History") == before


async def test_a_platform_upgrade_of_a_scale_set_is_noticed(local: LocalAssay) -> None:
    for instance in local.simulator.cloud.store.of_type(INSTANCE, HERD.id):
        reference: Any = instance.properties["storageProfile"]["imageReference"]
        reference |= {"version": NEW, "exactVersion": NEW}

    whole = await sweep(local, finding={"changed": 2, "missed": 2})

    assert whole["outcome"] == "done"
    known = await machines(local)
    assert {known[f"lost-herd_{n}"]["image"]["version"] for n in (0, 1)} == {NEW}


async def test_a_hidden_subscription_is_not_wiped_and_health_says_so(local: LocalAssay) -> None:
    tenant = local.simulator.cloud.tenant
    tenant.hide(TEAMS_SUBSCRIPTION)
    try:
        whole = await sweep(local, finding={})
        health = await local.assay.http.call("GET", "/api/v1/health")
        listed = await local.assay.http.call("GET", "/api/v1/subscriptions?troubled=true")
    finally:
        tenant.show(TEAMS_SUBSCRIPTION)

    assert (whole["outcome"], whole["unreadable_subscriptions"]) == ("done", 1)
    assert {v["deleted_at"] for v in (await machines(local)).values()} == {None}
    assert (health["status"], health["fleet"]["unreadable"]) == ("degraded", 1)
    (troubled,) = listed["items"]
    assert (troubled["id"], troubled["since"]) == (TEAMS_SUBSCRIPTION, whole["began_at"])
    assert "Reader" in troubled["problem"]


async def test_a_deletion_whose_event_was_lost_is_marked(local: LocalAssay) -> None:
    await local.azure.delete(PET.id)

    whole = await sweep(local, finding={"vanished": 1, "missed": 1})

    assert whole["outcome"] == "done"
    known = await machines(local)
    assert known["lost-pet"]["deleted_at"] is not None
    assert known["lost-herd_0"]["deleted_at"] is None
    assert (await local.assay.http.call("GET", "/api/v1/health"))["status"] == "healthy"
    assert await local.assay.parked() == []
