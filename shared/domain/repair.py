"""What follows a failed attempt."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain.build import Application, Build, Phase
from shared.domain.failure import FINAL, Failure, FailureClass
from shared.domain.image_definition import CUSTOMIZE, VERIFY, ImageDefinition, Repair

_REPAIRABLE = frozenset({FailureClass.CHECK, FailureClass.CUSTOMIZATION})
MAX_CAPACITY_ATTEMPTS = 6
"""Attempts Azure had no room for do not count as tries of the image; with doubled waits of half an
hour six of them take a working day and a half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The phase that follows; for `queued`, the repairs in force and how long to wait first."""

    phase: Phase
    because: str
    repairs: tuple[str, ...] = ()
    applied: tuple[Application, ...] = ()
    waits: int = 0
    """In units of the pause after a failure of Azure."""


def decide_repair(build: Build, definition: ImageDefinition) -> Decision:
    """Decide what follows the failed present attempt of *build*.

    A failed check or customization needs a repair that answers it and has tries left; Azure's own
    failures need only time, twice as much each time there was no room. Attempts are bounded by
    the definition, and a failure that would come again (configuration, access, cancelled) ends
    the build at once.
    """
    failure = build.attempt.failure or Failure(
        failure_class=FailureClass.SERVICE, message="the attempt failed without a word"
    )
    if failure.failure_class in FINAL:
        return Decision(phase=Phase.FAILED, because=failure.message)
    if spent := _spent(build, definition):
        failed_for_good = Phase.REJECTED if failure.failure_class in _REPAIRABLE else Phase.FAILED
        return Decision(phase=failed_for_good, because=f"{spent}: {failure.message}"[:1000])
    if failure.failure_class not in _REPAIRABLE:
        return Decision(
            phase=Phase.QUEUED,
            because=f"another attempt: {failure.message}"[:1000],
            repairs=build.repairs,
            applied=build.attempt.applied,
            waits=2 ** (_without_room(build) - 1) if _without_room(build) else 1,
        )
    return _repaired(build, definition, failure)


def _without_room(build: Build) -> int:
    """Count the attempts at the end of the row that Azure had no room for."""
    count = 0
    for attempt in reversed(build.attempts):
        if attempt.failure is None or attempt.failure.failure_class is not FailureClass.CAPACITY:
            break
        count += 1
    return count


def _spent(build: Build, definition: ImageDefinition) -> str:
    """Return which bound is reached; empty when another attempt is allowed."""
    no_room = sum(
        1 for a in build.attempts if a.failure and a.failure.failure_class is FailureClass.CAPACITY
    )
    tried = len(build.attempts) - no_room
    if tried >= definition.max_attempts:
        return f"{tried} of {definition.max_attempts} attempts used"
    if no_room >= MAX_CAPACITY_ATTEMPTS:
        return f"Azure had no room for {no_room} attempts"
    return ""


def _repaired(build: Build, definition: ImageDefinition, failure: Failure) -> Decision:
    asked = _asked(build, failure)
    applied = tuple(
        Application(repair=r.name, answers=answers)
        for r in definition.repairs
        if (answers := _answered(r, asked)) and _tries(build, r.name) < r.attempts
    )
    names = ", ".join(sorted(asked))
    if not applied:
        tried = _tried_for(build, definition.repairs, asked)
        already = f" (tried: {', '.join(tried)})" if tried else ""
        because = f"no repair is left that answers {names}{already}: {failure.message}"
        return Decision(phase=Phase.REJECTED, because=because[:1000])
    chosen = [a.repair for a in applied]
    return Decision(
        phase=Phase.QUEUED,
        because=f"repair {', '.join(chosen)} answers {names}",
        repairs=(*build.repairs, *(name for name in chosen if name not in build.repairs)),
        applied=applied,
    )


def _asked(build: Build, failure: Failure) -> set[str]:
    """Return the failed checks, or the phase that failed before any check ran."""
    if failure.failure_class is FailureClass.CUSTOMIZATION:
        return {CUSTOMIZE}
    verification = build.attempt.verification
    return set(verification.failed_checks) if verification else set()


def _answered(repair: Repair, asked: set[str]) -> tuple[str, ...]:
    """Return what of *asked* the repair answers; `verify` stands for every check."""
    if VERIFY in repair.answers and CUSTOMIZE not in asked:
        return tuple(sorted(asked))
    return tuple(sorted(asked.intersection(repair.answers)))


def _tries(build: Build, repair: str) -> int:
    """Count the attempts the repair was applied in because something it answers had failed."""
    counted = sum(1 for a in build.attempts if any(x.repair == repair for x in a.applied))
    # Builds of a release that did not note why a repair was applied had it tried once.
    return counted or (1 if repair in build.repairs else 0)


def _tried_for(build: Build, repairs: Iterable[Repair], asked: set[str]) -> list[str]:
    return [r.name for r in repairs if _answered(r, asked) and _tries(build, r.name)]
