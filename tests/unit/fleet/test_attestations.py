"""Verdicts attested: every message once, twice, and killed at every call of a port."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from shared.domain.attestation import AttestationRules
from shared.domain.history import Transition
from shared.domain.identifiers import vm_key
from shared.domain.image_version import VersionState
from shared.domain.vm_record import Attestation, VmRecord
from shared.errors import AssignmentError, NotReadyError, ThrottledError, UnavailableError
from shared.messages import AttestVm, JudgeImageUsers, JudgeVm, RecordPolicyState, TrackVm
from tests.fakes.fleet import COMPUTE, GROUP, instance_facts, vm_facts
from tests.fakes.gallery import GALLERY
from tests.fakes.versions import put_version
from tests.fakes.world import NOON, Crashes, World

NAME = "ubuntu-22-04"
IMAGE_ID = f"{GALLERY}/images/{NAME}"
VM = f"{COMPUTE}/virtualmachines/vm-1"
ASSIGNMENT = f"{GROUP}/providers/Microsoft.Authorization/policyAssignments/golden"
RULES = AttestationRules(assignment_id=ASSIGNMENT, public_url="https://assay.test")
DAY = timedelta(days=1)


def a_world(**changes: Any) -> World:
    world = World(**{"attestation_rules": RULES, **changes})
    world.attestations.evaluated.add(VM)
    return world


async def release(world: World, version: str, state: VersionState = VersionState.RELEASED) -> None:
    """Write *version* into the register, in place of what is there."""
    await put_version(
        world.records.image_versions,
        version,
        image_id=IMAGE_ID,
        now=world.now,
        state=state,
        published_at=world.now,
    )


async def judge_users(world: World, because: str) -> None:
    world.send(JudgeImageUsers(image_id=IMAGE_ID, because=because))
    await world.drain()


async def track(world: World, resource_id: str = VM) -> None:
    world.send(TrackVm(resource_id=resource_id))
    await world.drain()


async def a_current_vm(world: World) -> None:
    await release(world, "1.1.0")
    world.fleet.put(vm_facts("vm-1", image_id=IMAGE_ID, version="1.1.0"))
    await track(world)


async def evaluated(world: World, state: str, *, at: datetime | None = None) -> None:
    """Let Azure Policy say of the VM what it holds under our assignment."""
    world.send(
        RecordPolicyState(
            resource_id=VM,
            assignment_id=ASSIGNMENT.lower(),
            definition_id="/d",
            reference_id="",
            state=state,
            timestamp=at or world.now,
        )
    )
    await world.drain()


async def record(world: World) -> VmRecord:
    found = (await world.records.vms.get(vm_key(VM))).value.record
    assert found is not None
    return found


async def attestation(world: World) -> Attestation:
    found = (await record(world)).attestation
    assert found is not None
    return found


def states(world: World) -> list[str]:
    """Return what Azure Policy was told, in order."""
    return [statement.state for _, statement in world.attestations.asked]


async def test_a_vm_that_is_current_when_first_seen_is_attested() -> None:
    world = a_world()

    await a_current_vm(world)

    held = world.attestations.held[VM]
    assert (held.state, held.expires_at) == ("Compliant", NOON + 180 * DAY)
    assert await attestation(world) == Attestation(
        state="Compliant", said_at=NOON, expires_at=NOON + 180 * DAY, about=held.about
    )


async def test_an_attestation_is_no_line_of_history_and_no_look_at_the_vm() -> None:
    world = a_world()
    await a_current_vm(world)
    before = await record(world)
    world.now += 150 * DAY

    await track(world)

    after = await record(world)
    assert after.attestation != before.attestation
    assert replace(after, attestation=before.attestation) == before
    assert [line.what for line in await history(world)] == ["first-seen", "verdict"]


async def history(world: World) -> list[Transition]:
    return [line.transition for line in await world.records.vms.lines(vm_key(VM))]


async def test_the_same_is_not_said_twice() -> None:
    world = a_world()
    await a_current_vm(world)

    await track(world)
    await judge_users(world, "nothing")

    assert states(world) == ["Compliant"]


async def test_a_vm_is_attested_again_when_its_verdict_changes() -> None:
    world = a_world()
    await a_current_vm(world)

    await release(world, "1.2.0")
    await judge_users(world, "version 1.2.0 was published")
    aged = world.attestations.held[VM]
    await release(world, "1.1.0", VersionState.REVOKED)
    await judge_users(world, "version 1.1.0 was revoked")

    assert states(world) == ["Compliant", "Compliant", "NonCompliant"]
    assert aged.expires_at == NOON + 30 * DAY
    assert "revoked" in world.attestations.held[VM].comments


async def test_the_end_of_the_grace_is_said_when_the_attestation_has_lapsed() -> None:
    world = a_world()
    await a_current_vm(world)
    await release(world, "1.2.0")
    await judge_users(world, "version 1.2.0 was published")
    world.now = NOON + 30 * DAY + timedelta(minutes=1)

    await evaluated(world, "unknown")

    assert states(world) == ["Compliant", "Compliant", "NonCompliant"]


async def test_nothing_is_asked_of_azure_while_it_is_switched_off() -> None:
    world = a_world(attestation_rules=AttestationRules())

    await a_current_vm(world)
    world.send(AttestVm(vm_keys=(vm_key(VM),)))
    await world.drain()

    assert world.attestations.asked == []
    assert (await record(world)).attestation is None
    assert "attest_vm" not in [c.kind for c in world.outbox.commands]


async def test_neither_unknown_nor_deleted_vms_nor_models_are_attested() -> None:
    world = a_world()
    await a_current_vm(world)
    facts = instance_facts("api", 0, image_id=IMAGE_ID, version="1.1.0")
    world.attestations.evaluated.add(world.fleet.put(facts))
    await track(world, facts.scale_set_id)
    world.fleet.remove(VM)
    await track(world)
    model = vm_key(facts.scale_set_id)

    world.send(AttestVm(vm_keys=(vm_key(VM), "nobody.knows", model)))
    await world.drain()

    assert [machine for machine, _ in world.attestations.asked] == [VM, facts.resource_id]


async def test_a_vm_that_is_not_evaluated_yet_is_attested_when_it_is() -> None:
    world = a_world()
    world.attestations.evaluated.clear()
    await a_current_vm(world)
    await track(world)
    waiting = await attestation(world)
    world.attestations.evaluated.add(VM)
    world.now += timedelta(minutes=15)

    await evaluated(world, "unknown")

    assert waiting.state == "Unknown"
    assert states(world) == ["Compliant", "Compliant"]
    assert world.attestations.held[VM].state == "Compliant"


async def test_our_own_word_does_not_count_as_a_policy_state() -> None:
    world = a_world()
    await a_current_vm(world)
    world.now += timedelta(minutes=1)

    await evaluated(world, "compliant")

    entry = (await world.records.vms.get(vm_key(VM))).value
    assert entry.policy_states == ()
    assert (await record(world)).policy == ""
    assert states(world) == ["Compliant"]


async def test_the_state_of_another_assignment_counts_as_ever() -> None:
    world = a_world(attestation_rules=replace(RULES, assignment_id=f"{ASSIGNMENT}-2"))
    await a_current_vm(world)

    await evaluated(world, "noncompliant")

    assert (await record(world)).policy == "noncompliant"


async def test_an_attestation_somebody_deleted_is_made_again() -> None:
    world = a_world()
    await a_current_vm(world)
    world.now += timedelta(hours=1)

    await evaluated(world, "unknown")

    assert states(world) == ["Compliant", "Compliant"]
    assert (await attestation(world)).said_at == world.now


async def test_an_evaluation_from_before_the_attestation_says_nothing() -> None:
    world = a_world()
    await a_current_vm(world)
    world.now += timedelta(hours=1)

    await evaluated(world, "unknown", at=NOON - timedelta(minutes=1))

    assert states(world) == ["Compliant"]


async def test_a_vm_that_is_gone_ends_it_quietly() -> None:
    world = a_world()
    world.attestations.gone.add(VM)

    await a_current_vm(world)

    assert (await record(world)).attestation is None
    assert await parked(world) == []


async def parked(world: World) -> list[str]:
    return [m.reason for m in (await world.records.parked.list()).items]


async def a_fleet(world: World, *, size: int) -> None:
    """Let *size* current VMs be seen, each in a message of its own."""
    await release(world, "1.1.0")
    for number in range(size):
        vm = world.fleet.put(vm_facts(f"vm-{number}", image_id=IMAGE_ID, version="1.1.0"))
        world.attestations.evaluated.add(vm)
        world.send(TrackVm(resource_id=vm))
    await world.drain()


async def test_one_message_is_parked_for_a_wrong_assignment_not_one_per_vm() -> None:
    world = a_world()
    wrong = AssignmentError("no such assignment; correct ASSAY_ATTESTATION_ASSIGNMENT")
    world.attestations.fail_next("put", wrong, times=100)

    await a_fleet(world, size=20)

    [reason] = await parked(world)
    assert "ASSAY_ATTESTATION_ASSIGNMENT" in reason
    assert len(world.attestations.asked) == 1


async def test_one_message_is_parked_for_a_missing_right_after_time_to_take_effect() -> None:
    world = a_world()
    world.attestations.fail_next("put", NotReadyError("no right to attest"), times=100)

    await a_fleet(world, size=20)

    [reason] = await parked(world)
    assert reason.startswith("no right to attest")
    assert NOON + timedelta(minutes=10) <= world.now < NOON + timedelta(minutes=20)
    assert len(world.attestations.asked) < 6


async def test_a_right_that_comes_in_time_parks_nothing() -> None:
    world = a_world()
    world.attestations.fail_next("put", NotReadyError("no right to attest"))

    await a_fleet(world, size=20)

    assert await parked(world) == []
    assert len(world.attestations.held) == 20


async def test_azure_is_left_alone_for_as_long_as_it_asks() -> None:
    world = a_world()
    throttled = ThrottledError("too many writes", after=timedelta(minutes=7))
    world.attestations.fail_next("put", throttled)

    await a_fleet(world, size=20)

    assert len(world.attestations.asked) == 21
    assert len(world.attestations.held) == 20
    assert world.now >= NOON + timedelta(minutes=7)


async def test_a_page_of_verdicts_is_attested_by_one_message() -> None:
    world = a_world()
    await a_fleet(world, size=20)
    await release(world, "1.1.0", VersionState.REVOKED)
    already = len(world.outbox.sent)

    await judge_users(world, "version 1.1.0 was revoked")

    sent = [c for c in world.outbox.commands[already:] if isinstance(c, JudgeVm | AttestVm)]
    assert [len(c.vm_keys) for c in sent] == [20, 20]
    assert {s.state for s in world.attestations.held.values()} == {"NonCompliant"}


async def test_a_machine_that_fails_does_not_keep_the_others_of_its_page_waiting() -> None:
    world = a_world()
    await a_fleet(world, size=20)
    await release(world, "1.1.0", VersionState.REVOKED)
    world.attestations.fail_next("put", UnavailableError("Azure is busy"))
    world.stop_at = world.now

    await judge_users(world, "version 1.1.0 was revoked")

    told = [s for s in world.attestations.held.values() if s.state == "NonCompliant"]
    assert len(told) == 19


# --- twice, and killed ----------------------------------------------------------------------------


async def play(world: World) -> tuple[str, str, str, list[str]]:
    """A VM comes, is evaluated, ages, and is revoked; return how it ends."""
    world.attestations.evaluated.clear()
    await a_current_vm(world)
    await track(world, world.fleet.put(vm_facts("vm-2", image_id=IMAGE_ID, version="1.1.0")))
    world.attestations.evaluated |= world.fleet.vms.keys()
    world.now += timedelta(minutes=15)
    await evaluated(world, "unknown")
    await release(world, "1.2.0")
    await judge_users(world, "version 1.2.0 was published")
    await release(world, "1.1.0", VersionState.REVOKED)
    await judge_users(world, "version 1.1.0 was revoked")
    assert len({s.state for s in world.attestations.held.values()}) == 1
    held, kept = world.attestations.held[VM], await attestation(world)
    lines = [f"{line.what} {line.new}" for line in await history(world) if line.what == "verdict"]
    assert (held.about, held.state) == (kept.about, kept.state)
    return held.name, held.state, held.comments, lines


async def test_delivered_twice_it_ends_the_same() -> None:
    once, twice = a_world(), a_world(twice=True)

    assert await play(once) == await play(twice)
    assert states(once) == states(twice)


async def test_killed_at_any_call_it_ends_the_same() -> None:
    counting = Crashes()
    as_it_should = await play(a_world(crashes=counting))

    for at in range(1, counting.calls + 1):
        assert await play(a_world(crashes=Crashes(at=at))) == as_it_should, at
