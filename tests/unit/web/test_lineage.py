"""GET images/{name}/versions/{version}/lineage, and building from a parent by hand."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest

from shared.domain.chain import as_parent
from shared.domain.channel import ImageChannels, MoveKind
from shared.domain.image_definition import ParentSource
from shared.domain.image_version import ImageVersion, VersionState
from shared.ports import Stored
from shared.web.api import get_image, get_version
from shared.web.exchange import ApiRequest
from shared.web.lineage import get_lineage
from shared.web.publish import publish_image
from tests.unit.web.office import Office
from tests.unit.web.samples import BASE, DEFINITION, NOON, SOURCE_VERSION, URN, request, version

WEB = replace(DEFINITION, name="web", source=ParentSource(image="ubuntu", channel="stable"))
NUMBER = "1.20261122.1"


def a_child(parent: ImageVersion, name: str = "web") -> ImageVersion:
    return replace(
        version(),
        definition=name,
        source_urn="ubuntu@stable",
        source_version=parent.version,
        parent=as_parent(parent),
    )


async def family(**parent: Any) -> Office:
    office = Office(definitions={"ubuntu": DEFINITION, "web": WEB})
    base = replace(version(), **parent)
    await office.hold_version(base)
    await office.hold_version(a_child(base))
    return office


async def show(office: Office) -> None:
    """Let the channel show the parent."""
    channels = ImageChannels(definition="ubuntu").moved(
        "stable", NUMBER, MoveKind.RELEASED, now=NOON, because="it passed"
    )
    await office.channels.save(Stored(channels))


def asked(name: str, number: str = NUMBER, query: str = "", **more: Any) -> ApiRequest:
    path = f"images/{name}/versions/{number}/lineage{query}"
    parameters = dict(parse_qsl(query.removeprefix("?")))
    return request(path, name=name, version=number, query=parameters, **more)


async def test_the_family_is_nodes_and_edges() -> None:
    office = await family()

    body = await office.body(get_lineage, asked("web"))

    source = f"{URN}/{SOURCE_VERSION}"
    assert body["source"] == {
        "publisher": "canonical",
        "offer": "0001-com-ubuntu-server-jammy",
        "sku": "22_04-lts-gen2",
        "version": SOURCE_VERSION,
        "urn": URN,
    }
    assert body["nodes"] == [
        {
            "id": source,
            "kind": "source",
            "generation": -2,
            "urn": URN,
            "version": SOURCE_VERSION,
        },
        {
            "id": f"ubuntu/{NUMBER}",
            "kind": "version",
            "generation": -1,
            "definition": "ubuntu",
            "version": NUMBER,
            "state": "released",
            "url": f"{BASE}/images/ubuntu/versions/{NUMBER}",
        },
        {
            "id": f"web/{NUMBER}",
            "kind": "version",
            "generation": 0,
            "definition": "web",
            "version": NUMBER,
            "state": "released",
            "url": f"{BASE}/images/web/versions/{NUMBER}",
        },
    ]
    assert body["edges"] == [
        {"from": f"ubuntu/{NUMBER}", "to": f"web/{NUMBER}"},
        {"from": source, "to": f"ubuntu/{NUMBER}"},
    ]
    assert (body["complete"], body["cut"], body["depth"]) == (True, [], 50)


async def test_a_cut_answer_says_what_was_cut() -> None:
    office = await family()
    grandchild = a_child(a_child(version()), "shop")
    await office.hold_version(grandchild)

    body = await office.body(get_lineage, asked("ubuntu", query="?depth=1"))

    assert [n["id"] for n in body["nodes"] if n["generation"] > 0] == [f"web/{NUMBER}"]
    assert (body["complete"], body["cut"]) == (False, ["more than 1 generation of children"])


@pytest.mark.parametrize(
    ("query", "accept", "media_type", "start"),
    [
        ("?format=mermaid", "", "text/vnd.mermaid", "flowchart TD\n"),
        ("?format=dot", "", "text/vnd.graphviz", "digraph lineage {\n"),
        ("", "text/vnd.mermaid", "text/vnd.mermaid", "flowchart TD\n"),
        ("", "text/html, text/vnd.graphviz;q=0.9", "text/vnd.graphviz", "digraph lineage {\n"),
        ("?format=dot", "text/vnd.mermaid", "text/vnd.graphviz", "digraph lineage {\n"),
    ],
)
async def test_a_drawing_is_given_when_asked_for(
    query: str, accept: str, media_type: str, start: str
) -> None:
    office = await family()

    response = await office.ask(get_lineage, asked("web", query=query, headers={"accept": accept}))

    assert (response.status, response.media_type) == (200, media_type)
    assert response.headers["Vary"] == "Accept"
    assert response.text is not None
    assert response.text.startswith(start)


async def test_json_is_given_to_who_does_not_ask_for_a_drawing() -> None:
    office = await family()
    for accept in ("", "*/*", "application/json"):
        response = await office.ask(get_lineage, asked("web", headers={"accept": accept}))
        assert (response.status, response.media_type) == (200, "application/json")


@pytest.mark.parametrize("query", ["?depth=0", "?depth=51", "?depth=x", "?format=svg", "?deep=1"])
async def test_a_query_that_makes_no_sense_is_refused(query: str) -> None:
    office = await family()
    assert (await office.ask(get_lineage, asked("web", query=query))).status == 400


async def test_a_version_or_image_nobody_knows_is_not_found() -> None:
    office = await family()
    assert (await office.ask(get_lineage, asked("web", "9.9.9"))).status == 404
    assert (await office.ask(get_lineage, asked("none"))).status == 404


async def test_an_image_and_a_version_name_their_parent() -> None:
    office = await family()

    image = await office.body(get_image, request("images/web", name="web"))
    page = await office.body(
        get_version, request(f"images/web/versions/{NUMBER}", name="web", version=NUMBER)
    )

    assert image["source"] == {"image": "ubuntu", "channel": "stable", "urn": "ubuntu@stable"}
    assert page["parent"] == {
        "definition": "ubuntu",
        "version": NUMBER,
        "resource_id": version().resource_id,
        "url": f"{BASE}/images/ubuntu/versions/{NUMBER}",
    }
    assert page["lineage_url"] == f"{BASE}/images/web/versions/{NUMBER}/lineage"


def publish(body: bytes = b"") -> ApiRequest:
    return request("images/web/publish", method="POST", body=body, name="web")


async def test_publishing_a_child_builds_from_what_the_channel_shows() -> None:
    office = await family()
    await show(office)

    body = await office.body(publish_image, publish(), status=202)
    stored = await office.builds.get(body["build"])

    assert body["source_version"] == NUMBER
    assert stored is not None
    assert stored.value.parent == as_parent(version())


async def test_a_child_cannot_be_published_before_its_parent() -> None:
    office = await family()

    body = await office.body(publish_image, publish(), status=409)

    assert body["type"].endswith("source-not-found")
    assert body["detail"] == (
        "There is nothing to build 'web' from: channel stable of ubuntu shows no version yet. "
        "Publish 'ubuntu' first."
    )


@pytest.mark.parametrize(
    ("parent", "number", "detail"),
    [
        ({}, "9.9.9", "there is no version 9.9.9 of ubuntu to build from"),
        ({"state": VersionState.REVOKED}, NUMBER, f"version {NUMBER} of ubuntu is revoked"),
    ],
)
async def test_a_version_of_the_parent_that_cannot_be_built_from_is_a_conflict(
    parent: dict[str, Any], number: str, detail: str
) -> None:
    office = await family(**parent)

    body = await office.body(
        publish_image, publish(f'{{"source_version": "{number}"}}'.encode()), status=409
    )

    assert body["type"].endswith("source-version-not-found")
    assert detail in body["detail"]
