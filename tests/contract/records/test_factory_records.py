"""What every register of places to build and of definition states does."""

from dataclasses import replace

import pytest

from shared.domain.definition_state import DefinitionState
from shared.domain.slots import Slots
from shared.errors import ConflictError
from shared.ports import Stored
from tests.contract.records.samples import NOON, AnyRecords

SCOPE = "00000000-0000-4000-8000-000000000001/westeurope"


async def test_places_come_back_as_they_were_saved(records: AnyRecords) -> None:
    slots = Slots(scope=SCOPE).asked(("a", 1), limit=1, now=NOON).asked(("b", 2), limit=1, now=NOON)
    assert await records.build_slots.get(SCOPE) is None
    saved = await records.build_slots.save(Stored(slots))
    assert await records.build_slots.get(SCOPE) == saved
    assert saved.value == slots
    assert await records.build_slots.get(SCOPE.replace("west", "north")) is None


async def test_of_two_who_take_the_last_place_one_loses(records: AnyRecords) -> None:
    saved = await records.build_slots.save(Stored(Slots(scope=SCOPE)))
    taken = saved.value.asked(("a", 1), limit=1, now=NOON)
    await records.build_slots.save(replace(saved, value=taken))
    with pytest.raises(ConflictError):
        await records.build_slots.save(
            replace(saved, value=saved.value.asked(("b", 1), limit=1, now=NOON))
        )
    with pytest.raises(ConflictError):
        await records.build_slots.save(Stored(Slots(scope=SCOPE)))


async def test_a_definitions_state_comes_back_as_it_was_saved(records: AnyRecords) -> None:
    state = DefinitionState(definition="ubuntu-2204").count(
        "b-1", released=False, source_version="1.0.1", definition_digest="d"
    )
    state = state.pause(by="failures", why="too many", now=NOON)
    assert await records.definition_states.get("ubuntu-2204") is None
    saved = await records.definition_states.save(Stored(state))
    assert await records.definition_states.get("ubuntu-2204") == saved
    assert saved.value == state
    with pytest.raises(ConflictError):
        await records.definition_states.save(Stored(state))
