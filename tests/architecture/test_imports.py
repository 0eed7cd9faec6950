"""Import rules the import linter cannot express."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = sorted((ROOT / "shared").rglob("*.py"))


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize("path", PRODUCT, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_entrypoints_import_azure_functions(path: Path) -> None:
    if path.is_relative_to(ROOT / "shared" / "entrypoints"):
        return
    assert not {n for n in imported(path) if n.startswith("azure.functions")}


@pytest.mark.parametrize("path", PRODUCT, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_settings_reader_and_the_composition_root_know_the_environment(path: Path) -> None:
    source = path.read_text()
    if path.name == "runtime.py":
        return
    assert "os.environ" not in source
    assert "getenv" not in source


def test_the_domain_knows_no_clock() -> None:
    for path in (ROOT / "shared" / "domain").rglob("*.py"):
        source = path.read_text()
        assert ".now(" not in source, path
        assert "time.time" not in source, path


HEAVY = ("azure.mgmt.compute", "azure.mgmt.imagebuilder", "azure.eventgrid", "azure.identity")


def test_importing_the_app_loads_no_management_sdk(app_environ: dict[str, str]) -> None:
    script = "import sys, function_app; print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT, env=app_environ, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip

    assert [name for name in HEAVY if name in done.stdout.split()] == []
