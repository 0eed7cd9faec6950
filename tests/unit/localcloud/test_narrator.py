"""What is told in the terminal."""

import io
import re
from datetime import timedelta

import pytest
from rich.console import Console

from localcloud.narrator import Narrator, length

VM = {
    "name": "web-01",
    "team": None,
    "kind": "pet",
    "image": {"definition": None, "id": "canonical:ubuntu:22_04-lts", "version": "22.04.1"},
    "verdict": "unapproved",
    "policy": "noncompliant",
    "deleted_at": "2026-01-01T00:00:00.000Z",
}


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(seconds=45.4), "45 s"),
        (timedelta(minutes=12, seconds=10), "12 min"),
        (timedelta(hours=1, minutes=5), "1 h 5 min"),
        (timedelta(minutes=59, seconds=45), "1 h 0 min"),
    ],
)
def test_durations_are_written_for_people(duration: timedelta, text: str) -> None:
    assert length(duration) == text


def test_a_vm_is_one_row_with_its_image_verdict_and_policy() -> None:
    output = io.StringIO()

    Narrator(Console(file=output)).vms("Who runs what", [VM])

    row = next(line for line in output.getvalue().splitlines() if "web-01" in line)
    cells = re.split(r"  +", row.strip())
    assert cells == [
        "web-01", "-", "pet", "Marketplace 22_04-lts", "22.04.1", "unapproved (deleted)",
        "noncompliant",
    ]  # fmt: skip


def test_what_others_wrote_is_shown_as_it_is() -> None:
    output = io.StringIO()

    Narrator(Console(file=output)).bad("ubuntu", "check [red] failed: [/x]")

    assert "check [red] failed: [/x]" in output.getvalue()
