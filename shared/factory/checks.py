"""From checks to run commands in the guest, and from their results back to checks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from shared.domain.image_definition import Check, ImageDefinition
from shared.domain.tattoo import differences, parse
from shared.domain.tattoo_reader import TIMEOUT_SECONDS, tattoo_reader
from shared.domain.verification import TATTOO, CheckResult, Outcome, Verification
from shared.factory.check_results import read_result
from shared.ports import RunCommandStatus


@dataclass(frozen=True, slots=True)
class Command:
    """One run command of a verification."""

    check: Check
    name: str


def checks_of(definition: ImageDefinition, *, source: bool) -> tuple[Check, ...]:
    """Return what is run in the guest: of a bare *source* version, its own checks alone.

    A candidate is also asked for its tattoo.
    """
    if source:
        return tuple(c for c in definition.checks if c.source)
    tattoo = Check(
        name=TATTOO,
        script=tattoo_reader(definition.os),
        timeout_seconds=TIMEOUT_SECONDS,
    )
    return (*definition.checks, tattoo)


def command_name(check: str, run: int = 1) -> str:
    """Return the name of the run command of the *run*-th run of a check, from 1."""
    return f"check-{check}" if run == 1 else f"check-{check}-run{run}"


def commands_of(checks: Sequence[Check], verification: Verification) -> Iterator[Command]:
    """Yield the run command of each of *checks* that has no result yet."""
    done = {r.name for r in verification.results}
    for check in checks:
        if check.name not in done:
            yield Command(check, command_name(check.name, verification.runs_of(check.name)))


def result_of(check: Check, status: RunCommandStatus, *, tattoo: dict[str, str]) -> CheckResult:
    """Read how *check* ended; *tattoo* holds the facts the guest must show."""
    read = read_result(check, status)
    if check.name != TATTOO or read.outcome is not Outcome.PASSED:
        return read
    problems = differences(tattoo, parse(status.output))
    if not problems:
        return read
    return replace(
        read,
        outcome=Outcome.FAILED,
        detail=("the tattoo in the guest is wrong: " + "; ".join(problems))[:1000],
    )


def judged(check: Check, result: CheckResult, verification: Verification) -> Verification:
    """Return *verification* with *result* in it, or with one more run where it allows one.

    A check that passes after a run that did not is flaky, and says what it said before.
    """
    runs = verification.runs_of(check.name)
    passed = result.outcome is Outcome.PASSED
    if not passed and runs <= check.retries:
        return replace(verification, reruns=(*verification.reruns, result))
    if passed and runs > 1:
        before = [r.detail for r in verification.reruns if r.name == check.name]
        detail = f"passed in run {runs}, before that: {'; '.join(before)}"[:1000]
        result = replace(result, outcome=Outcome.FLAKY, detail=detail)
    return verification.with_results(replace(result, runs=runs))
