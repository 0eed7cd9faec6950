"""A release on its way through the channels, every message delivered twice."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.functional.conftest import LocalAssay

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAME = "debian-12"
IMAGE = f"/api/v1/images/{NAME}"
DEBIAN = {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2"}

type Json = dict[str, Any]


async def channel(local: LocalAssay, name: str) -> Json:
    return dict(await local.assay.http.call("GET", f"{IMAGE}/channels/{name}"))


async def shows(local: LocalAssay, name: str, version: str) -> Json:
    """Wait until the channel *name* shows *version*."""

    async def look() -> Json | None:
        status, _ = await get(local, f"{IMAGE}/channels/{name}")
        seen = await channel(local, name) if status == 200 else None
        return seen if seen and seen["version"] == version else None

    return await local.until(look, f"channel {name} with {version}")


async def get(local: LocalAssay, path: str, **headers: str) -> tuple[int, dict[str, str]]:
    url = f"{local.host.base_url}{path}"
    async with local.http.get(url, headers=headers) as response:
        return response.status, {k.lower(): v for k, v in response.headers.items()}


async def release(local: LocalAssay, source_version: str) -> str:
    """Have a version released from *source_version*; return its number."""
    await local.simulation.upstream_publishes(DEBIAN, source_version)
    started = await local.assay.publish(NAME)
    build = await local.finished(started["build"])
    assert build["phase"] == "released"
    return str(build["attempts"][-1]["version"])


async def offered(local: LocalAssay) -> set[str]:
    """Return the versions Azure does not exclude from latest."""
    image = await local.assay.image(NAME)
    listed = await local.azure.http.call(
        "GET", f"{image['image_id']}/versions?api-version=2024-03-03"
    )
    return {
        v["name"]
        for v in listed["value"]
        if not v["properties"]["publishingProfile"]["excludeFromLatest"]
    }


def until_offered(
    local: LocalAssay, wanted: set[str]
) -> Callable[[], Awaitable[bool | None]]:  # fmt: skip
    async def look() -> bool | None:
        return True if await offered(local) == wanted else None

    return look


async def move(local: LocalAssay, path: str, body: Json) -> Json:
    return dict(await local.assay.http.call("POST", f"{IMAGE}/{path}", body))


async def test_releases_go_through_canary_to_stable(local: LocalAssay) -> None:
    first = await release(local, "0.20261120.2400")
    await shows(local, "stable", first)
    second = await release(local, "0.20261121.2401")
    assert (await shows(local, "canary", second))["version"] == second
    stable = await shows(local, "stable", second)

    assert await local.until(until_offered(local, {first, second}), "both on offer") is True
    assert stable["id"].endswith(f"/images/{NAME}/versions/{second}")
    versions = await local.assay.http.call("GET", f"{IMAGE}/versions")
    assert [v["state"] for v in versions["items"]] == ["released", "aged"]
    # Words follow deeds: the announcement may still be on its way.
    assert await local.until(said(local, "ImagePromoted", {first, second}), "both promotions said")
    assert await local.until(said(local, "ImageAged", {first}), "the first version said to be aged")


def said(local: LocalAssay, kind: str, versions: set[str]) -> Callable[[], Awaitable[bool | None]]:
    """Return a look at whether each of *versions*, and no other, was announced under one id."""

    async def look() -> bool | None:
        by_id = {e["id"]: e["data"]["version"] for e in local.events(kind)}
        return True if sorted(by_id.values()) == sorted(versions) else None

    return look


async def test_a_channel_is_asked_again_for_nothing(local: LocalAssay) -> None:
    path = f"{IMAGE}/channels/stable"
    status, headers = await get(local, path)

    again, _ = await get(local, path, **{"If-None-Match": headers["etag"]})

    assert (status, again) == (200, 304)


async def test_a_rollback_and_a_promotion_by_hand(local: LocalAssay) -> None:
    second = (await channel(local, "stable"))["version"]
    await move(local, "channels/stable/rollback", {"reason": "it is slow"})
    first = (await channel(local, "stable"))["version"]

    assert first != second
    assert await local.until(until_offered(local, {first}), "only the older one on offer") is True

    await move(local, f"versions/{second}/promote", {"channel": "stable", "reason": "it is not"})
    await shows(local, "stable", second)
    both = until_offered(local, {first, second})
    assert await local.until(both, "both on offer again") is True
    told = {e["id"] for e in local.events("ImageRolledBack")}
    assert len(told) == 1


async def test_a_revoked_version_is_hidden_and_a_restored_one_is_back(local: LocalAssay) -> None:
    second = (await channel(local, "stable"))["version"]
    await move(local, f"versions/{second}/revoke", {"reason": "CVE-2026-1"})
    first = (await channel(local, "stable"))["version"]

    assert first != second
    assert (await channel(local, "canary"))["version"] == first
    assert await local.until(until_offered(local, {first}), "the revoked one hidden") is True

    await move(local, f"versions/{second}/restore", {"reason": "false alarm"})
    await shows(local, "canary", second)
    both = until_offered(local, {first, second})
    assert await local.until(both, "both on offer again") is True
    for name in ("ImageRevoked", "ImageRestored"):
        assert len({e["id"] for e in local.events(name)}) == 1
    assert await local.assay.parked() == []


async def test_what_may_not_be_is_answered_409(local: LocalAssay) -> None:
    versions = (await local.assay.http.call("GET", f"{IMAGE}/versions"))["items"]
    newest, aged = (v["version"] for v in versions)
    for path in (f"{newest}/retire", f"{aged}/restore"):
        url = f"{local.host.base_url}{IMAGE}/versions/{path}"
        async with local.http.post(url, json={"reason": "no reason"}) as response:
            assert response.status == 409, await response.text()


async def test_a_version_nobody_uses_is_deleted_after_its_end_of_life(local: LocalAssay) -> None:
    versions = (await local.assay.http.call("GET", f"{IMAGE}/versions"))["items"]
    old = next(v["version"] for v in versions if v["state"] == "aged")
    url = f"{local.host.base_url}{IMAGE}/versions/{old}/retire"

    async with local.http.post(url, json={"reason": "nobody uses it"}) as response:
        answer = await response.text()

    # It lives on for 90 days, and until then Azure itself refuses to delete it.
    assert response.status == 409, answer
    assert "Azure blocks its deletion until its end of life" in answer
