"""The tattoo in a guest, read look by look: once, twice, late, and killed at every call."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.identifiers import vm_key
from shared.domain.image_definition import OperatingSystem
from shared.domain.image_version import ImageVersion, VersionState
from shared.domain.tattoo import render, tags
from shared.domain.vm_record import Machine, TattooReading, TattooState, VmFacts
from shared.errors import NotReadyError, ThrottledError
from shared.messages import Announcement, ReadTattoo, TrackVm
from shared.ports import ConfigurationReport, RunCommandStatus, Stored
from tests.fakes.fleet import COMPUTE, instance_facts, vm_facts
from tests.fakes.gallery import GALLERY
from tests.fakes.guest_tattoos import NOT_RUNNING
from tests.fakes.world import NOON, Crashes, World

NAME = "ubuntu-22-04"
IMAGE = f"{GALLERY}/images/{NAME}"
VM = f"{COMPUTE}/virtualmachines/vm-1"
FACTS = {"definition": NAME, "version": "1.1.0", "build-id": "b-7"}
OPTED_IN = {"team": "web", "assay-read-tattoo": "true"}
TEXT = render(FACTS) + "os-version=Ubuntu 22.04.5 LTS\n"


def machine(version: str = "1.1.0", **changes: Any) -> VmFacts:
    facts = vm_facts("vm-1", image_id=IMAGE, version=version, tags=OPTED_IN, created_at=NOON)
    return replace(facts, **changes)


async def world_with(text: str | None = TEXT, facts: VmFacts | None = None, **more: Any) -> World:
    """A world with one version of ours, and one VM whose guest has the tattoo *text*."""
    world = World(**more)
    row = ImageVersion(
        definition=NAME, version="1.1.0", image_id=IMAGE, state=VersionState.RELEASED,
        build_id="b-7", attempt=1, source_urn="u", source_version="1", customization_digest="d",
        created_at=NOON, tattoo=FACTS, regions=("westeurope",), excluded_from_latest=False,
    )  # fmt: skip
    await world.records.image_versions.save(Stored(row))
    world.gallery.put(IMAGE, "1.1.0", tags=tags(FACTS))
    resource_id = world.fleet.put(facts or machine())
    world.guest_tattoos.put(resource_id, text)
    return world


async def track(world: World, resource_id: str = VM) -> TattooReading | None:
    world.send(TrackVm(resource_id=resource_id))
    await world.drain()
    return await reading(world, resource_id)


async def reading(world: World, resource_id: str = VM) -> TattooReading | None:
    record = (await world.records.vms.get(vm_key(resource_id))).value.record
    assert record is not None
    return record.tattoo


async def history(world: World) -> list[tuple[str, str, str]]:
    lines = [n.transition for n in await world.records.vms.lines(vm_key(VM))]
    return [(t.old, t.new, t.because) for t in lines if t.what == "tattoo"]


def announced(world: World) -> list[Announcement]:
    return [a for a in world.outbox.announced if a.name == "TattooMismatch"]


async def test_a_vm_as_it_was_made_matches_and_no_run_command_is_left() -> None:
    world = await world_with()

    read = await track(world)

    assert read
    assert (read.state, read.by, read.version, read.differences) == (
        TattooState.MATCH, "run-command", "1.1.0", (),
    )  # fmt: skip
    assert read.read_at == NOON + timedelta(minutes=3)  # looks after one minute and two more
    assert world.guest_tattoos.commands == {}
    assert world.guest_tattoos.started == [VM]
    assert await history(world) == [("", "match", "tattoo read by run-command")]
    assert announced(world) == []


async def test_a_vm_that_did_not_opt_in_is_left_alone() -> None:
    world = await world_with(facts=machine(tags={"team": "web"}))

    assert await track(world) is None
    assert "read_tattoo" not in world.delivered
    assert world.guest_tattoos.started == []


async def test_a_changed_guest_is_a_mismatch_and_the_world_is_told_once() -> None:
    world = await world_with(render({**FACTS, "version": "9.9.9"}))

    read = await track(world)
    world.now += timedelta(days=7)
    again = await track(world)

    assert read
    assert again
    assert again.since == read.read_at < again.read_at
    [news] = announced(world)
    assert news.subject == f"vms/{vm_key(VM)}"
    assert news.data == {
        "vm": VM,
        "team": "web",
        "state": "mismatch",
        "image": IMAGE,
        "version": "1.1.0",
        "differences": ["version: the guest says 9.9.9, the register and the gallery say 1.1.0"],
        "by": "run-command",
        "asOf": read.read_at.isoformat(),
    }


async def test_a_changed_tag_of_the_gallery_is_a_mismatch() -> None:
    world = await world_with()
    world.gallery.held[f"{IMAGE}/versions/1.1.0"].tags["assay-build-id"] = "b-8"

    read = await track(world)

    assert read
    assert read.differences == (
        "build-id: the gallery says b-8, the guest and the register say b-7",
    )


async def test_a_foreign_vm_is_absent_and_one_with_a_tattoo_of_ours_is_a_mismatch() -> None:
    foreign = machine(image=replace(machine().image, image_id="canonical:u:j", version="2"))
    honest = await track(await world_with(None, foreign))
    liar = await track(await world_with(TEXT, foreign))

    assert honest
    assert liar
    assert honest.state is TattooState.ABSENT
    assert liar.state is TattooState.MISMATCH
    assert "which is none of ours" in liar.differences[0]


async def test_a_vm_that_is_off_is_unreadable_and_tried_again_when_next_due() -> None:
    world = await world_with()
    world.guest_tattoos.off.add(VM)

    read = await track(world)
    await track(world)

    assert read
    assert read.state is TattooState.UNREADABLE
    assert read.differences == (f"Azure did not read the tattoo in {VM}: {NOT_RUNNING}",)
    assert world.delivered.count("read_tattoo") == 1
    world.guest_tattoos.off.clear()
    world.now += timedelta(days=7)
    later = await track(world)
    assert later
    assert later.state is TattooState.MATCH
    assert announced(world) == []


@pytest.mark.parametrize("call", ["start", "result", "remove", "machine_configuration"])
async def test_a_missing_right_is_a_reason_and_no_parked_message(call: str) -> None:
    world = await world_with()
    world.guest_tattoos.fail_next(call, NotReadyError("give the identity the right"))

    read = await track(world)

    assert read
    assert (read.state, read.differences) == (
        TattooState.UNREADABLE, ("give the identity the right",),
    )  # fmt: skip


async def test_a_guest_that_never_answers_is_given_up_and_its_command_removed() -> None:
    world = await world_with()
    world.guest_tattoos.command_looks = None

    read = await track(world)

    assert read
    assert read.state is TattooState.UNREADABLE
    assert "no VM agent" in read.differences[0]
    assert world.delivered.count("read_tattoo") == 7
    assert world.guest_tattoos.commands == {}


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (RunCommandStatus(finished=True, timed_out=True), "the script did not end in its time"),
        (
            RunCommandStatus(finished=True, failure="the agent said no"),
            "Azure could not run the script: the agent said no",
        ),
    ],
)
async def test_a_command_azure_could_not_run_is_unreadable(
    status: RunCommandStatus, why: str
) -> None:
    world = await world_with()
    world.guest_tattoos.answers[VM] = status

    read = await track(world)

    assert read
    assert (read.state, read.differences) == (TattooState.UNREADABLE, (why,))


async def test_a_machine_without_a_known_system_is_unreadable() -> None:
    read = await track(await world_with(facts=machine(os="")))

    assert read
    assert read.differences == ("Azure does not say which operating system the VM has",)


@pytest.mark.parametrize("made_at", [NOON, NOON + timedelta(milliseconds=900)])
async def test_a_fresh_report_of_machine_configuration_spares_the_run_command(
    made_at: datetime,
) -> None:
    world = await world_with(facts=machine(created_at=made_at))  # reports tell whole seconds
    phrase = "; ".join(f"{k}={v}" for k, v in FACTS.items())
    world.guest_tattoos.reports[VM] = ConfigurationReport(
        checked_at=NOON, reasons=(("AssayTattoo:AssayTattoo:Tattoo", phrase),)
    )

    read = await track(world)

    assert read
    assert (read.state, read.by, read.read_at) == (
        TattooState.MATCH, "machine-configuration", NOON,
    )  # fmt: skip
    assert world.guest_tattoos.started == []


@pytest.mark.parametrize(
    "report",
    [
        ConfigurationReport(
            checked_at=NOON - timedelta(minutes=1),  # of the image before
            reasons=(("AssayTattoo:AssayTattoo:Absent", "no tattoo"),),
        ),
        ConfigurationReport(checked_at=NOON, reasons=()),
    ],
)
async def test_a_report_that_is_old_or_has_no_facts_is_not_relied_on(
    report: ConfigurationReport,
) -> None:
    world = await world_with()
    world.guest_tattoos.reports[VM] = report

    read = await track(world)

    assert read
    assert (read.state, read.by) == (TattooState.MATCH, "run-command")


async def test_instances_of_a_uniform_scale_set_are_read_by_run_command_alone() -> None:
    facts = replace(
        instance_facts("api", 0, image_id=IMAGE, version="1.1.0"), tags=OPTED_IN, created_at=NOON
    )
    world = await world_with(facts=facts)

    read = await track(world, facts.resource_id)

    assert facts.machine is Machine.UNIFORM
    assert read
    assert read.state is TattooState.MATCH
    assert world.guest_tattoos.asked == []


async def test_a_new_image_is_read_anew_and_no_result_of_the_old_one_counts() -> None:
    world = await world_with()
    world.stop_at = NOON
    await track(world)  # the command is started
    world.now += timedelta(seconds=30)
    world.fleet.put(machine("1.0.0"))
    world.guest_tattoos.put(VM, None)
    world.stop_at = None

    read = await track(world)

    assert read
    assert (read.version, read.state) == ("1.0.0", TattooState.ABSENT)
    assert world.guest_tattoos.commands == {}
    assert world.guest_tattoos.started == [VM, VM]


async def test_a_command_somebody_left_behind_long_ago_is_removed_and_not_believed() -> None:
    world = await world_with(facts=machine(created_at=NOON - timedelta(days=30)))
    tattoos = world.guest_tattoos
    await tattoos.start(VM, os=OperatingSystem.LINUX, region="w", now=NOON - timedelta(hours=3))

    read = await track(world)

    assert read
    assert read.state is TattooState.MATCH
    assert tattoos.started == [VM, VM]
    assert tattoos.commands == {}


async def test_whoever_opts_out_on_the_way_is_left_with_nothing() -> None:
    world = await world_with()
    world.stop_at = NOON
    await track(world)
    assert world.guest_tattoos.commands
    world.fleet.put(machine(tags={"team": "web"}))
    world.stop_at = None

    assert await track(world) is None
    assert world.guest_tattoos.commands == {}


async def test_a_vm_that_goes_on_the_way_is_not_read() -> None:
    world = await world_with()
    world.stop_at = NOON
    await track(world)
    world.stop_at = None
    world.fleet.remove(VM)
    del world.guest_tattoos.guests[VM]
    world.guest_tattoos.commands.clear()

    assert await track(world) is None


async def test_a_late_look_finds_the_reading_done() -> None:
    world = await world_with()
    await track(world)

    world.send(ReadTattoo(vm_key=vm_key(VM), started_at=NOON))
    await world.drain()

    assert world.guest_tattoos.started == [VM]


async def test_a_command_that_was_started_while_another_delivery_ended_is_removed() -> None:
    world = await world_with()
    await track(world)
    await world.guest_tattoos.start(VM, os=OperatingSystem.LINUX, region="w", now=world.now)

    world.send(ReadTattoo(vm_key=vm_key(VM), started_at=NOON, looks=1))
    await world.drain()

    assert world.guest_tattoos.commands == {}


async def test_two_readings_at_once_share_one_command() -> None:
    world = await world_with()
    for second in range(2):
        world.send(TrackVm(resource_id=VM, because=f"event {second}"))
    await world.drain()

    assert world.guest_tattoos.started == [VM]
    assert world.guest_tattoos.commands == {}


async def test_azure_that_throttles_is_asked_again_later() -> None:
    world = await world_with()
    world.guest_tattoos.fail_next("start", ThrottledError("slow down"), times=3)

    read = await track(world)

    assert read
    assert read.state is TattooState.MATCH


# --- at least once --------------------------------------------------------------------------------


async def play(**more: Any) -> tuple[Any, ...]:
    """A VM whose guest was changed is read; what the register says, and what the world was told."""
    world = await world_with(render({**FACTS, "version": "9.9.9"}), **more)
    read = await track(world)
    assert read
    assert world.guest_tattoos.commands == {}
    assert (await world.records.parked.list()).items == ()
    return (
        read.state,
        read.differences,
        await history(world),
        len({a.event_id for a in announced(world)}),
    )


async def test_every_message_delivered_twice_ends_the_same() -> None:
    assert await play(twice=True) == await play()


async def calls_of_the_flow() -> int:
    crashes = Crashes()
    await play(crashes=crashes)
    return crashes.calls


async def test_a_process_killed_at_any_call_ends_the_same() -> None:
    expected = await play()
    for at in range(1, await calls_of_the_flow() + 1):
        assert await play(crashes=Crashes(at=at)) == expected, at
