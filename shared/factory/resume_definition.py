"""resume_definition: let builds of a definition start by themselves again."""

from dataclasses import replace
from datetime import datetime

from shared.domain.definition_state import DefinitionState
from shared.factory.definitions import definition_named
from shared.factory.pause_definition import state_of
from shared.messages import Announcement, Message, ResumeDefinition
from shared.ports import Definitions, DefinitionStates


async def resume_definition(
    command: ResumeDefinition,
    *,
    definitions: Definitions,
    definition_states: DefinitionStates,
    now: datetime,
) -> list[Message]:
    """End a pause, whoever made it, and forget the failures; say so again when repeated.

    Raises NotFoundError for an unknown definition.
    """
    definition_named(definitions, command.definition)
    stored = await state_of(command.definition, definition_states)
    state = stored.value.resume(now=now, because=f"{command.by}: {command.why}")
    if state != stored.value:
        await definition_states.save(replace(stored, value=state))
    return resumed(state)


def resumed(state: DefinitionState) -> list[Message]:
    """Return the announcement of the last resumption; nothing when there never was one."""
    last = state.history[-1] if state.history else None
    if last is None or last.new:
        return []
    return [
        Announcement(
            name="DefinitionResumed",
            subject=f"images/{state.definition}",
            key=last.at.isoformat(),
            data={
                "definition": state.definition,
                "reason": last.because,
                "at": last.at.isoformat(),
            },
        )
    ]
