"""What reports count: every machine once, in memory and over Table Storage (the emulator)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.vm_record import Image, Kind, Machine, Verdict
from shared.errors import BadMessageError
from shared.ports import FleetRow, VmEntry, VmFilter
from tests.contract.records.samples import (
    IMAGE,
    MARKETPLACE,
    NOON,
    OTHER_SUBSCRIPTION,
    SUBSCRIPTION,
    AnyRecords,
    a_key,
    a_vm,
    an_image,
)

MINUTE = NOON.replace(second=0, microsecond=0)
"""Times are counted to the minute."""
DAY = timedelta(days=1)


async def hold(records: AnyRecords, name: str, **changes: Any) -> str:
    """Put a VM into the register, over what is held of it; return its key."""
    key = a_key(name, changes.get("subscription_id", SUBSCRIPTION))
    record = a_vm(
        key,
        resource_id=f"/subscriptions/{key.partition('.')[0]}/resourcegroups/rg/{name}",
        **changes,
    )
    await records.vms.save(await records.vms.get(key), VmEntry(key=key, record=record))
    return key


async def all_rows(records: AnyRecords, *, limit: int = 1000) -> list[FleetRow]:
    rows: list[FleetRow] = []
    cursor = ""
    while True:
        page = await records.vms.rows(limit=limit, cursor=cursor)
        assert len(page.items) <= limit
        rows += page.items
        cursor = page.cursor
        if not cursor:
            return rows


async def test_an_empty_register_has_no_rows(records: AnyRecords) -> None:
    assert await all_rows(records) == []


async def test_a_row_holds_what_is_counted(records: AnyRecords) -> None:
    await hold(
        records,
        "web-1",
        team="Web",
        verdict=Verdict.AGED,
        kind=Kind.CATTLE,
        machine=Machine.FLEXIBLE,
        policy="noncompliant",
        created_at=NOON - 9 * DAY,
        image_published_at=NOON - 20 * DAY,
        due_at=NOON + 5 * DAY,
        plan_due_at=NOON + 3 * DAY,
    )

    assert await all_rows(records) == [
        FleetRow(
            team="web",
            definition="ubuntu-2204",
            image_id=IMAGE,
            version="1.20261122.1",
            verdict="aged",
            kind="cattle",
            machine="flexible-instance",
            region="westeurope",
            subscription_id=SUBSCRIPTION,
            policy="noncompliant",
            created_at=MINUTE - 9 * DAY,
            image_published_at=MINUTE - 20 * DAY,
            due_at=MINUTE + 3 * DAY,
        )
    ]


async def test_what_is_not_known_is_missing_in_the_row(records: AnyRecords) -> None:
    image = Image(image_id=MARKETPLACE, version="24.04.1")
    await hold(records, "web-1", image=image, definition="", first_seen_at=NOON - DAY)
    await hold(records, "web-2", image=Image(), definition="")

    foreign, lost = await all_rows(records)

    assert (foreign.definition, foreign.image_id, foreign.policy) == ("", MARKETPLACE, "")
    assert (foreign.created_at, foreign.image_published_at, foreign.due_at) == (
        MINUTE - DAY, None, None,
    )  # fmt: skip
    assert (lost.image_id, lost.version) == ("", "")


async def test_machines_are_counted_and_models_and_the_gone_are_not(records: AnyRecords) -> None:
    for machine in Machine:
        await hold(records, machine.value, machine=machine)
    await hold(records, "gone", deleted_at=NOON)

    rows = await all_rows(records)

    assert [row.machine for row in rows] == ["flexible-instance", "vm", "uniform-instance"]


@pytest.mark.parametrize("limit", [1, 2, 7])
async def test_every_machine_comes_once_however_long_a_page_is(
    records: AnyRecords, limit: int
) -> None:
    for number in range(7):
        place = OTHER_SUBSCRIPTION if number % 2 else SUBSCRIPTION
        await hold(records, f"vm-{number}", subscription_id=place, team=f"team-{number}")

    rows = await all_rows(records, limit=limit)

    assert sorted(row.team for row in rows) == [f"team-{n}" for n in range(7)]
    assert [row.subscription_id for row in rows] == [SUBSCRIPTION] * 4 + [OTHER_SUBSCRIPTION] * 3


async def test_a_vm_that_changes_team_and_image_is_still_one_row(records: AnyRecords) -> None:
    await hold(records, "web-1")
    await hold(records, "web-1", team="pay", image=an_image("1.20261123.1"))

    (row,) = await all_rows(records)

    assert (row.team, row.version) == ("pay", "1.20261123.1")


async def test_a_vm_that_is_forgotten_has_no_row(records: AnyRecords) -> None:
    key = await hold(records, "web-1")

    await records.vms.forget(await records.vms.get(key))

    assert await all_rows(records) == []


async def test_the_cursor_of_another_list_is_refused(records: AnyRecords) -> None:
    for name in ("a", "b"):
        await hold(records, name)
    page = await records.vms.list(VmFilter(), limit=1)

    with pytest.raises(BadMessageError):
        await records.vms.rows(limit=1, cursor=page.cursor)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (VmFilter(kind="cattle"), ["farm"]),
        (VmFilter(region="northeurope"), ["farm"]),
        (VmFilter(policy="noncompliant"), ["late"]),
        (VmFilter(due_before=NOON), ["late"]),
        (VmFilter(due_before=NOON + 9 * DAY), ["late", "soon"]),
        (VmFilter(due_before=NOON, team="pay"), []),
        (VmFilter(due_before=NOON, image="ubuntu-2204", subscription_id=SUBSCRIPTION), ["late"]),
        (VmFilter(machines=(Machine.SCALE_SET,)), ["model"]),
        (VmFilter(), ["farm", "late", "soon"]),
    ],
)
async def test_vms_are_found_by_what_reports_count(
    records: AnyRecords, wanted: VmFilter, names: list[str]
) -> None:
    await hold(records, "late", due_at=NOON - DAY, policy="noncompliant")
    await hold(records, "soon", plan_due_at=NOON + DAY)
    await hold(records, "farm", kind=Kind.CATTLE, region="northeurope")
    await hold(records, "model", machine=Machine.SCALE_SET)

    page = await records.vms.list(replace(wanted))

    assert sorted(vm.name for vm in page.items) == names
