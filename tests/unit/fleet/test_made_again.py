"""A VM deleted and made again under its id within minutes, so that nobody saw it gone."""

from dataclasses import replace
from datetime import timedelta

from shared.domain.identifiers import vm_key
from shared.domain.vm_record import Attestation, TattooReading, TattooState
from tests.fakes.fleet import vm_facts
from tests.unit.fleet.register import IMAGE_ID, NOON, Register


async def test_it_runs_its_image_since_it_was_made_again(register: Register) -> None:
    await register.release("1.1.0")
    vm = register.runs("1.1.0", created_at=NOON)
    await register.track(vm)
    register.wait(days=60)
    register.runs("1.1.0", created_at=register.now)

    await register.track(vm)

    record = await register.record(vm)
    assert (record.first_seen_at, record.runs_since) == (NOON, NOON + timedelta(days=60))


async def test_an_attached_disk_is_read_again_whatever_its_name(register: Register) -> None:
    await register.release("1.1.0")
    before = vm_facts(image_id=IMAGE_ID, version="1.1.0", created_at=NOON)
    attached = replace(before.boot, reference="")
    vm = register.fleet.put(replace(before, boot=attached))
    await register.track(vm)
    register.wait(hours=1)
    after = vm_facts(image_id="another:image:sku", version="1.0.0", created_at=register.now)
    register.fleet.put(replace(after, boot=attached))

    await register.track(vm)

    assert (await register.record(vm)).image.image_id == "another:image:sku"


async def test_what_was_said_and_read_of_the_machine_before_is_forgotten(
    register: Register,
) -> None:
    await register.release("1.1.0")
    vm = register.runs("1.1.0", created_at=NOON)
    await register.track(vm)
    stored = await register.vms.get(vm_key(vm))
    said = replace(
        await register.record(vm),
        tattoo=TattooReading(state=TattooState.MATCH, read_at=NOON, by="run-command"),
        attestation=Attestation(state="Compliant", said_at=NOON, expires_at=NOON, about="a"),
    )
    await register.vms.save(stored, replace(stored.value, record=said))
    register.wait(hours=1)
    await register.track(vm)
    assert await register.record(vm) == said

    register.runs("1.1.0", created_at=register.now)
    await register.track(vm)

    record = await register.record(vm)
    assert (record.tattoo, record.attestation) == (None, None)


async def test_two_services_that_differ_by_a_moment_tell_of_one_machine(
    register: Register,
) -> None:
    await register.release("1.1.0")
    vm = register.runs("1.1.0", created_at=NOON)
    await register.track(vm)
    register.runs("1.1.0", created_at=NOON + timedelta(milliseconds=999))

    await register.track(vm)

    assert (await register.record(vm)).runs_since == NOON
