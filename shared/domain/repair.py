"""What follows a failed attempt."""

from dataclasses import dataclass

from shared.domain.build import Build, Phase
from shared.domain.failure import FINAL, Failure, FailureClass
from shared.domain.image_definition import CUSTOMIZE, ImageDefinition

_REPAIRABLE = frozenset({FailureClass.CHECK, FailureClass.CUSTOMIZATION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The phase that follows; for `queued`, the repairs in force and whether to wait first."""

    phase: Phase
    because: str
    repairs: tuple[str, ...] = ()
    wait: bool = False


def decide_repair(build: Build, definition: ImageDefinition) -> Decision:
    """Decide what follows the failed present attempt of *build*.

    A failed check or customization needs a repair that answers it and is not in force yet; Azure's
    own failures need only time. Attempts are bounded by the definition, and a failure that would
    come again (configuration, access, cancelled) ends the build at once.
    """
    failure = build.attempt.failure or Failure(
        failure_class=FailureClass.SERVICE, message="the attempt failed without a word"
    )
    failed_for_good = Phase.REJECTED if failure.failure_class in _REPAIRABLE else Phase.FAILED
    if failure.failure_class in FINAL:
        return Decision(phase=Phase.FAILED, because=failure.message)
    if build.attempt.number >= definition.max_attempts:
        because = f"{build.attempt.number} of {definition.max_attempts} attempts used: "
        return Decision(phase=failed_for_good, because=(because + failure.message)[:1000])
    if failure.failure_class not in _REPAIRABLE:
        return Decision(
            phase=Phase.QUEUED,
            because=f"another attempt: {failure.message}"[:1000],
            repairs=build.repairs,
            wait=True,
        )
    return _repaired(build, definition, failure)


def _repaired(build: Build, definition: ImageDefinition, failure: Failure) -> Decision:
    verification = build.attempt.verification
    asked = set(verification.failed_checks) if verification else set()
    if failure.failure_class is FailureClass.CUSTOMIZATION:
        asked = {CUSTOMIZE}
    fresh = tuple(
        r.name
        for r in definition.repairs
        if r.name not in build.repairs and asked.intersection(r.answers)
    )
    names = ", ".join(sorted(asked))
    if not fresh:
        because = f"no repair is left that answers {names}: {failure.message}"
        return Decision(phase=Phase.REJECTED, because=because[:1000])
    because = f"repair {', '.join(fresh)} answers {names}"
    return Decision(phase=Phase.QUEUED, because=because, repairs=(*build.repairs, *fresh))
