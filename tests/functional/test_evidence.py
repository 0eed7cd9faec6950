"""Evidence of released versions, fetched by the API and verified offline."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from shared.domain.evidence import tattoo_digest
from shared.domain.tattoo import render
from tests.functional.conftest import ROOT, Json, LocalAssay

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEBIAN = {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2"}


async def released(local: LocalAssay, source_version: str) -> Json:
    """Return the newest version of debian-12, made from *source_version*."""
    await local.simulation.upstream_publishes(DEBIAN, source_version)
    build = await local.finished((await local.assay.publish("debian-12"))["build"])
    assert build["phase"] == "released", build["history"]
    path = f"/api/v1/images/debian-12/versions/{build['version']}"
    page: Json = await local.assay.http.call("GET", path)
    return page


async def newest(local: LocalAssay) -> str:
    """Return the number of the newest version of debian-12."""
    listed = await local.assay.http.call("GET", "/api/v1/images/debian-12/versions")
    return str(listed["items"][0]["version"])


async def fetch(local: LocalAssay, path: str, to: Path) -> Path:
    async with local.http.get(f"{local.host.base_url}/api/v1/{path}") as response:
        text = await response.text()
        assert response.status == 200, text
    return written(to, text)


def written(to: Path, text: str) -> Path:
    to.write_text(text)
    return to


def verify(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the documented command, in an environment that reaches nothing."""
    script = str(ROOT / "tools" / "verify_provenance.py")
    return subprocess.run(
        [sys.executable, script, *map(str, arguments)],
        capture_output=True, text=True, timeout=60, check=False, env={"PATH": ""},
    )  # fmt: skip


async def test_the_provenance_of_a_release_is_verified_offline(
    local: LocalAssay, tmp_path: Path
) -> None:
    version = await released(local, "0.20261101.2400")
    page = f"images/debian-12/versions/{version['version']}"
    facts = {k: v for k, v in version["tattoo"].items() if k != "published-at"}
    tattoo = tmp_path / "tattoo"
    tattoo.write_text(render(facts))
    files = {
        "--key": await fetch(local, "signing-key", tmp_path / "assay.pub"),
        "--build-statement": await fetch(
            local, f"{page}/provenance?statement=build", tmp_path / "build.json"
        ),
        "--sbom": await fetch(local, f"{page}/sbom", tmp_path / "sbom.json"),
        "--tattoo": tattoo,
    }
    provenance = await fetch(local, f"{page}/provenance", tmp_path / "provenance.json")

    ended = verify(provenance, *(part for pair in files.items() for part in pair))

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[1] == f"version      debian-12 {version['version']}"
    assert ended.stdout.splitlines()[-1] == "tattoo       genuine: the VM runs this version"
    assert tattoo_digest(tattoo.read_text()) == version["evidence"]["tattoo_digest"]


async def test_what_was_changed_is_not_verified(local: LocalAssay, tmp_path: Path) -> None:
    page = f"images/debian-12/versions/{await newest(local)}"
    key = await fetch(local, "signing-key", tmp_path / "assay.pub")
    provenance = await fetch(local, f"{page}/provenance", tmp_path / "provenance.json")
    envelope = json.loads(provenance.read_text())
    envelope["payload"] = envelope["payload"][:-8] + "AAAAAAA="
    provenance.write_text(json.dumps(envelope))

    ended = verify(provenance, "--key", key)

    assert ended.returncode == 1
    assert ended.stderr.endswith("was not signed with this key, or was changed\n")


async def test_a_vms_tattoo_is_proved_by_the_api(local: LocalAssay) -> None:
    path = f"/api/v1/images/debian-12/versions/{await newest(local)}"
    version = await local.assay.http.call("GET", path)
    facts = {k: v for k, v in version["tattoo"].items() if k != "published-at"}
    url = f"{local.host.base_url}/api/v1/tattoos/prove"

    async with local.http.post(url, data=render(facts)) as response:
        genuine = await response.json()
    async with local.http.post(url, data=render({**facts, "os": "windows"})) as response:
        forged = await response.json()

    assert (genuine["proved"], genuine["faults"]) == (True, [])
    assert forged["proved"] is False
    assert forged["faults"][0] == "os is windows, expected linux"


async def test_two_releases_are_compared(local: LocalAssay) -> None:
    old = await newest(local)
    new = (await released(local, "0.20261120.2500"))["version"]
    asked = f"images/debian-12/diff?from={old}&to={new}"
    page = await local.assay.http.call("GET", f"/api/v1/images/debian-12/versions/{new}")

    diff = await local.assay.http.call("GET", f"/api/v1/{asked}")
    async with local.http.get(
        f"{local.host.base_url}/api/v1/{asked}", headers={"Accept": "text/plain"}
    ) as response:
        text = await response.text()

    assert diff["summary"] == page["evidence"]["changes"]
    assert text.startswith(f"debian-12 {old} -> {new}: {diff['summary']}\n")
