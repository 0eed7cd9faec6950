"""What a check's run command says: passed, failed, or not to be judged."""

from dataclasses import dataclass
from itertools import chain
from typing import Any, cast

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from junitparser import Error, Failure, JUnitXml, JUnitXmlError, TestCase
from tap.line import Bail, Line, Plan, Result
from tap.parser import Parser

from shared.domain.image_definition import Check, ResultFormat
from shared.domain.verification import CheckResult, Outcome
from shared.ports import RunCommandStatus

MAX_DETAIL = 1000
MAX_OUTPUT = 4096
"""Azure keeps the last 4,096 bytes of what a run command prints
(Azure docs: Run scripts by using managed Run Commands)."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    outcome: Outcome
    detail: str


class _UnreadableError(Exception):
    """The output is not what the check promised; the text says how."""


def read_result(check: Check, status: RunCommandStatus) -> CheckResult:
    """Return how *check* ended, from the run command that ran it.

    A check that prints TAP or JUnit passes only when its output says so and its exit code is 0.
    What cannot be judged (it timed out, never ran, printed what cannot be read, or ran no test)
    has errored, which stops a release like a failure.

    Raises ValueError when the run command has not ended.
    """
    if not status.finished:
        raise ValueError(f"the run command of check {check.name} has not ended")
    verdict = _not_run(check, status) or _judge(check, status)
    seconds = None
    if status.started_at and status.ended_at:
        seconds = (status.ended_at - status.started_at).total_seconds()
    return CheckResult(
        name=check.name,
        outcome=verdict.outcome,
        severity=check.severity,
        detail=_cut(verdict.detail),
        seconds=seconds,
    )


def _not_run(check: Check, status: RunCommandStatus) -> _Verdict | None:
    if status.timed_out:
        says = f"it did not end within {check.timeout_seconds} seconds"
        return _Verdict(Outcome.ERRORED, f"{says}: {_last_words(status)}")
    if status.failure:
        return _Verdict(Outcome.ERRORED, f"Azure could not run it: {status.failure}")
    if status.exit_code is None:
        return _Verdict(Outcome.ERRORED, "Azure tells no exit code")
    return None


def _judge(check: Check, status: RunCommandStatus) -> _Verdict:
    if check.results is ResultFormat.EXIT_CODE:
        return _from_exit_code(status)
    read = _from_tap if check.results is ResultFormat.TAP else _from_junit
    try:
        verdict = read(status.output)
    except _UnreadableError as error:
        detail = f"{error}{_cut_off_hint(status.output)}"
        if status.exit_code:
            detail += f"; exit code {status.exit_code}: {_last_words(status)}"
        return _Verdict(Outcome.ERRORED, detail)
    if status.exit_code and verdict.outcome is Outcome.PASSED:
        detail = f"exit code {status.exit_code} although {verdict.detail}: {_last_words(status)}"
        return _Verdict(Outcome.FAILED, detail)
    return verdict


def _from_exit_code(status: RunCommandStatus) -> _Verdict:
    if status.exit_code == 0:
        return _Verdict(Outcome.PASSED, _last_words(status))
    return _Verdict(Outcome.FAILED, f"exit code {status.exit_code}: {_last_words(status)}")


def _from_tap(output: str) -> _Verdict:
    """Judge TAP (https://testanything.org/tap-specification.html).

    Lines are parsed one by one: the blocks of YAML that version 13 allows below a test only
    describe it.
    """
    parser = Parser()
    try:
        lines = [parser.parse_line(line.rstrip()) for line in output.splitlines()]
    except ValueError as error:
        raise _UnreadableError(f"the output is not TAP: {error}") from error
    tests = _planned_tests(lines)
    failed = [
        f"{test.number or i} {test.description}".strip()
        for i, test in enumerate(tests, start=1)
        if not (test.ok or test.todo or test.skip)
    ]
    return _counted(len(tests), sum(1 for test in tests if test.skip), failed)


def _planned_tests(lines: list[Line]) -> list[Result]:
    """Return the tests of a complete TAP output: planned, all run, and not bailed out of."""
    for line in lines:
        if isinstance(line, Bail):
            raise _UnreadableError(f"the script bailed out: {line.reason or 'it does not say why'}")
    plans = [line for line in lines if isinstance(line, Plan)]
    tests = [line for line in lines if isinstance(line, Result)]
    if len(plans) != 1:
        raise _UnreadableError(f"the TAP output has {len(plans)} plans (1..N), not one")
    planned = plans[0].expected_tests
    if planned != len(tests):
        raise _UnreadableError(f"the TAP output plans {planned} tests and has {len(tests)}")
    numbers = [test.number for test in tests if test.number is not None]
    if len(set(numbers)) != len(numbers):
        raise _UnreadableError("the TAP output uses a test number twice")
    return tests


def _from_junit(output: str) -> _Verdict:
    """Judge JUnit XML; document types and entities are refused, so that none can unfold."""
    try:
        root = fromstring(output.strip(), forbid_dtd=True)
        suites = list(JUnitXml.fromroot(cast(Any, root)))
        declared = sum((suite.failures or 0) + (suite.errors or 0) for suite in suites)
    except ParseError as error:
        raise _UnreadableError(f"the output is not XML: {error}") from error
    except DefusedXmlException as error:
        raise _UnreadableError("the XML has a document type or entities") from error
    except (JUnitXmlError, ValueError) as error:
        raise _UnreadableError(f"the XML is not JUnit: {error}") from error
    cases: list[TestCase] = list(chain.from_iterable(suites))
    failed = [text for text in map(_failing, cases) if text]
    if declared > len(failed):
        failed.append(f"the suite counts {declared} failures, its cases show {len(failed)}")
    return _counted(len(cases), sum(1 for case in cases if case.is_skipped), failed)


def _failing(case: TestCase) -> str:
    """Name a failing case with what it says; empty when it does not fail."""
    for result in case.result:
        if isinstance(result, Failure | Error):
            says = (result.message or result.text or "").strip()
            return f"{case.name}: {says}" if says else str(case.name)
    return ""


def _counted(tests: int, skipped: int, failed: list[str]) -> _Verdict:
    if not tests:
        raise _UnreadableError("it ran no test")
    if failed:
        return _Verdict(Outcome.FAILED, f"{len(failed)} of {tests} failed: {'; '.join(failed)}")
    detail = f"{tests - skipped} of {tests} passed" + (f", {skipped} skipped" if skipped else "")
    return _Verdict(Outcome.PASSED, detail)


def _cut_off_hint(output: str) -> str:
    if len(output.encode()) < MAX_OUTPUT:
        return ""
    return f" (Azure keeps only the last {MAX_OUTPUT:,} bytes a check prints: print less)"


def _last_words(status: RunCommandStatus) -> str:
    """Return the end of what the script printed, its errors first; "it printed nothing" if so."""
    words = "\n".join(text.strip() for text in (status.error, status.output) if text.strip())
    return words[-MAX_DETAIL // 2 :] if words else "it printed nothing"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_DETAIL else f"{text[: MAX_DETAIL - 1]}…"
