"""pause_definition: start no more builds of a definition by themselves."""

from dataclasses import replace
from datetime import datetime

from shared.domain.definition_state import DefinitionState
from shared.factory.definitions import definition_named
from shared.messages import Announcement, Message, PauseDefinition
from shared.ports import Definitions, DefinitionStates, Stored


async def pause_definition(
    command: PauseDefinition,
    *,
    definitions: Definitions,
    definition_states: DefinitionStates,
    now: datetime,
) -> list[Message]:
    """Pause until a person resumes; builds under way go on.

    Raises NotFoundError for an unknown definition.
    """
    definition_named(definitions, command.definition)
    stored = await state_of(command.definition, definition_states)
    state = stored.value.pause(by=command.by, why=command.why, now=now)
    if state != stored.value:
        await definition_states.save(replace(stored, value=state))
    return [paused(state)]


async def state_of(name: str, definition_states: DefinitionStates) -> Stored[DefinitionState]:
    """Load the state of a definition; a blank one when none is stored yet."""
    stored = await definition_states.get(name)
    return stored or Stored(DefinitionState(definition=name))


def paused(state: DefinitionState) -> Announcement:
    """Return the announcement that a definition is paused."""
    at = state.paused_at.isoformat() if state.paused_at else ""
    return Announcement(
        name="DefinitionPaused",
        subject=f"images/{state.definition}",
        key=at,
        data={
            "definition": state.definition,
            "failures": state.failures,
            "by": state.paused_by,
            "reason": state.paused_why,
            "at": at,
        },
    )
