"""What is deployed: the product and nothing else, with exactly the locked libraries."""

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pathspec import GitIgnoreSpec

ROOT = Path(__file__).resolve().parents[2]

SHIPPED_AT_TOP = {
    "fleet.yaml",
    "function_app.py",
    "host.json",
    "images",
    "requirements.txt",
    "shared",
}
REQUIREMENT = re.compile(r"^(?P<name>[a-z0-9-]+)(?:\[[^]]*\])?==(?P<version>[^ ;\\]+)")
HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")


def shipped() -> list[str]:
    """Return what `.funcignore` leaves, as paths relative to the project."""
    spec = GitIgnoreSpec.from_lines((ROOT / ".funcignore").read_text().splitlines())
    return sorted(_walk(ROOT, spec))


def _walk(folder: Path, spec: GitIgnoreSpec) -> Iterator[str]:
    for entry in os.scandir(folder):
        path = Path(entry.path).relative_to(ROOT).as_posix()
        if spec.match_file(f"{path}/" if entry.is_dir() else path):
            continue
        if entry.is_dir():
            yield from _walk(Path(entry.path), spec)
        else:
            yield path


def test_only_the_product_is_deployed() -> None:
    assert {path.split("/")[0] for path in shipped()} == SHIPPED_AT_TOP


def test_every_module_of_the_product_is_deployed() -> None:
    modules = {p.relative_to(ROOT).as_posix() for p in (ROOT / "shared").rglob("*.py")}

    assert modules <= set(shipped())


def test_every_image_definition_and_script_is_deployed() -> None:
    files = {
        p.relative_to(ROOT).as_posix()
        for p in (ROOT / "images").rglob("*")
        if p.is_file() and p.suffix != ".md"
    }

    assert files <= set(shipped())


def test_the_deny_list_denies_and_never_allows() -> None:
    lines = (ROOT / ".funcignore").read_text().splitlines()

    assert [line for line in lines if line.startswith("!") or line.strip() in ("*", "/*")] == []


def locked() -> dict[str, dict[str, Any]]:
    """Return the packages of uv.lock by name."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    return {package["name"]: package for package in lock["package"]}


def needed_by_the_product() -> set[str]:
    """Follow the dependencies of the project, groups for development left out."""
    packages, found = locked(), set[str]()
    waiting = list(packages["assay"]["dependencies"])
    while waiting:
        wanted = waiting.pop()
        package = packages[wanted["name"]]
        extras = [
            d for extra in wanted.get("extra", []) for d in package["optional-dependencies"][extra]
        ]
        fresh = wanted["name"] not in found
        found.add(wanted["name"])
        waiting += [*(package.get("dependencies", []) if fresh else []), *extras]
    return found


def required() -> dict[str, tuple[str, set[str]]]:
    """Return version and hashes of each package in requirements.txt."""
    text = (ROOT / "requirements.txt").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if REQUIREMENT.match(line)]
    found = {}
    for line in lines:
        match = REQUIREMENT.match(line)
        assert match is not None
        found[match["name"]] = (match["version"], set(HASH.findall(line)))
    return found


def test_the_deployment_installs_what_the_product_needs_and_no_more() -> None:
    assert needed_by_the_product() == set(required())


def test_the_deployment_installs_the_locked_versions_with_their_hashes() -> None:
    packages = locked()
    expected = {
        name: (
            packages[name]["version"],
            {
                file["hash"]
                for file in [*packages[name].get("wheels", []), packages[name].get("sdist")]
                if file
            },
        )
        for name in required()
    }

    assert expected == required()
