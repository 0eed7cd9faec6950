"""The set-up script, which has to run before anything is installed."""

import ast
import re
import stat
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "tools" / "bootstrap.py"


@pytest.fixture(scope="module")
def bootstrap() -> ModuleType:
    spec = spec_from_file_location("bootstrap", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def program(folder: Path, says: str) -> str:
    """Make a program that prints *says*, whatever it is asked."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_the_oldest_python_it_names_can_read_it(bootstrap: ModuleType) -> None:
    ast.parse(SCRIPT.read_text(), feature_version=bootstrap.OLDEST_PYTHON)


def test_everything_that_decides_what_is_set_up_exists(bootstrap: ModuleType) -> None:
    assert [name for name in bootstrap.INPUTS if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("name", ["uv", "nodejs"])
def test_tools_are_pinned_to_one_version_with_hashes(name: str) -> None:
    text = (ROOT / "tools" / f"{name}-requirements.txt").read_text()
    pins = [line for line in text.splitlines() if line and not line.startswith(("#", " "))]

    assert len(pins) == 1
    assert re.match(r"[a-z-]+==\d+\.\d+\.\d+ \\$", pins[0])
    assert text.count("--hash=sha256:") > 1


def test_the_pinned_uv_is_new_enough(bootstrap: ModuleType) -> None:
    match = re.search(r"uv==(\d+)\.(\d+)", (ROOT / "tools" / "uv-requirements.txt").read_text())

    assert match is not None
    assert (int(match[1]), int(match[2])) >= bootstrap.OLDEST_UV


@pytest.mark.parametrize(
    ("says", "version"),
    [("uv 0.13.9 (x86_64)", (0, 13)), ("v20.20.2", (20, 20)), ("no version at all", (0,))],
)
def test_a_program_is_asked_for_its_version(
    bootstrap: ModuleType, tmp_path: Path, says: str, version: tuple[int, ...]
) -> None:
    assert bootstrap.version_of(program(tmp_path, says)) == version


def test_a_program_that_does_not_run_has_no_version(bootstrap: ModuleType, tmp_path: Path) -> None:
    assert bootstrap.version_of(str(tmp_path / "missing")) == (0,)
