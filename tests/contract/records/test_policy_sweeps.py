"""What every register keeps of the sweeps through policy states."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.policy_recovery import Found
from shared.domain.policy_sweep import PolicySweep, Position
from shared.errors import BadMessageError, ConflictError
from shared.ports import Stored
from tests.contract.records.samples import NOON, OTHER_SUBSCRIPTION, SUBSCRIPTION, AnyRecords


def a_sweep(subscription: str = SUBSCRIPTION, *, days: int = 0, turn: int = 0) -> PolicySweep:
    return PolicySweep(
        subscription_id=subscription,
        began_at=NOON + timedelta(days=days),
        turn=turn,
        at=Position(skip_token="t" * 40_000, page_after="/a", done_to="/b"),
        found=Found(states=7, new=1, removed=2),
    )


async def test_a_sweep_is_kept_as_it_is(records: AnyRecords) -> None:
    saved = await records.policy_sweeps.save(Stored(a_sweep()))

    assert await records.policy_sweeps.get(NOON, SUBSCRIPTION) == saved
    assert await records.policy_sweeps.get(NOON, OTHER_SUBSCRIPTION) is None
    assert await records.policy_sweeps.get(NOON + timedelta(days=1), SUBSCRIPTION) is None


async def test_of_two_deliveries_one_loses_the_race(records: AnyRecords) -> None:
    first = await records.policy_sweeps.save(Stored(a_sweep()))
    await records.policy_sweeps.save(replace(first, value=a_sweep(turn=1)))

    with pytest.raises(ConflictError):
        await records.policy_sweeps.save(replace(first, value=a_sweep(turn=1)))
    with pytest.raises(ConflictError):
        await records.policy_sweeps.save(Stored(a_sweep()))


async def test_the_newest_sweep_comes_first(records: AnyRecords) -> None:
    for days in (1, 3, 2):
        for subscription in (OTHER_SUBSCRIPTION, SUBSCRIPTION):
            await records.policy_sweeps.save(Stored(a_sweep(subscription, days=days)))

    listed, cursor = list[tuple[int, str]](), ""
    while True:
        page = await records.policy_sweeps.list(limit=4, cursor=cursor)
        listed += [((s.began_at - NOON).days, s.subscription_id) for s in page.items]
        cursor = page.cursor
        if not cursor:
            break

    assert listed == [(d, s) for d in (3, 2, 1) for s in (SUBSCRIPTION, OTHER_SUBSCRIPTION)]
    with pytest.raises(BadMessageError):
        await records.policy_sweeps.list(cursor="nonsense")


async def test_old_sweeps_are_forgotten(records: AnyRecords) -> None:
    for days in (1, 2, 3):
        await records.policy_sweeps.save(Stored(a_sweep(days=days)))

    await records.policy_sweeps.forget(before=NOON + timedelta(days=2))

    page = await records.policy_sweeps.list()
    assert [(s.began_at - NOON).days for s in page.items] == [3, 2]
