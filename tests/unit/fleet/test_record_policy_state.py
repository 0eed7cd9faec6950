"""From what Azure Policy says to the roll-up in a VM's record."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from shared.domain.identifiers import vm_key
from shared.errors import BadMessageError
from shared.messages import RecordPolicyState
from tests.fakes.fleet import COMPUTE
from tests.unit.fleet.register import NOON, Register

VM = f"{COMPUTE}/virtualmachines/vm-1"
ASSIGNMENT = "/subscriptions/s/providers/Microsoft.Authorization/policyAssignments/only-gallery"


def word(state: str, *, minute: int = 0, **changes: Any) -> RecordPolicyState:
    fields: dict[str, Any] = {
        "resource_id": VM,
        "assignment_id": ASSIGNMENT,
        "definition_id": "/providers/microsoft.authorization/policydefinitions/d",
        "reference_id": "",
        "state": state,
        "timestamp": NOON + timedelta(minutes=minute),
        **changes,
    }
    return RecordPolicyState(**fields)


async def test_a_policy_state_shows_in_the_record_and_its_history(register: Register) -> None:
    register.runs("1.1.0")
    await register.track(VM)
    register.wait(minutes=5)
    assert await register.say(word("NonCompliant")) == []
    assert (await register.record(VM)).policy == "noncompliant"
    line = (await register.history(VM))[-1]
    assert (line.what, line.old, line.new) == ("policy", "", "noncompliant")
    assert line.because == "policy assignment only-gallery says noncompliant"


async def test_a_state_of_a_vm_not_yet_known_waits_for_its_record(register: Register) -> None:
    await register.say(word("noncompliant"))
    assert not await register.known(VM)
    register.runs("1.1.0")
    await register.track(VM)
    assert (await register.record(VM)).policy == "noncompliant"
    assert ("policy", "", "noncompliant") in await register.lines(VM)


async def test_the_order_of_arrival_does_not_matter(register: Register) -> None:
    words = (
        word("noncompliant"),
        word("compliant", minute=1),
        word("", minute=2, deleted=True),
        word("exempt", minute=3),
    )
    ends = []
    for order in permutations(words):
        other = Register()
        other.runs("1.1.0")
        await other.track(VM)
        for said in order:
            await other.say(said)
        ends.append((await other.record(VM)).policy)
    assert ends == ["exempt"] * 24


async def test_a_repeated_word_writes_nothing(register: Register) -> None:
    await register.say(word("compliant"))
    before = await register.records.vms.get(vm_key(VM))
    await register.say(word("compliant"))
    await register.say(word("noncompliant", minute=-1))
    assert await register.records.vms.get(vm_key(VM)) == before


async def test_the_roll_up_is_over_all_assignments(register: Register) -> None:
    register.runs("1.1.0")
    await register.track(VM)
    await register.say(word("noncompliant", assignment_id="/a/1"))
    await register.say(word("compliant", assignment_id="/a/2"))
    assert (await register.record(VM)).policy == "noncompliant"
    await register.say(word("", minute=1, assignment_id="/a/1", deleted=True))
    assert (await register.record(VM)).policy == "compliant"
    line = (await register.history(VM))[-1]
    assert line.because == "policy assignment 1 was removed"


async def test_a_word_about_no_resource_is_refused(register: Register) -> None:
    with pytest.raises(BadMessageError, match="record_policy_state cannot be done"):
        await register.say(word("compliant", resource_id="vm-1"))
