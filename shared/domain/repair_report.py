"""Which repair was tried for what, whether it helped, and what to make of that."""

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.build import Attempt, Build, Phase
from shared.domain.failure import FailureClass
from shared.domain.image_definition import CUSTOMIZE


class Effect(StrEnum):
    """What became of what a repair answered."""

    FIXED = "fixed"
    NOT_FIXED = "not-fixed"
    UNKNOWN = "unknown"
    """The attempt ended before it could show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One repair, applied in one attempt because one check (or phase) had failed."""

    attempt: int
    repair: str
    check: str
    effect: Effect


def trials(build: Build) -> list[Trial]:
    """Return what was tried in the attempts of *build*, in order."""
    return [
        Trial(attempt=a.number, repair=applied.repair, check=check, effect=_effect(a, check))
        for a in build.attempts
        for applied in a.applied
        for check in applied.answers
    ]


def suggestions(build: Build) -> list[str]:
    """Return what the trials of a released build suggest to do with the definition."""
    if build.phase is not Phase.RELEASED:
        return []
    helped: dict[str, list[str]] = {}
    for trial in trials(build):
        if trial.effect is Effect.FIXED:
            helped.setdefault(trial.repair, []).append(trial.check)
    return [
        f"repair {repair} fixed {', '.join(checks)}: move its customizers into the customizers of "
        f"{build.definition}, and the next build needs no second attempt for it"
        for repair, checks in helped.items()
    ]


def _effect(attempt: Attempt, check: str) -> Effect:
    failure = attempt.failure
    if check == CUSTOMIZE:
        if failure and failure.failure_class is FailureClass.CUSTOMIZATION:
            return Effect.NOT_FIXED
        return Effect.FIXED if attempt.verification else Effect.UNKNOWN
    verification = attempt.verification
    outcomes = {r.name: r for r in verification.results} if verification else {}
    if check not in outcomes:
        return Effect.UNKNOWN
    return Effect.NOT_FIXED if outcomes[check].blocks else Effect.FIXED
