"""Scripts are clean before anybody runs them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shared.domain.image_definition import OperatingSystem
from shared.factory.tattoo_customizer import tattoo_customizer

SCRIPTS = Path(__file__).parents[3] / "images" / "scripts"
SHELLCHECK = shutil.which("shellcheck", path=Path(sys.executable).parent)


def shellcheck(*arguments: str, text: str | None = None) -> str:
    """Return what shellcheck finds; it comes with the development dependencies."""
    assert SHELLCHECK, "shellcheck is not installed beside this Python: run `uv sync`"
    done = subprocess.run(
        [SHELLCHECK, *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


def test_shellcheck_finds_nothing_in_the_shell_scripts() -> None:
    scripts = sorted(map(str, SCRIPTS.rglob("*.sh")))
    assert len(scripts) == 19
    assert shellcheck(*scripts) == ""


def test_shellcheck_finds_nothing_in_the_tattoo() -> None:
    script = tattoo_customizer(OperatingSystem.LINUX, {"definition": "tiny"}).script
    # SC1091: it reads the guest's os-release, which is not here to be followed.
    assert shellcheck("--exclude=SC1091", "-", text=script) == ""


@pytest.mark.parametrize("path", sorted(SCRIPTS.rglob("*.ps1")), ids=lambda p: p.stem)
def test_powershell_stops_at_errors_and_is_plain_ascii(path: Path) -> None:
    # Windows PowerShell reads a file without byte order mark in the machine's code page.
    text = path.read_bytes().decode("ascii")
    lines = text.splitlines()
    first = next(line for line in lines if line and not line.startswith("#"))
    assert first == "$ErrorActionPreference = 'Stop'"
    assert max(map(len, lines)) <= 120
