"""Upstream release to published golden image, every message delivered twice."""

import base64
import json
from pathlib import Path

import aiohttp
import pytest

from localcloud.environment import SUBSCRIPTION
from tests.conformance.oav import validate
from tests.functional.conftest import Json, LocalAssay

pytestmark = pytest.mark.asyncio(loop_scope="module")

UBUNTU = {
    "publisher": "Canonical",
    "offer": "0001-com-ubuntu-server-jammy",
    "sku": "22_04-lts-gen2",
}
DEBIAN = {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2"}


async def promoted(local: LocalAssay, name: str) -> Json:
    """Wait until a version of the image is what `latest` means; return the image."""

    async def look() -> Json | None:
        image = await local.assay.image(name)
        return image if image["newest"] else None

    return await local.until(look, f"a promoted version of {name}")


async def test_an_upstream_release_becomes_a_published_image(local: LocalAssay) -> None:
    await local.simulation.upstream_publishes(UBUNTU, "22.04.202611010")
    await local.simulation.let_check_fail(
        command="check-sshd", image="/ubuntu-22-04/", unless="reset-sshd", says="root may log in"
    )
    await local.assay.look_at_marketplace()

    async def started() -> str | None:
        builds = await local.assay.builds("ubuntu-22-04")
        return builds[0]["id"] if builds else None

    build = await local.finished(await local.until(started, "a build of ubuntu-22-04"))
    image = await promoted(local, "ubuntu-22-04")

    assert build["phase"] == "released"
    assert build["source_version"] == "22.04.202611010"
    assert [a["repairs"] for a in build["attempts"]] == [[], ["reset-sshd"]]
    assert image["newest"]["version"] == build["attempts"][1]["version"]


async def test_azure_resolves_latest_to_the_published_version(local: LocalAssay) -> None:
    image = await local.assay.image("ubuntu-22-04")
    listed = await local.azure.http.call(
        "GET", f"{image['image_id']}/versions?api-version=2024-03-03"
    )
    excluded = {
        v["name"]: v["properties"]["publishingProfile"]["excludeFromLatest"]
        for v in listed["value"]
    }

    assert excluded.pop(image["newest"]["version"]) is False
    assert set(excluded.values()) == {True}


async def test_nothing_is_left_behind_in_azure(local: LocalAssay) -> None:
    async def look() -> bool | None:
        vms = await local.azure.http.call(
            "GET",
            f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/virtualMachines"
            "?api-version=2024-07-01",
        )
        templates = await local.azure.http.call(
            "GET",
            f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.VirtualMachineImages"
            "/imageTemplates?api-version=2024-02-01",
        )
        kept = [t["name"][-3:] for t in templates["value"] if "ubuntu-22-04" in t["name"]]
        left = [v["name"] for v in vms["value"] if "verify" in v["name"]]
        return True if kept == ["-a1"] and not left else None

    what = "an Azure with no verification VM, and no template but the failed attempt's for its logs"
    assert await local.until(look, what) is True


async def test_one_build_is_made_however_often_it_is_asked_for(local: LocalAssay) -> None:
    await local.simulation.upstream_publishes(DEBIAN, "0.20261120.2400")
    first = await local.assay.publish("debian-12")
    second = await local.assay.publish("debian-12")
    build = await local.finished(first["build"])

    assert second["build"] == first["build"]
    assert (first["reused"], second["reused"]) == (False, True)
    assert build["phase"] == "released"
    assert len(build["attempts"]) == 1
    builds = await local.assay.builds("debian-12")
    assert [b["source_version"] for b in builds].count("0.20261120.2400") == 1


async def test_the_same_release_is_announced_under_one_event_id(local: LocalAssay) -> None:
    published = [e for e in local.events("ImagePublished") if e["subject"] == "images/debian-12"]
    ids = {e["data"]["build"]: e["id"] for e in published}

    assert published
    assert {e["id"] for e in published} == set(ids.values())


@pytest.mark.parametrize("encode", [str.encode, lambda t: base64.b64encode(t.encode())])
async def test_an_event_straight_in_a_queue_is_taken_plain_and_in_base64(
    local: LocalAssay, unique: str, encode: object
) -> None:
    version = f"0.20261201.{int(unique[:6], 16)}"
    await local.simulation.upstream_publishes(DEBIAN, version)
    event = {
        "specversion": "1.0", "type": "Assay.SourceVersionPublished", "source": "/somebody",
        "id": unique, "subject": "sources/debian", "time": "2026-11-22T12:00:00Z",
        "data": {**DEBIAN, "version": version},
    }  # fmt: skip
    await local.put("start-build", encode(json.dumps(event)).decode())  # type: ignore[operator]

    async def look() -> bool | None:
        builds = await local.assay.builds("debian-12")
        return True if any(b["source_version"] == version for b in builds) else None

    assert await local.until(look, f"a build from {version}") is True


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("this is {} no JSON", "is neither JSON nor base64 of JSON"),
        ('{{"kind": "start_build", "body": {{"definition": "{}"}}}}', "has version None"),
        ('{{"kind": "start_build", "version": 99, "body": {{"x": "{}"}}}}', "upgrade Assay"),
        ('{{"kind": "make_tea", "version": 1, "body": {{"x": "{}"}}}}', "no step answers"),
        ('{{"kind": "start_build", "version": 1, "body": {{"definition": "{}"}}}}', "malformed"),
        ('{{"hello": "{}"}}', "event"),
        (
            '{{"kind": "start_build", "version": 1, "body": {{"definition": "no-{}", '
            '"source_version": "1.2.3", "requested_by": "http"}}}}',
            "there is no image definition",
        ),
    ],
)
async def test_what_cannot_be_done_is_parked_with_the_reason(
    local: LocalAssay, unique: str, text: str, reason: str
) -> None:
    await local.put("start-build", text.format(unique))

    parked = await local.parked(unique)

    assert reason in parked["reason"]
    assert parked["queue"] == "start-build"


