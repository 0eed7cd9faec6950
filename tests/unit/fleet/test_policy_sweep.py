"""The policy sweep as a whole, over fakes: lost events recovered, once, twice, and killed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.attestation import AttestationRules
from shared.domain.history import Transition
from shared.domain.identifiers import vm_key
from shared.domain.policy_recovery import Found
from shared.domain.policy_sweep import PolicySweep
from shared.domain.subscription import Subscription
from shared.domain.vm_record import PolicyState, VmRecord
from shared.errors import ConflictError, NotReadyError, ThrottledError
from shared.messages import RecordPolicyState, SweepPolicy, SweepPolicyStates, TrackVm
from shared.ports import Stored, VmEntry
from tests.fakes.fleet import COMPUTE, SUBSCRIPTION, vm_facts
from tests.fakes.world import NOON, World

OTHER = "00000000-0000-0000-0000-00000000000b"
ASSIGNMENT = "/providers/microsoft.authorization/policyassignments"
DEFINITION = "/providers/microsoft.authorization/policydefinitions/d"


def vm(name: str) -> str:
    return f"{COMPUTE}/virtualmachines/{name}"


def state(
    says: str, *, assignment: str = "a", hours: float = 0, about: str = "", reason: str = ""
) -> PolicyState:
    """Return what Azure Policy evaluated *hours* after noon."""
    return PolicyState(
        assignment_id=f"{ASSIGNMENT}/{assignment}",
        definition_id=DEFINITION,
        reference_id="",
        state=says,
        timestamp=NOON + timedelta(hours=hours),
        about=about,
        reason_code=reason,
    )


async def new_world(*names: str, **changes: Any) -> World:
    """Return a world whose register knows VMs, all in one readable subscription."""
    world = World(**changes)
    await world.records.subscriptions.save(Stored(Subscription(subscription_id=SUBSCRIPTION)))
    for name in names:
        world.fleet.put(vm_facts(name))
        world.send(TrackVm(resource_id=vm(name)))
    await world.drain()
    world.delivered.clear()
    return world


async def event(world: World, name: str, word: PolicyState, *, lost: bool = False) -> None:
    """Let Azure Policy say *word*, and tell of it unless the event is *lost*."""
    world.now = max(world.now, word.timestamp)
    world.policy_states.says(vm(name), word)
    if lost:
        return
    world.send(
        RecordPolicyState(
            resource_id=vm(name),
            assignment_id=word.assignment_id,
            definition_id=word.definition_id,
            reference_id=word.reference_id,
            state=word.state,
            timestamp=word.timestamp,
            about=word.about,
            reason_code=word.reason_code,
        )
    )
    await world.drain()


async def sweep(world: World, *, hours: float = 1) -> PolicySweep:
    """Let time pass, sweep, and return what the sweep through our subscription found."""
    world.now += timedelta(hours=hours)
    began = world.now
    world.send(SweepPolicy(began_at=began))
    await world.drain()
    return await swept(world, began)


async def swept(world: World, began: datetime, subscription: str = SUBSCRIPTION) -> PolicySweep:
    stored = await world.records.policy_sweeps.get(began, subscription)
    assert stored
    return stored.value


async def entry(world: World, name: str) -> VmEntry:
    return (await world.records.vms.get(vm_key(vm(name)))).value


async def record(world: World, name: str) -> VmRecord:
    found = (await entry(world, name)).record
    assert found
    return found


async def history(world: World, name: str) -> list[Transition]:
    return [line.transition for line in await world.records.vms.lines(vm_key(vm(name)))]


async def held(world: World, name: str) -> Mapping[tuple[str, str], str]:
    """Return the living states by the names of assignment and guest configuration."""
    states = (await entry(world, name)).policy_states
    living = (s for s in states if not s.deleted)
    return {(s.assignment_id.rpartition("/")[2], s.about): s.state for s in living}


@pytest.mark.parametrize("twice", [False, True])
async def test_what_lost_events_would_have_told_is_recovered(twice: bool) -> None:
    world = await new_world("vm-1", "vm-2", "vm-3", "vm-4", twice=twice)
    await event(world, "vm-1", state("compliant"))
    await event(world, "vm-2", state("compliant"))
    await event(world, "vm-3", state("compliant"))
    await event(world, "vm-2", state("noncompliant", hours=0.5), lost=True)
    await event(world, "vm-4", state("exempt", hours=0.5, reason="exempt-waiver"), lost=True)
    await event(world, "vm-4", state("compliant", about="gc", hours=0.5), lost=True)
    world.policy_states.withdraws(vm("vm-3"), state("compliant"))

    done = await sweep(world)

    rolled_up = [(await record(world, f"vm-{n}")).policy for n in (1, 2, 3, 4)]
    assert rolled_up == ["compliant", "noncompliant", "", "compliant"]
    assert await held(world, "vm-4") == {("a", ""): "exempt", ("a", "gc"): "compliant"}
    assert done.found == Found(states=4, new=2, changed=1, removed=1)
    assert done.found.missed == 4
    assert (done.ended_at is not None, done.problem) == (True, "")
    lines = await history(world, "vm-2")
    assert (lines[-1].new, lines[-1].because) == ("noncompliant", "policy sweep")
    subscription = await world.records.subscriptions.get(SUBSCRIPTION)
    assert subscription
    assert subscription.value.policy_swept_at == done.began_at
    assert (await world.records.parked.list()).items == ()


async def test_a_sweep_that_finds_nothing_new_writes_no_vm() -> None:
    world = await new_world("vm-1", "vm-2")
    await event(world, "vm-1", state("compliant"))
    await event(world, "vm-2", state("noncompliant"))
    before = [await world.records.vms.get(vm_key(vm(f"vm-{n}"))) for n in (1, 2)]
    world.policy_states.says(vm("vm-1"), state("compliant", hours=20))

    done = await sweep(world, hours=21)

    after = [await world.records.vms.get(vm_key(vm(f"vm-{n}"))) for n in (1, 2)]
    assert before == after
    assert done.found == Found(states=2)
    assert world.policy_states.asked == []


async def test_the_time_of_an_evaluation_is_taken_once_ours_is_half_as_old_as_stale() -> None:
    world = await new_world("vm-1")
    await event(world, "vm-1", state("compliant"))
    world.policy_states.says(vm("vm-1"), state("compliant", hours=24.5))

    done = await sweep(world, hours=25)

    assert (await record(world, "vm-1")).policy_as_of == NOON + timedelta(hours=24.5)
    assert done.found == Found(states=1, refreshed=1)
    assert done.found.missed == 0
    lines = await history(world, "vm-1")
    assert [line.what for line in lines if line.because == "policy sweep"] == []


async def test_a_state_that_is_listed_older_than_we_hold_it_changes_nothing() -> None:
    world = await new_world("vm-1")
    await event(world, "vm-1", state("noncompliant", hours=1))
    world.policy_states.says(vm("vm-1"), state("compliant"))

    done = await sweep(world, hours=2)

    assert await held(world, "vm-1") == {("a", ""): "noncompliant"}
    assert done.found == Found(states=1)


async def test_a_vm_whose_states_stand_on_two_pages_loses_none() -> None:
    world = await new_world("vm-1", "vm-1-b", "vm-2")
    for name in ("vm-1", "vm-1-b", "vm-2"):
        for assignment in ("a", "b"):
            await event(world, name, state("compliant", assignment=assignment))
        await event(world, name, state("compliant", about="gc"))

    done = await sweep(world)

    for name in ("vm-1", "vm-1-b", "vm-2"):
        assert len(await held(world, name)) == 3
    assert done.found == Found(states=9)
    assert "/guestconfigurationassignments/gc" in "".join(world.policy_states.asked)


async def test_a_removed_state_leaves_a_tombstone_that_late_words_do_not_lift() -> None:
    world = await new_world("vm-1")
    await event(world, "vm-1", state("noncompliant", hours=1))
    world.policy_states.withdraws(vm("vm-1"), state("noncompliant"))
    await sweep(world, hours=3)

    await event(world, "vm-1", state("compliant", hours=0.5))
    assert (await record(world, "vm-1")).policy == ""
    await event(world, "vm-1", state("compliant", hours=2))

    assert (await record(world, "vm-1")).policy == "compliant"


async def test_vms_azure_says_nothing_of_are_asked_for_alone_and_only_those() -> None:
    world = await new_world("a", "m", "z", "silent", "gone")
    for name in ("a", "m", "z", "gone"):
        await event(world, name, state("noncompliant"))
        world.policy_states.withdraws(vm(name), state("noncompliant"))
    world.fleet.remove(vm("gone"))
    world.send(TrackVm(resource_id=vm("gone")))
    await world.drain()

    done = await sweep(world)

    assert world.policy_states.asked == [vm("a"), vm("m"), vm("z")]
    assert done.found == Found(removed=3)
    assert (await record(world, "gone")).policy == "noncompliant"


async def test_a_state_that_appears_while_the_page_is_read_is_not_taken_for_gone() -> None:
    world = await new_world("vm-1")
    await event(world, "vm-1", state("compliant"))
    hidden = world.policy_states.said.pop((vm("vm-1"), state("compliant").key))
    world.policy_states.alone[vm("vm-1")] = hidden

    done = await sweep(world)

    assert await held(world, "vm-1") == {("a", ""): "compliant"}
    assert done.found == Found()


async def test_states_of_a_vm_the_register_does_not_know_wait_for_it() -> None:
    world = await new_world()
    await event(world, "new", state("noncompliant"), lost=True)
    done = await sweep(world)
    assert done.found == Found(states=1, new=1)
    assert (await entry(world, "new")).record is None

    world.fleet.put(vm_facts("new"))
    world.send(TrackVm(resource_id=vm("new")))
    await world.drain()

    assert (await record(world, "new")).policy == "noncompliant"


async def test_a_subscription_we_may_not_read_ends_with_the_reason_and_stops_no_other() -> None:
    world = await new_world("vm-1")
    await world.records.subscriptions.save(Stored(Subscription(subscription_id=OTHER)))
    await event(world, "vm-1", state("noncompliant"), lost=True)
    world.policy_states.fail_next("page", NotReadyError("Azure said 403"))

    refused = await sweep(world)

    other = await swept(world, refused.began_at, OTHER)
    assert (refused.problem, other.problem) == ("Azure said 403", "")
    assert refused.ended_at is not None
    subscription = await world.records.subscriptions.get(SUBSCRIPTION)
    assert subscription
    assert subscription.value.policy_swept_at is None
    assert subscription.value.policy_problem == "Azure said 403"
    assert (await sweep(world)).problem == ""
    subscription = await world.records.subscriptions.get(SUBSCRIPTION)
    assert subscription
    assert subscription.value.policy_problem == ""
    assert await held(world, "vm-1") == {("a", ""): "noncompliant"}
    assert (await world.records.parked.list()).items == ()


async def test_a_subscription_known_to_be_unreadable_is_not_asked_for() -> None:
    world = await new_world()
    await world.records.subscriptions.save(
        Stored(Subscription(subscription_id=OTHER).troubled("no right", now=NOON))
    )
    done = await sweep(world)
    assert await world.records.policy_sweeps.get(done.began_at, OTHER) is None


async def test_throttling_puts_the_page_off() -> None:
    world = await new_world("vm-1")
    await event(world, "vm-1", state("noncompliant"), lost=True)
    world.policy_states.fail_next(
        "page", ThrottledError("429", after=timedelta(minutes=17)), times=2
    )

    done = await sweep(world)

    assert done.ended_at
    assert done.ended_at - done.began_at >= timedelta(minutes=34)
    assert done.found == Found(states=1, new=1)


async def test_a_place_in_the_list_that_azure_forgot_is_found_again_from_the_start() -> None:
    world = await new_world(*(f"vm-{n}" for n in range(8)))
    for n in range(8):
        await event(world, f"vm-{n}", state("compliant"), lost=True)
    world.policy_states.forgets_tokens = 2

    done = await sweep(world)

    assert (done.restarts, done.problem) == (2, "")
    assert done.found == Found(states=8, new=8)
    assert [len(await held(world, f"vm-{n}")) for n in range(8)] == [1] * 8


async def test_a_list_that_is_always_forgotten_is_given_up_until_the_next_sweep() -> None:
    world = await new_world()
    for n in range(8):
        await event(world, f"vm-{n}", state("compliant"), lost=True)
    world.policy_states.forgets_tokens = 99

    done = await sweep(world)

    assert done.problem.startswith("Azure forgot the place in its list 4 times")
    assert done.ended_at
    subscription = await world.records.subscriptions.get(SUBSCRIPTION)
    assert subscription
    assert subscription.value.policy_swept_at is None


async def test_a_vm_that_others_change_meanwhile_is_compared_anew() -> None:
    world = await new_world("vm-1")
    await event(world, "vm-1", state("noncompliant"), lost=True)
    save, races = world.records.vms.save, 2

    async def raced(old: Stored[VmEntry], new: VmEntry, transitions: Any = ()) -> None:
        nonlocal races
        if races:
            races -= 1
            now = await world.records.vms.get(old.value.key)
            labels = {"seen": str(races)}
            assert now.value.record
            other = replace(now.value, record=replace(now.value.record, labels=labels))
            await save(now, other)
            raise ConflictError("changed")
        await save(old, new, transitions)

    world.records.vms.save = raced  # type: ignore[method-assign]

    done = await sweep(world)

    mended = await record(world, "vm-1")
    assert (mended.policy, mended.labels) == ("noncompliant", {"seen": "0"})
    assert done.found == Found(states=1, new=1)


async def test_more_vms_than_one_message_takes_are_all_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.fleet.policy_piece.CHUNK", 2)
    monkeypatch.setattr("shared.fleet.policy_piece.READ", 3)
    names = [f"vm-{n}" for n in range(9)]
    world = await new_world(*names)
    world.policy_states.page_size = 5
    for name in names:
        await event(world, name, state("compliant"))
    for name in names[::2]:
        world.policy_states.withdraws(vm(name), state("compliant"))
    await event(world, "vm-1", state("noncompliant", hours=0.5), lost=True)

    done = await sweep(world)

    assert [(await record(world, name)).policy for name in names] == [
        "", "noncompliant", "", "compliant", "", "compliant", "", "compliant", "",
    ]  # fmt: skip
    assert done.found.missed == 6
    assert world.delivered.count("sweep_policy_states") >= 5


async def test_repeats_do_not_multiply() -> None:
    counts = []
    for twice in (False, True):
        world = await new_world(twice=twice)
        for n in range(30):
            await event(world, f"vm-{n:02}", state("compliant"), lost=True)
        done = await sweep(world)
        counts.append(len(world.delivered))
        assert done.found == Found(states=30, new=30)
    assert counts[1] <= 6 * counts[0]


async def troubled_world(**changes: Any) -> World:
    """Return a world with a difference of every kind, on three pages."""
    world = await new_world("vm-1", "vm-2", "vm-3", "vm-4")
    for n in (1, 2, 3):
        await event(world, f"vm-{n}", state("compliant"))
    await event(world, "vm-1", state("noncompliant", hours=0.5), lost=True)
    world.policy_states.withdraws(vm("vm-2"), state("compliant"))
    for assignment in "bcdef":
        await event(world, "vm-4", state("compliant", assignment=assignment), lost=True)
    world.delivered.clear()
    world.crashes.calls = 0
    for name, value in changes.items():
        setattr(world, name, value)
    return world


async def test_the_sweep_may_die_at_any_call_and_counts_once() -> None:
    world = await troubled_world()
    await sweep(world)
    calls = world.crashes.calls
    assert calls > 40

    for at in range(1, calls + 1):
        world = await troubled_world()
        world.crashes.at = at
        world.crashes.calls = 0
        done = await sweep(world)

        rolled_up = [(await record(world, f"vm-{n}")).policy for n in (1, 2, 3, 4)]
        assert rolled_up == ["noncompliant", "", "compliant", "compliant"], at
        assert done.ended_at, at
        assert done.found == Found(states=7, new=5, changed=1, removed=1), at
        subscription = await world.records.subscriptions.get(SUBSCRIPTION)
        assert subscription
        assert subscription.value.policy_swept_at == done.began_at, at


async def test_a_repeat_of_an_old_turn_is_dropped() -> None:
    world = await new_world()
    for n in range(9):
        await event(world, f"vm-{n}", state("compliant"), lost=True)
    done = await sweep(world)
    world.delivered.clear()

    for turn in range(done.turn + 2):
        world.send(
            SweepPolicyStates(subscription_id=SUBSCRIPTION, began_at=done.began_at, turn=turn)
        )
    world.send(SweepPolicyStates(subscription_id=OTHER, began_at=done.began_at, turn=4))
    await world.drain()

    assert world.delivered == ["sweep_policy_states"] * (done.turn + 3)
    assert await swept(world, done.began_at) == done


async def test_what_sweeps_found_is_forgotten_after_ninety_days() -> None:
    world = await new_world()
    old = await sweep(world)
    await sweep(world, hours=24 * 89)
    assert await world.records.policy_sweeps.get(old.began_at, SUBSCRIPTION)
    await sweep(world, hours=24 * 2)
    assert await world.records.policy_sweeps.get(old.began_at, SUBSCRIPTION) is None


async def test_a_thousand_subscriptions_are_begun_a_page_at_a_time() -> None:
    world = await new_world()
    for n in range(250):
        await world.records.subscriptions.save(Stored(Subscription(subscription_id=f"s-{n:03}")))
    done = await sweep(world)
    assert world.delivered.count("sweep_policy") == 3
    assert (await swept(world, done.began_at, "s-249")).ended_at


async def test_what_we_attested_ourselves_is_no_news() -> None:
    rules = AttestationRules(assignment_id=f"{ASSIGNMENT}/Ours")
    world = await new_world("vm-1", attestation_rules=rules)
    await event(world, "vm-1", state("noncompliant", assignment="ours"), lost=True)
    await event(world, "vm-1", state("compliant"), lost=True)

    done = await sweep(world)

    assert await held(world, "vm-1") == {("a", ""): "compliant"}
    assert done.found == Found(states=1, new=1)


async def test_a_vm_with_more_states_than_are_written_at_once_is_mended_in_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.fleet.policy_mender.AT_ONCE", 3)
    world = await new_world("vm-1")
    world.policy_states.page_size = 100
    for assignment in "abcdefghi":
        await event(world, "vm-1", state("compliant", assignment=assignment), lost=True)
    await event(world, "vm-1", state("noncompliant", assignment="z"), lost=True)

    done = await sweep(world)

    assert len(await held(world, "vm-1")) == 10
    assert done.found == Found(states=10, new=10)
    lines = await history(world, "vm-1")
    assert [line.new for line in lines if line.what == "policy"] == ["noncompliant"]
