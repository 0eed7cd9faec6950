"""The sweep brings what is to be attested and no event told of."""

from datetime import timedelta

from shared.domain.attestation import AttestationRules
from shared.errors import AssignmentError
from tests.fakes.fleet import GROUP
from tests.fakes.world import NOON, World
from tests.unit.sweep.estate import Estate

ASSIGNMENT = f"{GROUP}/providers/Microsoft.Authorization/policyAssignments/golden"
RULES = AttestationRules(assignment_id=ASSIGNMENT, public_url="https://assay.test")
DAY = timedelta(days=1)


async def an_estate(*, evaluated: bool = True) -> tuple[Estate, str]:
    """Return a swept world with one current VM in it."""
    estate = Estate(world=World(attestation_rules=RULES))
    await estate.release("1.1.0")
    machine = estate.vm("vm-1")
    if evaluated:
        estate.world.attestations.evaluated.add(machine)
    await estate.sweep()
    return estate, machine


def said(estate: Estate) -> list[str]:
    return [statement.state for _, statement in estate.world.attestations.asked]


async def test_what_a_first_sweep_finds_is_attested() -> None:
    estate, machine = await an_estate()

    assert estate.world.attestations.held[machine].state == "Compliant"
    assert said(estate) == ["Compliant"]


async def test_a_sweep_that_finds_nothing_new_says_nothing() -> None:
    estate, _ = await an_estate()

    await estate.sweep()

    assert said(estate) == ["Compliant"]


async def test_an_attestation_about_to_lapse_is_renewed() -> None:
    estate, machine = await an_estate()
    estate.world.now = NOON + 150 * DAY

    await estate.sweep()

    assert said(estate) == ["Compliant", "Compliant"]
    assert estate.world.attestations.held[machine].expires_at >= NOON + 330 * DAY


async def test_the_end_of_a_grace_is_said() -> None:
    estate, _ = await an_estate()
    await estate.release("1.2.0")
    await estate.sweep()
    estate.world.now = NOON + 31 * DAY

    await estate.sweep()

    assert said(estate) == ["Compliant", "Compliant", "NonCompliant"]


async def test_a_vm_that_was_not_evaluated_is_tried_again_an_hour_later() -> None:
    estate, machine = await an_estate(evaluated=False)
    estate.world.attestations.evaluated.add(machine)
    await estate.event(machine)
    at_once = len(said(estate))

    await estate.sweep()

    assert (at_once, len(said(estate))) == (1, 2)
    assert machine in estate.world.attestations.held


async def test_a_vm_azure_policy_does_not_evaluate_is_left_alone_for_longer_and_longer() -> None:
    estate, _ = await an_estate(evaluated=False)

    for _ in range(24):
        await estate.sweep()

    assert len(said(estate)) == 5


async def test_what_was_held_back_is_brought_by_the_next_sweep() -> None:
    estate = Estate(world=World(attestation_rules=RULES))
    await estate.release("1.1.0")
    estate.world.attestations.evaluated |= {estate.vm(f"vm-{n}") for n in range(3)}
    estate.world.attestations.fail_next("put", AssignmentError("wrong"))
    await estate.sweep()
    held = len(estate.world.attestations.held)

    await estate.sweep()

    assert (held, len(estate.world.attestations.held)) == (0, 3)
    assert len((await estate.world.records.parked.list()).items) == 1