async def test_a_parked_message_can_be_replayed_and_discarded(
    local: LocalAssay, unique: str
) -> None:
    await local.put("start-build", f'{{"hello": "{unique}"}}')
    parked = await local.parked(unique)
    await local.assay.http.call("POST", f"/api/v1/messages/parked/{parked['id']}/replay")

    async def parked_again() -> str | None:
        found = [m["id"] for m in await local.assay.parked() if unique in m["text"]]
        return found[0] if found and found != [parked["id"]] else None

    again = await local.until(parked_again, "the message parked again")
    await local.assay.http.call("DELETE", f"/api/v1/messages/parked/{again}")
    assert [m for m in await local.assay.parked() if unique in m["text"]] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/v1/images/no-such-image/publish", None, 404),
        ("GET", "/api/v1/images/no-such-image", None, 404),
        ("GET", "/api/v1/images/debian-12/versions/9.9.9", None, 404),
        ("GET", "/api/v1/builds/no-such-build", None, 404),
        ("GET", "/api/v1/vms/no-such-vm", None, 404),
        ("POST", "/api/v1/images/debian-12/publish", b"{not json", 400),
        ("POST", "/api/v1/images/debian-12/publish", b'{"force": "perhaps"}', 400),
        ("POST", "/api/v1/images/debian-12/publish", b'{"source_version": "latest"}', 400),
        ("GET", "/api/v1/vms?limit=many", None, 400),
        ("GET", "/api/v1/vms?cursor=made-up", None, 400),
    ],
)
async def test_bad_requests_are_answered_as_problems(
    local: LocalAssay, method: str, path: str, body: bytes | None, status: int
) -> None:
    url = f"{local.host.base_url}{path}"
    async with aiohttp.ClientSession() as http, http.request(method, url, data=body) as response:
        problem = await response.json(content_type="application/problem+json")

    assert response.status == problem["status"] == status
    assert problem["detail"]


async def test_the_traffic_was_as_azures_specifications_say(
    local: LocalAssay, tmp_path: Path
) -> None:
    await local.simulation.http.call("POST", "/_sim/traffic/dump", {"dir": str(tmp_path)})

    assert len(list(tmp_path.glob("*.json"))) > 100
    assert await validate(tmp_path) == []
