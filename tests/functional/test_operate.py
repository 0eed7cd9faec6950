"""What people ask for over HTTP, on the whole product: every queue message delivered twice."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from localcloud.environment import SUBSCRIPTION
from shared.announcements import EVENT_TYPE_BY_NAME
from tests.functional.conftest import Json, LocalAssay

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).resolve().parents[2]
DEBIAN = {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2"}
WHY = {"reason": "the functional test says so"}


async def _ask(
    local: LocalAssay, method: str, path: str, body: Json | None = None, **headers: str
) -> tuple[int, Any, Mapping[str, str]]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"{local.host.base_url}/api/v1/{path}"
    async with local.http.request(method, url, json=body, headers=given) as response:
        text = await response.text()
        try:
            answer = json.loads(text) if text else None
        except ValueError:
            answer = text
        return response.status, answer, response.headers


async def _released(local: LocalAssay, source_version: str) -> Json:
    await local.simulation.upstream_publishes(DEBIAN, source_version)
    status, asked, _ = await _ask(local, "POST", "images/debian-12/publish")
    assert status == 202, asked
    build = await local.finished(asked["build"])
    assert build["phase"] == "released"
    return build


async def _channel(local: LocalAssay, version: str, channel: str = "stable") -> Json:
    async def look() -> Json | None:
        status, body, _ = await _ask(local, "GET", f"images/debian-12/channels/{channel}")
        return body if status == 200 and body["version"] == version else None

    return await local.until(look, f"version {version} in {channel}")


async def test_a_release_reaches_the_channel_pipelines_read(local: LocalAssay) -> None:
    build = await _released(local, "0.20270101.1")
    shown = await _channel(local, build["version"])

    assert shown["id"].endswith(f"/images/debian-12/versions/{build['version']}")
    path = "images/debian-12/channels/stable"
    _, _, headers = await _ask(local, "GET", path)
    status, body, again = await _ask(local, "GET", path, If_None_Match=headers["ETag"])
    assert (status, body, again["ETag"]) == (304, None, headers["ETag"])
    assert headers["Cache-Control"] == "private, no-cache"
    status, text, _ = await _ask(local, "GET", path, Accept="text/plain")
    assert (status, text) == (200, shown["id"])


async def test_a_key_makes_one_build_of_two_requests(local: LocalAssay, unique: str) -> None:
    body = {"force": True, **WHY}
    first, second = await asyncio.gather(
        *(
            _ask(local, "POST", "images/debian-12/publish", body, Idempotency_Key=unique)
            for _ in range(2)
        )
    )
    third = await _ask(local, "POST", "images/debian-12/publish", body, Idempotency_Key=unique)
    other = await _ask(
        local, "POST", "images/debian-12/publish", {"force": False}, Idempotency_Key=unique
    )

    assert {first[1]["build"], second[1]["build"]} == {third[1]["build"]}
    assert third[2]["Idempotency-Replayed"] == "true"
    assert (other[0], other[1]["type"]) == (422, "urn:assay:problem:key-reused")
    await _ask(local, "POST", f"builds/{third[1]['build']}/cancel", WHY)


async def test_a_build_is_cancelled_with_all_it_does_in_azure(
    local: LocalAssay, unique: str
) -> None:
    _, asked, _ = await _ask(local, "POST", "images/debian-12/publish", {"force": True})
    path = f"builds/{asked['build']}"

    async def building() -> bool | None:
        build = await local.assay.build(asked["build"])
        return True if build["phase"] not in {"queued"} else None

    await local.until(building, "a build under way")
    status, body, _ = await _ask(local, "POST", f"{path}/cancel", WHY, Idempotency_Key=unique)
    assert (status, body["phase"]) == (200, "cancelled")
    status, again, headers = await _ask(
        local, "POST", f"{path}/cancel", WHY, Idempotency_Key=unique
    )
    assert (status, again, headers["Idempotency-Replayed"]) == (200, body, "true")

    async def gone() -> bool | None:
        listed = await local.azure.http.call(
            "GET",
            f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.VirtualMachineImages"
            "/imageTemplates?api-version=2024-02-01",
        )
        runs = [
            (t["properties"].get("lastRunStatus") or {}).get("runState")
            for t in listed["value"]
            if asked["build"] in t["name"]
        ]
        return True if not {"Running", "Canceling"} & set(runs) else None

    assert await local.until(gone, "no run of a cancelled build") is True
    build = await local.assay.build(asked["build"])
    assert (build["phase"], build["finished"]) == ("cancelled", True)
    told = [e for e in local.events("BuildCancelled") if e["data"]["build"] == asked["build"]]
    assert len({e["id"] for e in told}) == 1


async def test_a_revoked_version_leaves_the_channel_and_comes_back(local: LocalAssay) -> None:
    first = await _released(local, "0.20270102.1")
    await _channel(local, first["version"])
    second = await _released(local, "0.20270103.1")
    shown = await _channel(local, second["version"])
    path = f"images/debian-12/versions/{second['version']}"

    status, revoked, _ = await _ask(local, "POST", f"{path}/revoke", WHY)
    assert (status, revoked["state"]) == (200, "revoked")
    await _channel(local, first["version"])
    status, refused, _ = await _ask(local, "POST", f"{path}/promote", {})
    assert (status, refused["present"]["state"]) == (409, "revoked")
    status, restored, _ = await _ask(local, "POST", f"{path}/restore", WHY)
    assert (status, restored["state"]) == (200, "released")
    assert (await _channel(local, second["version"]))["id"] == shown["id"]

    _, audit, _ = await _ask(local, "GET", f"audit?image=debian-12&subject={path}")
    assert [(e["what"], e["outcome"]) for e in audit["items"]] == [
        ("restore", "done"), ("promote", "refused"), ("revoke", "done"),
    ]  # fmt: skip
    assert {e["who"] for e in audit["items"]} == {"function-key"}
    revoke = audit["items"][-1]
    assert revoke["why"] == WHY["reason"]
    assert (revoke["before"]["state"], revoke["after"]["state"]) == ("released", "revoked")


async def test_a_channel_is_rolled_back_over_http(local: LocalAssay, unique: str) -> None:
    _, before, _ = await _ask(local, "GET", "images/debian-12/channels/stable")
    status, body, _ = await _ask(
        local, "POST", "images/debian-12/channels/stable/rollback", WHY, Idempotency_Key=unique
    )
    assert status == 200, body
    assert body["channels"]["stable"] != before["version"]
    _, now, _ = await _ask(local, "GET", "images/debian-12/channels/stable")
    assert now["version"] == body["channels"]["stable"]
    assert now["history"][0]["kind"] == "rolled-back"


async def test_an_image_is_paused_and_resumed(local: LocalAssay) -> None:
    status, paused, _ = await _ask(local, "POST", "images/debian-12/pause", WHY)
    assert (status, paused["paused"]) == (200, True)
    status, resumed, _ = await _ask(local, "POST", "images/debian-12/resume", {})
    assert (status, resumed["paused"]) == (200, False)


async def test_everything_announced_fits_the_published_schemas(local: LocalAssay) -> None:
    events = [e.as_cloud_event() for e in local.simulator.cloud.events.log]
    ours = [e for e in events if str(e.get("type", "")).startswith("Assay.")]
    seen = set()
    for event in ours:
        kind = EVENT_TYPE_BY_NAME[event["type"].removeprefix("Assay.")]
        schema = json.loads((ROOT / "docs/schemas/events" / kind.schema_name).read_text())
        jsonschema.validate(event["data"], schema)
        seen.add(kind.name)
    assert {"ImagePublished", "BuildCancelled", "ImageRevoked", "ImagePromoted"} <= seen


async def test_the_chat_channel_is_told_once_of_what_concerns_people(local: LocalAssay) -> None:
    async def look() -> bool | None:
        wanted = ("is published", "is revoked", "was cancelled", "are paused")
        texts = local.chat.texts()
        return True if all(any(w in t for t in texts) for w in wanted) else None

    assert await local.until(look, "cards of every kind") is True
    revoked = [t for t in local.chat.texts() if "is revoked" in t]
    assert len(revoked) == 1


async def test_a_schema_is_served_at_a_stable_address(local: LocalAssay) -> None:
    status, schema, headers = await _ask(local, "GET", "schemas/events/ImageRevoked.v1.json")
    assert (status, schema["title"]) == (200, "Assay.ImageRevoked")
    assert headers["Cache-Control"] == "public, max-age=86400"
    assert (await _ask(local, "GET", "schemas/events/Nothing.v1.json"))[0] == 404


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("builds/no-such-build/cancel", WHY, 404),
        ("images/debian-12/versions/9.9.9/revoke", WHY, 404),
        ("images/debian-12/channels/beta/rollback", WHY, 404),
        ("images/debian-12/pause", {}, 400),
        ("images/debian-12/channels/stable/rollback", {"reason": "x" * 501}, 400),
        ("images/no-such-image/pause", WHY, 404),
    ],
)
async def test_moves_that_cannot_be_are_answered_as_problems(
    local: LocalAssay, path: str, body: Json, status: int
) -> None:
    got, problem, headers = await _ask(local, "POST", path, body)
    assert (got, problem["status"]) == (status, status)
    assert headers["Content-Type"].startswith("application/problem+json")
