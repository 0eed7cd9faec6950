"""The time dial."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from localcloud.arm import ArmSimulator, Dial, Options
from localcloud.arm.clock import DURATIONS, Clock
from localcloud.arm.errors import SimulatorStateError
from localcloud.arm.scheduler import Scheduler

_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_manual_time_stands_still_until_it_is_advanced() -> None:
    clock = Clock(Dial.MANUAL, start=_NOON)

    assert clock.now() == _NOON
    clock.jump(timedelta(hours=1))
    assert clock.now() == _NOON + timedelta(hours=1)


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(SimulatorStateError):
        Clock(Dial.MANUAL).jump(timedelta(seconds=-1))


def test_everything_takes_no_time_where_all_is_immediate() -> None:
    clock = Clock(Dial.IMMEDIATE)

    assert {clock.duration(name) for name in DURATIONS} == {timedelta(0)}


def test_a_run_takes_its_recorded_median() -> None:
    phases = ("run_queued", "run_building", "run_customizing", "run_distributing")

    assert sum(DURATIONS[name] for name in phases) == 903


async def test_changes_happen_at_their_own_moments_while_time_is_advanced() -> None:
    clock = Clock(Dial.MANUAL, start=_NOON)
    scheduler = Scheduler(clock)
    seen: list[tuple[str, int]] = []

    def note(name: str) -> None:
        seen.append((name, int((clock.now() - _NOON).total_seconds())))

    def first() -> None:
        note("first")
        scheduler.after(timedelta(seconds=5), lambda: note("child"))

    scheduler.after(timedelta(seconds=10), first)
    scheduler.after(timedelta(seconds=12), lambda: note("second"))
    scheduler.advance(timedelta(seconds=60))

    assert seen == [("first", 10), ("second", 12), ("child", 15)]
    assert clock.now() == _NOON + timedelta(seconds=60)


async def test_scaled_time_makes_changes_by_itself() -> None:
    options = Options(dial=Dial.SCALED, factor=10_000)
    done = asyncio.Event()
    async with ArmSimulator(options=options) as sim:
        sim.cloud.scheduler.after(sim.cloud.clock.duration("run_building"), done.set)

        async with asyncio.timeout(2):
            await done.wait()


async def test_two_clouds_with_one_seed_give_the_same_ids() -> None:
    async with ArmSimulator() as one, ArmSimulator() as other:
        assert one.base_url != other.base_url
        assert [one.cloud.guids.next() for _ in range(3)] == [
            other.cloud.guids.next() for _ in range(3)
        ]


async def test_a_stopped_simulator_has_no_address() -> None:
    sim = ArmSimulator()

    with pytest.raises(SimulatorStateError):
        _ = sim.base_url
