"""Exports of a register in memory, delivered twice and killed at every call."""

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.identifiers import vm_key
from shared.errors import RefusedError
from shared.fleet import remove_exports as removal
from shared.fleet import write_export as step
from shared.messages import RemoveExports, WriteExport
from shared.ports import Export, ExportForm, ExportWhat, Stored, VmEntry, VmFilter
from tests.fakes.world import NOON, World
from tests.unit.web.samples import SUBSCRIPTION, vm

DAY = timedelta(days=1)


async def hold(world: World, name: str, *, overdue: bool = False) -> None:
    resource_id = (
        f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg/providers/microsoft.compute"
        f"/virtualmachines/{name}"
    )
    record = replace(vm(resource_id), due_at=NOON - 3 * DAY if overdue else None)
    entry = VmEntry(key=vm_key(resource_id), record=record)
    await world.records.vms.save(Stored(VmEntry(key=entry.key)), entry)


def export(
    form: ExportForm = ExportForm.CSV,
    *,
    what: ExportWhat = ExportWhat.VMS,
    wanted: VmFilter | None = None,
    number: str = "e1",
) -> Export:
    return Export(
        id=number,
        what=what,
        form=form,
        wanted=wanted or VmFilter(),
        as_of=NOON,
        created_at=NOON,
        expires_at=NOON + 7 * DAY,
    )


async def run(world: World, asked: Export, *, vms: int = 5) -> Export:
    for number in range(vms):
        await hold(world, f"vm-{number}")
    await world.records.exports.save(Stored(asked))
    world.send(WriteExport(export_id=asked.id))
    await world.drain()
    stored = await world.records.exports.get(asked.id)
    assert stored
    return stored.value


def read(world: World, made: Export) -> list[dict[str, object]]:
    """Return the rows of a file, read as a stranger would."""
    text = world.export_files.content(made.file).decode()
    if made.form is ExportForm.CSV:
        return list(csv.DictReader(io.StringIO(text, newline="")))
    if made.form is ExportForm.JSON:
        return list(json.loads(text))
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "ROWS", 2)


@pytest.mark.parametrize("form", list(ExportForm))
async def test_every_form_holds_every_vm_once(form: ExportForm) -> None:
    world = World()

    made = await run(world, export(form))

    assert [row["name"] for row in read(world, made)] == [f"vm-{n}" for n in range(5)]
    assert (made.state, made.rows, made.pages) == ("finished", 5, 3)
    assert made.size == len(world.export_files.content(made.file))


@pytest.mark.parametrize("form", list(ExportForm))
async def test_an_export_of_nothing_can_be_read(form: ExportForm) -> None:
    world = World()

    made = await run(world, export(form), vms=0)

    assert read(world, made) == []
    assert made.state == "finished"


async def test_only_what_was_asked_for_is_exported() -> None:
    world = World()
    await hold(world, "late", overdue=True)

    made = await run(
        world, export(what=ExportWhat.OVERDUE, wanted=VmFilter(due_before=NOON)), vms=2
    )

    (row,) = read(world, made)
    assert (row["name"], row["days_overdue"], row["rule"]) == ("late", "3", "lineage-lost")


@pytest.mark.parametrize("form", list(ExportForm))
async def test_delivered_twice_nothing_is_appended_twice(form: ExportForm) -> None:
    world = World(twice=True)

    made = await run(world, export(form))

    assert [row["name"] for row in read(world, made)] == [f"vm-{n}" for n in range(5)]
    assert len(world.delivered) <= 4 * 3


@pytest.mark.parametrize("twice", [False, True])
async def test_killed_at_any_call_the_file_is_the_same(twice: bool) -> None:
    quiet = World(twice=twice)
    wanted = await run(quiet, export(ExportForm.JSON))

    for call in range(1, quiet.crashes.calls + 1):
        world = World(twice=twice)
        world.crashes.at = call
        made = await run(world, export(ExportForm.JSON))
        assert world.export_files.content(made.file) == quiet.export_files.content(wanted.file)
        assert (made.rows, made.size) == (wanted.rows, wanted.size), call


async def test_killed_between_mark_and_page_the_page_is_written_anew() -> None:
    world = World()
    world.export_files.fail_next("append", TimeoutError())
    for number in range(2):
        await hold(world, f"vm-{number}")
    await world.records.exports.save(Stored(export()))
    world.send(WriteExport(export_id="e1"))
    with pytest.raises(TimeoutError):
        await world.deliver_next()
    await hold(world, "vm-1a")  # meanwhile the page is another one

    world.send(WriteExport(export_id="e1"))
    await world.drain()

    stored = await world.records.exports.get("e1")
    assert stored
    assert [row["name"] for row in read(world, stored.value)] == ["vm-0", "vm-1", "vm-1a"]


async def test_a_page_that_was_appended_counts_even_if_the_register_has_changed() -> None:
    world = World()
    for number in range(2):
        await hold(world, f"vm-{number}")
    asked = await world.records.exports.save(Stored(export()))
    world.send(WriteExport(export_id="e1"))
    await world.deliver_next()
    await world.records.exports.save(
        replace(await _stored(world), value=asked.value)  # as if it died before it saved
    )
    await hold(world, "vm-0a")

    world.send(WriteExport(export_id="e1"))
    await world.drain()

    assert [row["name"] for row in read(world, (await _stored(world)).value)] == ["vm-0", "vm-1"]


async def _stored(world: World) -> Stored[Export]:
    stored = await world.records.exports.get("e1")
    assert stored
    return stored


async def test_an_export_that_is_refused_says_so_and_goes_on_when_replayed() -> None:
    world = World()
    world.export_files.fail_next("look", RefusedError("set the blob service"))

    stuck = await run(world, export())
    assert (stuck.state, stuck.problem) == ("stuck", "set the blob service")
    assert len((await world.records.parked.list()).items) == 1

    world.send(WriteExport(export_id="e1"))
    await world.drain()
    assert (await _stored(world)).value.state == "finished"


async def test_expired_exports_go_with_their_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "_AT_ONCE", 1)
    world = World()
    for number in ("e1", "e2"):
        await run(world, export(number=number), vms=0)
    young = await run(world, replace(export(number="e3"), expires_at=NOON + 99 * DAY), vms=0)

    world.now += 8 * DAY
    world.send(RemoveExports())
    await world.drain()

    assert [await world.records.exports.get(n) for n in ("e1", "e2")] == [None, None]
    assert world.export_files.content(young.file)
    assert not (await world.export_files.look("e1.csv")).etag


async def test_a_message_for_an_export_that_is_gone_does_nothing() -> None:
    world = World()

    world.send(WriteExport(export_id="gone", page=3))
    await world.drain()

    assert world.delivered == ["write_export"]
    assert (await world.records.parked.list()).items == ()
