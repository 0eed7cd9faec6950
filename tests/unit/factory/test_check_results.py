"""How the run command of a check is read."""

from datetime import UTC, datetime

import pytest

from shared.domain.image_definition import Check, ResultFormat, Severity
from shared.domain.verification import CheckResult, Outcome
from shared.factory.check_results import read_result
from shared.ports import RunCommandStatus

TAP_CHECK = Check(name="hardening", script="", results=ResultFormat.TAP)
JUNIT_CHECK = Check(name="services", script="", results=ResultFormat.JUNIT)


def ended(output: str = "", *, code: int = 0, error: str = "") -> RunCommandStatus:
    """Return a run command that ran to its end."""
    return RunCommandStatus(finished=True, exit_code=code, output=output, error=error)


def read(check: Check, status: RunCommandStatus) -> tuple[str, str]:
    """Return outcome and detail of *check*."""
    result = read_result(check, status)
    return result.outcome.value, result.detail


def test_a_result_carries_name_severity_and_duration() -> None:
    check = Check(name="disk", script="", severity=Severity.WARN)
    status = RunCommandStatus(
        finished=True,
        exit_code=0,
        output="pcent 7\n",
        started_at=datetime(2026, 1, 1, 10, 0, 0, tzinfo=UTC),
        ended_at=datetime(2026, 1, 1, 10, 0, 2, 500_000, tzinfo=UTC),
    )
    assert read_result(check, status) == CheckResult(
        name="disk",
        outcome=Outcome.PASSED,
        severity=Severity.WARN,
        detail="pcent 7",
        seconds=2.5,
    )


@pytest.mark.parametrize(
    ("status", "outcome", "detail"),
    [
        (ended(), "passed", "it printed nothing"),
        (ended("fine\n"), "passed", "fine"),
        (ended("out\n", code=3, error="err\n"), "failed", "exit code 3: err\nout"),
        (ended(code=1), "failed", "exit code 1: it printed nothing"),
        (
            RunCommandStatus(finished=True, timed_out=True, output="step 1\n"),
            "errored",
            "it did not end within 300 seconds: step 1",
        ),
        (
            RunCommandStatus(finished=True, failure="VMAgentStatusCommunicationError"),
            "errored",
            "Azure could not run it: VMAgentStatusCommunicationError",
        ),
        (RunCommandStatus(finished=True), "errored", "Azure tells no exit code"),
    ],
)
def test_an_exit_code_says_it_all(status: RunCommandStatus, outcome: str, detail: str) -> None:
    assert read(Check(name="one", script=""), status) == (outcome, detail)


@pytest.mark.parametrize(
    ("output", "outcome", "detail"),
    [
        ("1..2\nok 1 - a\nok 2 - b\n", "passed", "2 of 2 passed"),
        ("ok 1 - a\nok 2 - b\n1..2\n", "passed", "2 of 2 passed"),
        ("TAP version 13\n1..1\nok 1 - a\n  ---\n  - x\n  ...\n", "passed", "1 of 1 passed"),
        ("1..2\nok\nok\n", "passed", "2 of 2 passed"),
        ("1..2\nok 1\nnot ok 2 # TODO later\n", "passed", "2 of 2 passed"),
        ("1..2\nok 1\nok 2 # SKIP no disk\n", "passed", "1 of 2 passed, 1 skipped"),
        ("# says\nnoise\n1..1\nok 1 - a\n", "passed", "1 of 1 passed"),
        (
            "1..3\nnot ok 1 - a is off\nok 2\nnot ok 3 - c\n",
            "failed",
            "2 of 3 failed: 1 - a is off; 3 - c",
        ),
        ("ok 1\n", "errored", "the TAP output has 0 plans (1..N), not one"),
        ("1..1\nok 1\n1..1\n", "errored", "the TAP output has 2 plans (1..N), not one"),
        ("1..3\nok 1\nok 2\n", "errored", "the TAP output plans 3 tests and has 2"),
        ("1..1\nok 1\nok 2\n", "errored", "the TAP output plans 1 tests and has 2"),
        ("1..2\nok 1\nok 1\n", "errored", "the TAP output uses a test number twice"),
        ("1..0 # SKIP nothing here\n", "errored", "it ran no test"),
        ("1..2\nok 1\nBail out! disk is gone\n", "errored", "the script bailed out: disk is gone"),
        ("1..2\nBail out!\n", "errored", "the script bailed out: it does not say why"),
        ("", "errored", "the TAP output has 0 plans (1..N), not one"),
        (
            "TAP version 12\n",
            "errored",
            "the output is not TAP: It is an error to explicitly specify any version lower than "
            "13.",
        ),
    ],
)
def test_tap_is_believed_only_when_it_is_complete(output: str, outcome: str, detail: str) -> None:
    assert read(TAP_CHECK, ended(output)) == (outcome, detail)


