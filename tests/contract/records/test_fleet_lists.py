"""Finding VMs by what the fleet is asked for: memory and Table Storage alike."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.identifiers import vm_key
from shared.domain.vm_record import Kind, Machine, Verdict, VmRecord
from shared.errors import BadMessageError
from shared.ports import RANKS, VmFilter
from tests.contract.records.samples import (
    IMAGE,
    MARKETPLACE,
    NOON,
    OTHER_SUBSCRIPTION,
    SUBSCRIPTION,
    AnyRecords,
    a_vm,
    an_image,
    pages,
    save_vm,
)

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg"
SCALE_SET = f"{GROUP}/providers/microsoft.compute/virtualmachinescalesets/api"
VMS, INSTANCES, MODELS = RANKS


def a_machine(path: str, **changes: Any) -> VmRecord:
    """A VM record under the id that ends in *path*, with the key that follows from it."""
    resource_id = path if path.startswith("/") else f"{GROUP}/providers/microsoft.compute/{path}"
    subscription = resource_id.split("/")[2]
    name = resource_id.rpartition("/")[2]
    return a_vm(vm_key(resource_id), resource_id=resource_id, name=name, subscription_id=subscription, **changes)  # fmt: skip  # noqa: E501


async def save(records: AnyRecords, *machines: VmRecord) -> None:
    for machine in machines:
        await save_vm(records, machine)


async def found(records: AnyRecords, **wanted: Any) -> list[str]:
    """Names of the listed machines, sorted."""
    page = await records.vms.list(VmFilter(**wanted))
    return sorted(record.name for record in page.items)


async def test_machines_are_found_by_kind_region_policy_and_how_they_are_run(
    records: AnyRecords,
) -> None:
    await save(
        records,
        a_machine("virtualmachines/a", kind=Kind.CATTLE),
        a_machine("virtualmachines/b", region="northeurope"),
        a_machine("virtualmachines/c", policy="noncompliant"),
        a_machine(f"{SCALE_SET}/virtualmachines/0", machine=Machine.UNIFORM),
        a_machine(SCALE_SET, machine=Machine.SCALE_SET),
    )
    assert await found(records) == ["0", "a", "b", "c"]
    assert await found(records, kind="cattle") == ["a"]
    assert await found(records, region="northeurope") == ["b"]
    assert await found(records, policy="noncompliant") == ["c"]
    assert await found(records, machines=(Machine.UNIFORM,)) == ["0"]
    assert await found(records, machines=(Machine.SCALE_SET,)) == ["api"]
    assert await found(records, machines=tuple(Machine)) == ["0", "a", "api", "b", "c"]
    assert await found(records, team="web", image=IMAGE, region="northeurope") == ["b"]


async def test_machines_whose_day_has_passed_are_found(records: AnyRecords) -> None:
    day = timedelta(days=1)
    await save(
        records,
        a_machine("virtualmachines/never"),
        a_machine("virtualmachines/late", due_at=NOON - day),
        a_machine("virtualmachines/planned", due_at=NOON + 9 * day, plan_due_at=NOON - day),
        a_machine("virtualmachines/soon", due_at=NOON + day),
    )
    assert await found(records, due_before=NOON) == ["late", "planned"]
    assert await found(records, due_before=NOON + 2 * day, team="web") == [
        "late",
        "planned",
        "soon",
    ]


async def test_the_members_of_a_scale_set_are_found_whichever_way_it_runs_them(
    records: AnyRecords,
) -> None:
    await save(
        records,
        a_machine(SCALE_SET, machine=Machine.SCALE_SET),
        *(
            a_machine(f"{SCALE_SET}/virtualmachines/{n}", machine=Machine.UNIFORM, scale_set_id=SCALE_SET)  # noqa: E501
            for n in range(3)
        ),
        a_machine(f"{SCALE_SET}-2/virtualmachines/0", machine=Machine.UNIFORM, scale_set_id=f"{SCALE_SET}-2"),  # noqa: E501
        a_machine("virtualmachines/flex", machine=Machine.FLEXIBLE, scale_set_id=SCALE_SET),
        a_machine("virtualmachines/alone"),
    )  # fmt: skip
    assert await found(records, scale_set_id=SCALE_SET) == ["0", "1", "2", "flex"]
    assert await found(records, scale_set_id=f"{SCALE_SET}-2") == ["0"]


async def test_the_users_of_an_image_come_by_version_and_up_to_one(records: AnyRecords) -> None:
    for version in ("1.9.0", "1.10.0", "1.2.0"):
        await save(records, a_machine(f"virtualmachines/vm-{version}", image=an_image(version)))
    await save(
        records,
        a_machine(SCALE_SET, machine=Machine.SCALE_SET, image=an_image("")),
        a_machine("virtualmachines/gone", image=an_image("1.2.0"), deleted_at=NOON),
        a_machine("virtualmachines/other", image=an_image("1.2.0", MARKETPLACE)),
    )

    async def users(up_to: str = "") -> list[str]:
        page = await records.vms.users_of_image(IMAGE, up_to=up_to, limit=100)
        return [record.name for record in page.items]

    assert await users() == ["vm-1.2.0", "vm-1.9.0", "vm-1.10.0", "api"]
    assert await users("1.9.0") == ["vm-1.2.0", "vm-1.9.0", "api"]
    assert await users("1.9.5") == ["vm-1.2.0", "vm-1.9.0", "api"]
    assert await users("1.1.0") == ["api"]


async def test_what_is_held_lies_in_the_order_of_ids(records: AnyRecords) -> None:
    """Azure's order, in which `-` and `.` come before `/`, and `/` before digits and letters."""
    groups = ["rg", "rg-1", "rg.1", "rg0", "rg_", "rga"]
    ids = sorted(
        f"/subscriptions/{SUBSCRIPTION}/resourcegroups/{group}/providers/microsoft.compute"
        f"/virtualmachines/{name}"
        for group in groups
        for name in ("v", "v-1", "v.1", "v1", "w")
    )
    await save(records, *(a_machine(each) for each in reversed(ids)))
    await save(
        records,
        a_machine(f"/subscriptions/{OTHER_SUBSCRIPTION}/resourcegroups/rg/providers/m.c/vms/v"),
        a_machine(SCALE_SET, machine=Machine.SCALE_SET),
    )

    async def held(after: str = "", up_to: str = "") -> list[str]:
        tiles = await pages(
            lambda cursor: records.vms.held_between(
                SUBSCRIPTION, VMS, after=after, up_to=up_to, limit=7, cursor=cursor
            )
        )
        return [record.resource_id for tile in tiles for record in tile]

    assert await held() == ids
    assert await held(up_to=ids[4]) == ids[:5]
    assert await held(after=ids[4], up_to=ids[9]) == ids[5:10]
    assert await held(after=ids[-1]) == []
    assert await held(after=ids[3] + "!") == ids[4:]


