"""What every register of image versions, sources and parked messages does."""

from dataclasses import replace

import pytest

from shared.domain.image_version import VersionState
from shared.errors import BadMessageError, ConflictError
from shared.ports import Stored
from tests.contract.records.samples import (
    NOON,
    AnyRecords,
    a_parked_message,
    a_source,
    a_version,
    pages,
)


async def test_a_version_comes_back_as_it_was_saved(records: AnyRecords) -> None:
    version = a_version("1.20261122.1").become(VersionState.RELEASED, now=NOON, because="proved")
    saved = await records.image_versions.save(Stored(version))
    assert await records.image_versions.get("ubuntu-2204", "1.20261122.1") == saved
    assert saved.value == version
    assert await records.image_versions.get("ubuntu-2204", "1.20261122.2") is None
    assert await records.image_versions.get("other", "1.20261122.1") is None


async def test_versions_are_listed_highest_number_first(records: AnyRecords) -> None:
    for version in ("1.20261122.9", "2.20261122.1", "1.20261122.10", "1.9.1", "10.1.1"):
        await records.image_versions.save(Stored(a_version(version)))
    await records.image_versions.save(Stored(a_version("99.1.1", definition="other")))
    listed = await records.image_versions.list("ubuntu-2204")
    numbers = [s.value.version for s in listed]
    assert numbers == ["10.1.1", "2.20261122.1", "1.20261122.10", "1.20261122.9", "1.9.1"]


async def test_a_listed_version_can_be_saved_under_its_etag(records: AnyRecords) -> None:
    await records.image_versions.save(Stored(a_version("1.1.1")))
    [listed] = await records.image_versions.list("ubuntu-2204")
    await records.image_versions.save(replace(listed, value=replace(listed.value, attempt=2)))
    with pytest.raises(ConflictError):
        await records.image_versions.save(replace(listed, value=replace(listed.value, attempt=3)))
    [kept] = await records.image_versions.list("ubuntu-2204")
    assert kept.value.attempt == 2


async def test_a_version_is_inserted_once(records: AnyRecords) -> None:
    await records.image_versions.save(Stored(a_version("1.1.1")))
    with pytest.raises(ConflictError):
        await records.image_versions.save(Stored(a_version("1.1.1")))


async def test_a_source_is_kept_by_its_urn_whatever_its_case(records: AnyRecords) -> None:
    assert await records.sources.get("a:b:c") is None
    saved = await records.sources.save(Stored(a_source("A:b:C")))
    assert await records.sources.get("a:B:c") == saved
    with pytest.raises(ConflictError):
        await records.sources.save(Stored(a_source("a:b:c")))
    newer = a_source("A:b:C", version="2.0.0")
    await records.sources.save(Stored(newer, etag=saved.etag))
    with pytest.raises(ConflictError):
        await records.sources.save(saved)
    loaded = await records.sources.get("a:b:c")
    assert loaded is not None
    assert loaded.value == newer


async def test_parked_messages_come_oldest_first_in_pages(records: AnyRecords) -> None:
    for name in ("03", "01", "05", "02", "04"):
        await records.parked.park(a_parked_message(name))
    found = await pages(lambda cursor: records.parked.list(limit=2, cursor=cursor))
    assert [[m.id for m in items] for items in found] == [["01", "02"], ["03", "04"], ["05"]]


async def test_parking_again_replaces(records: AnyRecords) -> None:
    await records.parked.park(a_parked_message("01", text="old" * 30_000))
    await records.parked.park(a_parked_message("01", text="new"))
    assert await records.parked.get("01") == a_parked_message("01", text="new")
    assert len((await records.parked.list()).items) == 1


async def test_a_parked_message_keeps_its_text_to_the_letter(records: AnyRecords) -> None:
    text = '{"a": "' + "\u0001é🚀\\" * 12_000 + '"'
    await records.parked.park(a_parked_message("2026-11-22T12:00:00Z/a#b", text=text))
    loaded = await records.parked.get("2026-11-22T12:00:00Z/a#b")
    assert loaded is not None
    assert loaded.text == text


async def test_a_parked_message_is_removed_once_or_twice(records: AnyRecords) -> None:
    await records.parked.park(a_parked_message("01"))
    await records.parked.remove("01")
    await records.parked.remove("01")
    assert await records.parked.get("01") is None
    assert (await records.parked.list()).items == ()


async def test_a_cursor_for_parked_messages_is_checked(records: AnyRecords) -> None:
    with pytest.raises(BadMessageError):
        await records.parked.list(cursor="nonsense")


async def test_tables_can_be_made_at_start_and_asked_for_a_sign_of_life(
    records: AnyRecords,
) -> None:
    await records.ping()
    await records.ensure()
    await records.ensure()
    await records.ping()
