"""What the simulated VMs print: nothing runs in them, so reports that checks expect are given."""

from collections.abc import Iterable, Mapping

from shared.domain.image_definition import Check, ImageDefinition, ResultFormat

_REPORTS = {
    ResultFormat.TAP: "1..1\nok 1 - {name}\n",
    ResultFormat.JUNIT: (
        '<testsuite name="{name}" tests="1"><testcase name="{name}"/></testsuite>\n'
    ),
}


def passing_reports(definitions: Iterable[ImageDefinition]) -> list[Mapping[str, object]]:
    """Return guest rules under which every check that reads a report finds a passing one.

    A check judged by its exit code needs none: a command no rule speaks of ends well.
    """
    return [
        {
            "command": check.name,
            "image": f"/{definition.name}/",
            "exit_code": 0,
            "stdout": _REPORTS[check.results].format(name=check.name),
        }
        for definition in definitions
        for check in definition.checks
        if _reads_report(check)
    ]


def _reads_report(check: Check) -> bool:
    return check.results in _REPORTS