async def test_what_is_held_is_asked_for_by_how_azure_lists_it(records: AnyRecords) -> None:
    await save(
        records,
        a_machine("virtualmachines/a"),
        a_machine("virtualmachines/f", machine=Machine.FLEXIBLE, deleted_at=NOON),
        a_machine(f"{SCALE_SET}/virtualmachines/0", machine=Machine.UNIFORM),
        a_machine(SCALE_SET, machine=Machine.SCALE_SET),
    )
    for machines, names in ((VMS, ["a", "f"]), (INSTANCES, ["0"]), (MODELS, ["api"])):
        page = await records.vms.held_between(SUBSCRIPTION, machines, after="", up_to="", limit=100)
        assert [record.name for record in page.items] == names


async def test_cursors_are_good_for_their_own_list_only(records: AnyRecords) -> None:
    await save(records, *(a_machine(f"virtualmachines/{n}") for n in range(3)))
    page = await records.vms.users_of_image(IMAGE, limit=1)
    assert page.cursor
    with pytest.raises(BadMessageError):
        await records.vms.users_of_image(IMAGE, up_to="1.0.0", limit=1, cursor=page.cursor)
    with pytest.raises(BadMessageError):
        await records.vms.held_between(
            SUBSCRIPTION, VMS, after="", up_to="", limit=1, cursor=page.cursor
        )


async def test_a_verdict_is_found_in_a_team(records: AnyRecords) -> None:
    await save(
        records,
        a_machine("virtualmachines/a", verdict=Verdict.AGED),
        a_machine("virtualmachines/b"),
        a_machine("virtualmachines/c", verdict=Verdict.AGED, team="db"),
    )
    assert await found(records, team="Web", verdict="aged") == ["a"]
    assert await found(records, subscription_id=SUBSCRIPTION.upper(), verdict="aged") == ["a", "c"]
