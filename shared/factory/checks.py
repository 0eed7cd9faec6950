"""From checks to run commands in the guest, and from their results back to checks."""

from collections.abc import Iterator

from shared.domain.image_definition import Check, ImageDefinition
from shared.domain.tattoo import differences, parse
from shared.domain.verification import TATTOO, CheckResult, Outcome
from shared.factory.check_results import read_result
from shared.factory.tattoo_customizer import tattoo_reader
from shared.ports import RunCommandStatus

TATTOO_TIMEOUT_SECONDS = 120


def command_name(check: str) -> str:
    """Return the name of the run command of a check."""
    return f"check-{check}"


def commands_of(definition: ImageDefinition) -> Iterator[tuple[str, str, int]]:
    """Yield name, script and timeout in seconds of every run command of a verification."""
    for check in definition.checks:
        yield command_name(check.name), check.script, check.timeout_seconds
    yield command_name(TATTOO), tattoo_reader(definition.os), TATTOO_TIMEOUT_SECONDS


def result_of(definition: ImageDefinition, name: str, status: RunCommandStatus) -> CheckResult:
    """Read the result of the definition's check called *name*."""
    check = next(c for c in definition.checks if c.name == name)
    return read_result(check, status)


def tattoo_result(status: RunCommandStatus, expected: dict[str, str]) -> CheckResult:
    """Compare the tattoo the guest printed with the facts *expected* of it."""
    read = read_result(Check(name=TATTOO, script=""), status)
    if read.outcome is not Outcome.PASSED:
        return read
    problems = differences(expected, parse(status.output))
    if not problems:
        return read
    return CheckResult(
        name=TATTOO,
        outcome=Outcome.FAILED,
        detail=("the tattoo in the guest is wrong: " + "; ".join(problems))[:1000],
        seconds=read.seconds,
    )
