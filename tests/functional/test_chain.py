"""A golden image built from another: the parent is released, the child follows by itself."""

from typing import Any

import aiohttp
import pytest

from tests.functional.conftest import LocalAssay

pytestmark = pytest.mark.asyncio(loop_scope="module")

UBUNTU = {
    "publisher": "Canonical",
    "offer": "0001-com-ubuntu-server-jammy",
    "sku": "22_04-lts-gen2",
}
URN = "canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2"
RELEASE = "22.04.202611020"
PARENT, CHILD = "ubuntu-22-04", "web-ubuntu-22-04"

type Json = dict[str, Any]


async def newest_released(local: LocalAssay, name: str) -> Json | None:
    builds = [b for b in await local.assay.builds(name) if b["phase"] == "released"]
    return builds[0] if builds else None


async def version_of(local: LocalAssay, name: str, number: str, tail: str = "") -> Json:
    return dict(
        await local.assay.http.call("GET", f"/api/v1/images/{name}/versions/{number}{tail}")
    )


async def test_the_child_is_built_when_the_parents_channel_moves(local: LocalAssay) -> None:
    await local.simulation.upstream_publishes(UBUNTU, RELEASE)
    await local.assay.look_at_marketplace()
    parent = await local.until(lambda: newest_released(local, PARENT), "a release of the parent")
    child = await local.until(lambda: newest_released(local, CHILD), "a release of the child")

    assert parent["source_version"] == RELEASE
    assert child["source_version"] == parent["version"]
    assert (child["source_urn"], child["requested_by"]) == (f"{PARENT}@stable", "parent-version")
    assert len(await local.assay.builds(CHILD)) == 1


async def test_the_childs_tattoo_names_parent_and_marketplace_image(local: LocalAssay) -> None:
    build = await newest_released(local, CHILD)
    assert build is not None
    version = await version_of(local, CHILD, build["version"])
    shown = await local.azure.http.call("GET", f"{version['resource_id']}?api-version=2024-03-03")

    expected = {
        "source-image": PARENT,
        "source-image-version": build["source_version"],
        "source-publisher": "Canonical",
        "source-offer": UBUNTU["offer"],
        "source-sku": UBUNTU["sku"],
        "source-version": RELEASE,
    }
    assert {key: version["tattoo"].get(key) for key in expected} == expected
    assert {key: shown["tags"].get(f"assay-{key}") for key in expected} == expected
    assert shown["tags"]["VMImageBuilderSource"].startswith("SharedImageVersion ")


async def test_the_lineage_reaches_from_the_marketplace_to_the_child(local: LocalAssay) -> None:
    build = await newest_released(local, CHILD)
    assert build is not None
    above = await version_of(local, CHILD, build["version"], "/lineage")
    below = await version_of(local, PARENT, build["source_version"], "/lineage?depth=3")

    source = f"{URN}/{RELEASE}"
    parent, child = f"{PARENT}/{build['source_version']}", f"{CHILD}/{build['version']}"
    edges = [{"from": parent, "to": child}, {"from": source, "to": parent}]
    for family in (above, below):
        assert [n["id"] for n in family["nodes"]] == [source, parent, child]
        assert sorted(family["edges"], key=lambda e: e["from"]) == sorted(
            edges, key=lambda e: e["from"]
        )
        assert family["complete"] is True
    assert [n["generation"] for n in above["nodes"]] == [-2, -1, 0]
    assert [n["generation"] for n in below["nodes"]] == [-1, 0, 1]


@pytest.mark.parametrize(
    ("accept", "query", "media_type", "start"),
    [
        ("text/vnd.mermaid", "", "text/vnd.mermaid", "flowchart TD\n"),
        ("*/*", "?format=dot", "text/vnd.graphviz", "digraph lineage {\n"),
    ],
)
async def test_the_lineage_is_drawn(
    local: LocalAssay, accept: str, query: str, media_type: str, start: str
) -> None:
    build = await newest_released(local, CHILD)
    assert build is not None
    url = f"{local.host.base_url}/api/v1/images/{CHILD}/versions/{build['version']}/lineage{query}"
    async with (
        aiohttp.ClientSession() as http,
        http.get(url, headers={"Accept": accept}) as response,
    ):
        text = await response.text()

    assert (response.status, response.content_type) == (200, media_type)
    assert text.startswith(start)
    assert text.count(f"{RELEASE}") == 1


async def test_a_child_asked_for_by_hand_is_the_build_there_is(local: LocalAssay) -> None:
    build = await newest_released(local, CHILD)
    assert build is not None

    again = await local.assay.publish(CHILD)

    assert (again["build"], again["reused"]) == (build["id"], True)
