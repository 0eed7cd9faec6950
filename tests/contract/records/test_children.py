"""What every register does to find the versions built from one."""

from dataclasses import replace

import pytest

from shared.domain.image_version import ImageVersion, VersionState
from shared.domain.parentage import ParentVersion, RootSource
from shared.ports import Stored
from shared.records.records import Records
from tests.contract.records.conftest import MakeRecords, OpenTable
from tests.contract.records.samples import IMAGE, NOON, AnyRecords, a_version
from tests.contract.records.wire import DiedError, Wire, dying_at

PARENT = ParentVersion(
    definition="ubuntu-2204",
    version="1.1.1",
    image_id=IMAGE,
    root=RootSource(publisher="A", offer="b", sku="c", version="22.04.1"),
)


def a_child(version: str, definition: str = "web", parent: str = "1.1.1") -> ImageVersion:
    return replace(a_version(version, definition), parent=replace(PARENT, version=parent))


async def names(records: AnyRecords, version: str = "1.1.1", limit: int = 100) -> list[str]:
    found = await records.image_versions.children("ubuntu-2204", version, limit=limit)
    return [f"{v.definition}/{v.version}" for v in found]


async def test_children_come_by_definition_and_number(records: AnyRecords) -> None:
    for child in (
        a_child("1.1.10"),
        a_child("1.1.9"),
        a_child("9.1.1", "api"),
        a_child("1.1.1", parent="1.1.2"),
        a_version("5.5.5", "web"),
    ):
        await records.image_versions.save(Stored(child))

    assert await names(records) == ["api/9.1.1", "web/1.1.9", "web/1.1.10"]
    assert await names(records, limit=2) == ["api/9.1.1", "web/1.1.9"]
    assert await names(records, version="1.1.2") == ["web/1.1.1"]
    assert await names(records, version="1.1.3") == []


async def test_a_child_is_shown_as_it_is_now_with_its_parent(records: AnyRecords) -> None:
    saved = await records.image_versions.save(Stored(a_child("1.1.1")))
    changed = saved.value.become(VersionState.RELEASED, now=NOON, because="proved")
    await records.image_versions.save(replace(saved, value=changed))

    (found,) = await records.image_versions.children("ubuntu-2204", "1.1.1", limit=5)

    assert found == changed
    assert found.parent == PARENT


async def test_more_children_than_one_page_are_all_found(records: AnyRecords) -> None:
    for number in range(1, 13):
        await records.image_versions.save(Stored(a_child(f"1.1.{number}")))

    assert len(await names(records, limit=12)) == 12
    assert len(await names(records, limit=11)) == 11


@pytest.mark.azurite
async def test_a_child_that_died_before_it_was_inserted_is_no_child(
    table_records: Records, make_table_records: MakeRecords, open_table: OpenTable
) -> None:
    wire = Wire()
    dying = make_table_records(transport=wire)
    await dying.ensure()
    wire.writes, wire.before = 0, dying_at(2)
    with pytest.raises(DiedError):
        await dying.image_versions.save(Stored(a_child("1.1.1")))

    rows = [r["RowKey"] async for r in open_table("VersionChildren").list_entities()]
    assert [r.partition("|")[0] for r in rows] == ["web"]
    assert await names(table_records) == []
    await table_records.image_versions.save(Stored(a_child("1.1.1")))
    assert await names(table_records) == ["web/1.1.1"]


async def test_a_row_of_an_earlier_release_has_no_parent(records: AnyRecords) -> None:
    await records.image_versions.save(Stored(a_version("1.1.1")))
    stored = await records.image_versions.get("ubuntu-2204", "1.1.1")
    assert stored is not None
    assert stored.value.parent is None
