"""What is written into the tables: rows as other releases and operators meet them."""

import asyncio
import json
from dataclasses import replace

import pytest
from azure.data.tables import UpdateMode

from shared.errors import PermanentError, RefusedError, UnavailableError
from shared.ports import Stored, VmEntry, VmFilter
from shared.records.records import Records
from tests.contract.records.conftest import MakeRecords, OpenTable
from tests.contract.records.samples import (
    SUBSCRIPTION,
    a_build,
    a_key,
    a_state,
    a_transition,
    a_vm,
    pages,
    save_vm,
)
from tests.contract.records.wire import DiedError, Wire, dying_at

pytestmark = pytest.mark.azurite


async def test_a_long_record_is_spread_over_properties_and_shrinks_again(
    table_records: Records, open_table: OpenTable
) -> None:
    stored = await table_records.builds.save(Stored(a_build(source_version="x" * 70_000)))
    row = await open_table("Builds").get_entity("ubuntu-2204-abc", "build")
    assert [len(row[n]) for n in ("data", "data1")] == [30_000, 30_000]
    assert "data3" not in row
    await table_records.builds.save(replace(stored, value=a_build()))
    row = await open_table("Builds").get_entity("ubuntu-2204-abc", "build")
    assert "data1" not in row
    assert (row["schema"], row["definition"], row["phase"]) == (1, "ubuntu-2204", "queued")


async def test_a_record_beyond_what_a_row_holds_is_refused_in_words(table_records: Records) -> None:
    with pytest.raises(
        RefusedError, match=r"is 1,2\d\d,\d{3} bytes; Table Storage takes 1,048,576"
    ):
        await table_records.builds.save(Stored(a_build(source_version="x" * 600_000)))
    assert await table_records.builds.get("ubuntu-2204-abc") is None


async def test_a_field_of_a_later_release_is_passed_over(
    table_records: Records, open_table: OpenTable
) -> None:
    await table_records.builds.save(Stored(a_build()))
    table = open_table("Builds")
    row = await table.get_entity("ubuntu-2204-abc", "build")
    row["data"] = json.dumps({**json.loads(row["data"]), "colour": "blue"})
    row["colour"] = "blue"
    await table.update_entity(row, mode=UpdateMode.REPLACE)
    loaded = await table_records.builds.get("ubuntu-2204-abc")
    assert loaded is not None
    assert loaded.value == a_build()


@pytest.mark.parametrize(
    ("change", "words"),
    [({"schema": 2}, "upgrade Assay"), ({"data": "{"}, "cannot be read"), ({"data": "{}"}, "id: ")],
)
async def test_a_record_that_cannot_be_read_is_an_error(
    table_records: Records, open_table: OpenTable, change: dict[str, object], words: str
) -> None:
    await table_records.builds.save(Stored(a_build()))
    keys = {"PartitionKey": "ubuntu-2204-abc", "RowKey": "build"}
    await open_table("Builds").update_entity({**keys, **change})
    with pytest.raises(PermanentError, match=words):
        await table_records.builds.get("ubuntu-2204-abc")


async def test_a_vm_and_its_history_share_a_partition(
    table_records: Records, open_table: OpenTable
) -> None:
    key = a_key("vm1")
    entry = VmEntry(key=key, record=a_vm(key, transitions=2), policy_states=(a_state(),))
    lines = [a_transition("", "current"), a_transition("current", "aged")]
    await table_records.vms.save(await table_records.vms.get(key), entry, lines)
    rows = [r["RowKey"] async for r in open_table("Vms").list_entities()]
    assert [r.partition("|")[0] for r in rows] == ["policy", "record", "transition", "transition"]
    assert rows[2:] == ["transition|00000001", "transition|00000002"]


async def test_more_changes_than_one_transaction_takes_are_refused(table_records: Records) -> None:
    key = a_key("vm1")
    states = tuple(a_state(f"a{number}") for number in range(100))
    with pytest.raises(
        RefusedError, match="would change 101 rows at once; Table Storage takes 100"
    ):
        await table_records.vms.save(
            await table_records.vms.get(key), VmEntry(key=key, policy_states=states)
        )
    await table_records.vms.save(
        await table_records.vms.get(key), VmEntry(key=key, policy_states=states[:99])
    )
    assert len((await table_records.vms.get(key)).value.policy_states) == 99


async def test_a_build_that_died_before_it_was_inserted_is_in_no_list(
    table_records: Records, make_table_records: MakeRecords
) -> None:
    wire = Wire()
    dying = make_table_records(transport=wire)
    await dying.ensure()
    wire.writes, wire.before = 0, dying_at(3)
    with pytest.raises(DiedError):
        await dying.builds.save(Stored(a_build()))
    assert (await table_records.builds.list()).items == ()
    await table_records.builds.save(Stored(a_build(minutes=5)))
    found = await pages(lambda cursor: table_records.builds.list(limit=1, cursor=cursor))
    assert [b.id for items in found for b in items] == ["ubuntu-2204-abc"]


async def test_two_processes_may_start_at_once(make_table_records: MakeRecords) -> None:
    one, two = make_table_records(), make_table_records()
    await asyncio.gather(one.ensure(), two.ensure())
    await save_vm(one, a_vm(a_key("vm1")))
    assert len((await two.vms.list(VmFilter(subscription_id=SUBSCRIPTION))).items) == 1


async def test_a_table_that_went_missing_is_said_and_not_taken_for_an_empty_one(
    table_records: Records, open_table: OpenTable
) -> None:
    await table_records.ensure()
    for name in ("Builds", "BuildIndex", "Vms"):
        await open_table(name).delete_table()
    with pytest.raises(UnavailableError, match="restart Assay"):
        await table_records.builds.get("b")
    with pytest.raises(UnavailableError, match="restart Assay"):
        await table_records.builds.list()
    with pytest.raises(UnavailableError, match="restart Assay"):
        await save_vm(table_records, a_vm(a_key("vm1")))
