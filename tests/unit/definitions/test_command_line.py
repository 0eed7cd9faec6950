"""`python -m shared.definitions`."""

from pathlib import Path

import pytest

from shared.definitions.__main__ import main
from shared.definitions.schema import schema_text
from tests.unit.definitions.files import MINIMAL, definition


def test_check_lists_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    definition(tmp_path)
    assert main(["check", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "tiny: 0 customizers, 0 checks, 0 repairs, to westeurope\n"


def test_check_names_every_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = definition(tmp_path, MINIMAL.replace("linux\nmajor: 1", "linux\nmajor: -1"))
    assert main(["check", str(tmp_path)]) == 1
    assert capsys.readouterr().out == f"{path}:4: major: must be at least 0, is -1\n"


def test_schema_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == schema_text()
