"""What every register of channels does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.channel import Approval, ImageChannels, MoveKind, Revocation
from shared.errors import ConflictError
from shared.ports import Stored
from tests.contract.records.samples import NOON, AnyRecords


def a_record() -> ImageChannels:
    record = ImageChannels(definition="ubuntu-2204")
    for number, kind in enumerate((MoveKind.RELEASED, MoveKind.PROMOTED)):
        record = record.moved(
            "canary", f"1.20261122.{number}", kind, now=NOON, because="it passed", by="ada"
        )
    return replace(
        record,
        approvals=(Approval(version="1.1.1", channel="stable", by="ada", because="fine", at=NOON),),
        revocations=(
            Revocation(version="1.1.1", by="ada", because="CVE", since=NOON, request="r"),
        ),
        due=NOON + timedelta(minutes=5),
        replicas={"westeurope": 3},
        replicas_at=NOON,
    )


async def test_channels_come_back_as_they_were_saved(records: AnyRecords) -> None:
    assert await records.channels.get("ubuntu-2204") is None
    saved = await records.channels.save(Stored(a_record()))
    assert await records.channels.get("ubuntu-2204") == saved
    assert saved.value == a_record()
    assert await records.channels.get("other") is None


async def test_of_two_who_move_at_once_one_is_refused(records: AnyRecords) -> None:
    saved = await records.channels.save(Stored(a_record()))
    await records.channels.save(replace(saved, value=replace(saved.value, turn=1)))
    with pytest.raises(ConflictError):
        await records.channels.save(replace(saved, value=replace(saved.value, turn=2)))
    with pytest.raises(ConflictError):
        await records.channels.save(Stored(a_record()))


async def test_three_years_of_moves_fit_into_the_record(records: AnyRecords) -> None:
    record = a_record()
    channel = record.channel("canary")
    move = channel.moves[0]
    many = tuple(
        replace(move, number=n, because="build ubuntu-2204-0123456789ab passed every check")
        for n in range(1100)
    )
    record = record.with_channel(replace(channel, moves=many))
    saved = await records.channels.save(Stored(record))
    assert await records.channels.get("ubuntu-2204") == saved
