"""record_outcome: count how a build ended, and pause its definition after too many failures."""

from dataclasses import replace
from datetime import datetime

from shared.domain.build import Build, Phase
from shared.domain.definition_state import FAILURES, DefinitionState
from shared.domain.failure import FailureClass
from shared.factory.pause_definition import paused, state_of
from shared.messages import Message, RecordOutcome
from shared.ports import Builds, Definitions, DefinitionStates


async def record_outcome(
    command: RecordOutcome,
    *,
    definitions: Definitions,
    builds: Builds,
    definition_states: DefinitionStates,
    now: datetime,
) -> list[Message]:
    """Count the build once; a release ends the row of failures, a cancelled build says nothing.

    The pause is announced by every delivery that finds it made by this build, under one event id.
    """
    stored = await builds.get(command.build_id)
    if stored is None or not stored.value.finished or _cancelled(stored.value):
        return []
    build = stored.value
    known = await state_of(build.definition, definition_states)
    state = _counted(known.value, build)
    definition = definitions.get(build.definition)
    limit = definition.pause_after if definition else 0
    if limit and state.failures >= limit and not state.paused and state != known.value:
        why = f"{state.failures} builds in a row ended without a release, the last was {build.id}"
        state = state.pause(by=FAILURES, why=why, now=now)
    if state != known.value:
        await definition_states.save(replace(known, value=state))
    if state.paused_by == FAILURES and build.id in state.paused_why:
        return [paused(state)]
    return []


def _counted(state: DefinitionState, build: Build) -> DefinitionState:
    return state.count(
        build.id,
        released=build.phase is Phase.RELEASED,
        source_version=build.source_version,
        definition_digest=build.definition_digest,
    )


def _cancelled(build: Build) -> bool:
    failure = build.attempts[-1].failure if build.attempts else None
    return build.phase is Phase.CANCELLED or (
        build.phase is Phase.FAILED
        and failure is not None
        and failure.failure_class is FailureClass.CANCELLED
    )