def test_an_exit_code_contradicts_tap_that_says_all_is_well() -> None:
    assert read(TAP_CHECK, ended("1..1\nok 1\n", code=2, error="oops")) == (
        "failed",
        "exit code 2 although 1 of 1 passed: oops\n1..1\nok 1",
    )


def test_tap_that_fails_keeps_its_words_whatever_the_exit_code() -> None:
    assert read(TAP_CHECK, ended("1..1\nnot ok 1 - a\n", code=1)) == (
        "failed",
        "1 of 1 failed: 1 - a",
    )


def test_unreadable_output_is_told_with_the_exit_code() -> None:
    assert read(TAP_CHECK, ended("", code=127, error="bash: tap: not found")) == (
        "errored",
        "the TAP output has 0 plans (1..N), not one; exit code 127: bash: tap: not found",
    )


@pytest.mark.parametrize(
    ("output", "outcome", "detail"),
    [
        (
            '<?xml version="1.0" encoding="UTF-8"?>\n<testsuite><testcase name="a"/></testsuite>\n',
            "passed",
            "1 of 1 passed",
        ),
        (
            '<testsuites><testsuite><testcase name="a"/><testcase name="b"><skipped/></testcase>'
            '</testsuite><testsuite><testcase name="c"/></testsuite></testsuites>',
            "passed",
            "2 of 3 passed, 1 skipped",
        ),
        (
            '<testsuite><testcase name="a"><failure message="is off"/></testcase>'
            '<testcase name="b"><error>no such file</error></testcase><testcase name="c"/>'
            "</testsuite>",
            "failed",
            "2 of 3 failed: a: is off; b: no such file",
        ),
        (
            "<testsuite><testsuite><testcase name='deep'><failure/></testcase></testsuite>"
            "</testsuite>",
            "failed",
            "1 of 1 failed: deep",
        ),
        (
            '<testsuite failures="0" errors="2"><testcase name="a"/></testsuite>',
            "failed",
            "1 of 1 failed: the suite counts 2 failures, its cases show 0",
        ),
        ("<testsuite/>", "errored", "it ran no test"),
        ("<testsuites/>", "errored", "it ran no test"),
        ("<html/>", "errored", "the XML is not JUnit: Invalid format."),
        (
            '<testsuite failures="many"><testcase name="a"/></testsuite>',
            "errored",
            "the XML is not JUnit: invalid literal for int() with base 10: 'many'",
        ),
        ("", "errored", "the output is not XML: no element found: line 1, column 0"),
        (
            '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><testsuite>&b;</testsuite>',
            "errored",
            "the XML has a document type or entities",
        ),
    ],
)
def test_junit_fails_by_its_failures_and_errors(output: str, outcome: str, detail: str) -> None:
    assert read(JUNIT_CHECK, ended(output)) == (outcome, detail)


def test_output_that_azure_cut_off_is_told_so() -> None:
    whole = "<testsuite>" + '<testcase name="a"/>' * 300 + "</testsuite>"
    assert read(JUNIT_CHECK, ended(whole[-4096:])) == (
        "errored",
        "the output is not XML: not well-formed (invalid token): line 1, column 1 (Azure keeps "
        "only the last 4,096 bytes a check prints: print less)",
    )


def test_the_detail_is_at_most_1000_characters() -> None:
    cases = "".join(f"not ok {i} - {'x' * 50}\n" for i in range(1, 41))
    outcome, detail = read(TAP_CHECK, ended(f"1..40\n{cases}", code=1))
    assert outcome == "failed"
    assert len(detail) == 1000
    assert detail.startswith("40 of 40 failed: 1 - xxx")
    assert detail.endswith("x…")


def test_a_check_that_still_runs_cannot_be_read() -> None:
    with pytest.raises(ValueError, match="the run command of check hardening has not ended"):
        read_result(TAP_CHECK, RunCommandStatus(finished=False))
