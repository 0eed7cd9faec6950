"""Runs Microsoft's traffic validator (`oav`) on recorded exchanges."""

import asyncio
import fcntl
import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.samples import samples_folder

_HERE = Path(__file__).parent
_PROGRAM = _HERE / "node_modules" / "oav" / "dist" / "cli.js"
_SECONDS = 120
# The versions of the saved specifications, by the resource a URL names.
_SAVED = (
    (re.compile(r"/Microsoft\.VirtualMachineImages/", re.IGNORECASE), "2024-02-01"),
    (re.compile(r"/Microsoft\.Compute/galleries", re.IGNORECASE), "2023-07-03"),
    (re.compile(r"/Microsoft\.Compute/", re.IGNORECASE), "2024-07-01"),
    (re.compile(r"/Microsoft\.PolicyInsights/", re.IGNORECASE), "2024-10-01"),
    (re.compile(r"/Microsoft\.ResourceGraph/", re.IGNORECASE), "2024-04-01"),
)
# Operations the saved specifications do not have: the validator would know nothing of them.
# Attestations are in a specification of their own, api-version 2022-09-01.
_NOT_SAVED = re.compile(r"/Microsoft\.PolicyInsights/attestations", re.IGNORECASE)
# Real Azure answers to these deviate from its own specifications, too.
DEVIATING_IN_AZURE = frozenset(
    {
        "VirtualMachineImages_Get",
        "VirtualMachineImages_List",
        "VirtualMachineImages_ListSkus",
        "GallerySharingProfile_Update",
        "VirtualMachineScaleSetVMs_Get",
        "PolicyStates_ListQueryResultsForResource",
    }
)


# Fields the saved specifications do not know yet: safetyProfile of gallery image versions has this
# one since api-version 2024-03-03 (models of azure-mgmt-compute 39).
NEWER = frozenset({"Additional properties not allowed: blockDeletionBeforeEndOfLife"})


@dataclass(frozen=True)
class Deviation:
    """One way in which an exchange is not what the specification says.

    `source` is "request" (what the client sent) or "response" (what the simulator answered).
    """

    operation: str
    source: str
    code: str
    message: str


@dataclass(frozen=True)
class Report:
    """What the validator found, and which operations it knew and saw."""

    deviations: list[Deviation]
    covered: int
    passed: frozenset[str]

    def beyond_azure(self) -> list[Deviation]:
        """The deviations in operations that real Azure answers by its specifications."""
        return [
            each
            for each in self.deviations
            if each.operation not in DEVIATING_IN_AZURE and each.message not in NEWER
        ]


async def validate(traffic: Path) -> list[Deviation]:
    """What is wrong with the payload files of a folder, besides what is wrong in Azure itself."""
    return (await inspect(traffic)).beyond_azure()


async def inspect(traffic: Path) -> Report:
    """All that the validator says; skips the test where something is missing."""
    specification = samples_folder() / "specification"
    if not specification.is_dir():
        pytest.skip(f"oav needs the official specifications in {specification}")
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("oav needs Node.js and npm on PATH")
    await asyncio.to_thread(_install, npm)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        _rewrite(traffic, work / "traffic")
        report = work / "report.json"
        process = await asyncio.create_subprocess_exec(
            node,
            str(_PROGRAM),
            "validate-traffic",
            str(work / "traffic"),
            str(specification),
            "--jsonReport",
            str(report),
            "-l",
            "off",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=work,
        )
        async with asyncio.timeout(_SECONDS):
            output, _ = await process.communicate()
        assert report.is_file(), output.decode(errors="replace")[-2000:]
        return _read(json.loads(report.read_text(encoding="utf-8")))


def _install(npm: str) -> None:
    """Install the locked oav where it is missing; one process at a time."""
    with (_HERE / "package-lock.json").open(encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _PROGRAM.is_file():
            return
        done = subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund"],
            cwd=_HERE, capture_output=True, text=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
        if done.returncode:
            pytest.skip(f"oav cannot be installed from npm: {done.stderr[-300:]}")


def _rewrite(traffic: Path, target: Path) -> None:
    target.mkdir()
    for path in sorted(traffic.glob("*.json")):
        payload = json.loads(path.read_text(encoding="utf-8"))
        request = payload["liveRequest"]
        if _NOT_SAVED.search(request["url"]):
            continue
        for pattern, version in _SAVED:
            if pattern.search(request["url"]):
                request["url"] = re.sub(
                    r"api-version=[^&]+", f"api-version={version}", request["url"]
                )
                break
        (target / path.name).write_text(json.dumps(payload), encoding="utf-8")


def _read(report: dict[str, Any]) -> Report:
    return Report(
        deviations=[
            Deviation(
                operation=error["operationId"],
                source=error.get("issueSource", ""),
                code=error["errorCode"],
                message=error["errorMessage"],
            )
            for error in report["errors"]
        ],
        covered=report["coveredOperations"],
        passed=frozenset(
            operation
            for specification in report["passedOperationsList"]
            for operation in specification["operationIds"]
        ),
    )
