"""What is bound to fail costs Azure no call, and people one message."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.attestation import Statement
from shared.errors import AssignmentError, NotReadyError, RefusedError, ThrottledError
from shared.gateways.patient_attestations import PatientAttestations
from shared.ports import Reception
from tests.fakes.attestations import FakeAttestations

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
STATEMENT = Statement(
    name="n",
    state="Compliant",
    comments="",
    evidence=(),
    assessed_at=NOON,
    expires_at=NOON,
    about="a",
)


class Patience:
    """A fake Azure Policy, attested to with patience, and a clock."""

    def __init__(self) -> None:
        self.now = NOON
        self.azure = FakeAttestations()
        self._patient = PatientAttestations(self.azure, clock=lambda: self.now)

    async def put(self, subscription: str = "0a", *, name: str = "web") -> Reception:
        machine = f"/subscriptions/{subscription}/providers/m.c/virtualmachines/{name}"
        self.azure.evaluated.add(machine)
        return await self._patient.put(machine, STATEMENT)

    def wait(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.fixture
def patience() -> Patience:
    return Patience()


async def test_a_wrong_assignment_holds_every_subscription_back(
    patience: Patience,
) -> None:
    patience.azure.fail_next("put", AssignmentError("wrong"), times=9)
    with pytest.raises(RefusedError, match="wrong"):
        await patience.put()

    assert [await patience.put(s) for s in ("0a", "0b")] == [Reception.HELD_BACK] * 2
    assert len(patience.azure.asked) == 1


async def test_it_is_tried_every_ten_minutes_and_a_person_reminded_once_a_day(
    patience: Patience,
) -> None:
    patience.azure.fail_next("put", AssignmentError("wrong"), times=999)
    parked = 0
    for _ in range(2 * 24 * 6):
        try:
            assert await patience.put() is Reception.HELD_BACK
        except RefusedError:
            parked += 1
        patience.wait(minutes=10)

    assert (parked, len(patience.azure.asked)) == (2, 288)


async def test_all_is_well_again_once_it_is_mended(patience: Patience) -> None:
    patience.azure.fail_next("put", AssignmentError("wrong"))
    with pytest.raises(RefusedError):
        await patience.put()
    patience.wait(minutes=10)

    assert [await patience.put(name=n) for n in ("a", "b")] == [Reception.TAKEN] * 2


async def test_a_refusal_while_others_are_taken_concerns_the_one_machine(
    patience: Patience,
) -> None:
    await patience.put()
    patience.azure.fail_next("put", AssignmentError("odd"))

    assert await patience.put(name="odd") is Reception.NOT_NOW
    assert await patience.put(name="other") is Reception.TAKEN


async def test_a_missing_right_is_waited_for_then_said_once(patience: Patience) -> None:
    patience.azure.fail_next("put", NotReadyError("no right"), times=9)
    for _ in range(2):
        for _ in range(5):
            with pytest.raises(NotReadyError):
                await patience.put()
        patience.wait(minutes=5)
    asked = len(patience.azure.asked)

    with pytest.raises(RefusedError, match="no right"):
        await patience.put()

    assert await patience.put() is Reception.HELD_BACK
    assert (asked, len(patience.azure.asked)) == (2, 3)


async def test_a_missing_right_concerns_its_subscription_only(patience: Patience) -> None:
    patience.azure.fail_next("put", NotReadyError("no right"))
    with pytest.raises(NotReadyError):
        await patience.put("0a")

    assert await patience.put("0b") is Reception.TAKEN


async def test_a_subscription_that_throttles_is_left_alone(patience: Patience) -> None:
    patience.azure.fail_next("put", ThrottledError("slow", after=timedelta(seconds=30)))
    with pytest.raises(ThrottledError):
        await patience.put("0a")
    patience.wait(seconds=10)

    with pytest.raises(ThrottledError) as put_off:
        await patience.put("0a")

    assert put_off.value.after == timedelta(seconds=20)
    assert await patience.put("0b") is Reception.TAKEN
    patience.wait(seconds=20)
    assert await patience.put("0a") is Reception.TAKEN
