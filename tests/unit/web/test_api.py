"""Reading the register over HTTP."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from shared.domain.build import Phase
from shared.domain.vm_record import Verdict
from shared.ports import VmEntry
from shared.web.api import (
    get_build,
    get_image,
    get_version,
    get_vm,
    list_builds,
    list_images,
    list_versions,
    list_vms,
)
from shared.web.handler import Handler
from shared.web.parked import list_parked
from tests.unit.web.office import Office
from tests.unit.web.samples import (
    BASE,
    BUILD_ID,
    DEFINITION,
    HOUR_AGO,
    IMAGE_ID,
    NOON_TEXT,
    POLICY_STATE,
    SUBSCRIPTION,
    VM_ID,
    VM_KEY,
    build,
    request,
    version,
    vm,
)


def _vm_id(number: int) -> str:
    return VM_ID.replace("web-1", f"web-{number}")


async def _walk(office: Office, handler: Handler, path: str, **query: str) -> list[list[str]]:
    """Follow `next` to the end; return the names on each page."""
    pages: list[list[str]] = []
    while True:
        body = await office.body(handler, request(path, query=query, name="ubuntu"))
        pages.append([i.get("name") or i.get("id") or i["version"] for i in body["items"]])
        if body["next"] is None:
            return pages
        address = urlsplit(body["next"])
        assert f"{address.scheme}://{address.netloc}{address.path}" == f"{BASE}/{path}"
        query = dict(parse_qsl(address.query))


async def test_images_are_listed_by_name_page_by_page() -> None:
    names = ["alma", "debian", "rocky", "ubuntu", "windows"]
    office = Office(definitions={n: replace(DEFINITION, name=n) for n in reversed(names)})
    assert await _walk(office, list_images, "images", limit="2") == [
        ["alma", "debian"],
        ["rocky", "ubuntu"],
        ["windows"],
    ]


async def test_a_full_last_page_has_no_next() -> None:
    office = Office(definitions={n: replace(DEFINITION, name=n) for n in ("alma", "debian")})
    body = await office.body(list_images, request("images", query={"limit": "2"}))
    assert [i["name"] for i in body["items"]] == ["alma", "debian"]
    assert (body["next"], body["as_of"]) == (None, NOON_TEXT)


@pytest.mark.parametrize(
    ("handler", "path"),
    [
        (list_images, "images"),
        (list_builds, "builds"),
        (list_vms, "vms"),
        (list_parked, "messages/parked"),
    ],
)
async def test_a_cursor_that_is_not_ours_is_refused(handler: Handler, path: str) -> None:
    body = await Office().body(handler, request(path, query={"cursor": "Zm9v"}), status=400)
    assert body["type"] == "urn:assay:problem:malformed-request"
    assert [e["field"] for e in body["errors"]] == ["cursor"]


async def test_an_image_names_the_highest_version_not_the_last_in_text_order() -> None:
    office = Office()
    await office.hold_version(version("1.20261122.9"))
    await office.hold_version(version("1.20261122.10"))
    body = await office.body(get_image, request("images/ubuntu", name="ubuntu"))
    assert body["newest"]["version"] == "1.20261122.10"
    assert body["regions"][0]["newest_id"] == f"{IMAGE_ID}/versions/1.20261122.10"
    assert (body["image_id"], body["as_of"]) == (IMAGE_ID, NOON_TEXT)


async def test_an_unknown_image_is_answered_with_those_there_are() -> None:
    response = await Office().ask(get_image, request("images/ubunut", name="ubunut"))
    assert response.status == 404
    assert response.body == {
        "type": "urn:assay:problem:unknown-image",
        "title": "Unknown image",
        "status": 404,
        "detail": "There is no image definition 'ubunut'; there are: ubuntu.",
        "instance": "/api/v1/images/ubunut",
        "correlation_id": "c-1",
        "known": ["ubuntu"],
    }


async def test_versions_are_listed_highest_number_first() -> None:
    office = Office()
    for number in ("1.20261122.9", "1.20261122.10", "1.20261109.1"):
        await office.hold_version(version(number))
    assert await _walk(office, list_versions, "images/ubuntu/versions", limit="2") == [
        ["1.20261122.10", "1.20261122.9"],
        ["1.20261109.1"],
    ]


async def test_versions_outlive_their_definition() -> None:
    office = Office(definitions={})
    await office.hold_version(version())
    path = "images/ubuntu/versions"
    body = await office.body(list_versions, request(path, name="ubuntu"))
    assert [i["version"] for i in body["items"]] == ["1.20261122.1"]
    asked = request(f"{path}/1.20261122.1", name="ubuntu", version="1.20261122.1")
    body = await office.body(get_version, asked)
    assert (body["tattoo"]["definition"], body["as_of"]) == ("ubuntu", NOON_TEXT)


async def test_an_image_without_versions_has_an_empty_list() -> None:
    body = await Office().body(list_versions, request("images/ubuntu/versions", name="ubuntu"))
    assert body == {"items": [], "next": None, "as_of": NOON_TEXT}


async def test_an_unknown_version_is_told_from_an_unknown_image() -> None:
    office = Office()
    asked = request("images/ubuntu/versions/9.9.9", name="ubuntu", version="9.9.9")
    body = await office.body(get_version, asked, status=404)
    assert body["type"] == "urn:assay:problem:unknown-version"
    assert body["versions_url"] == f"{BASE}/images/ubuntu/versions"
    asked = request("images/x/versions/9.9.9", name="x", version="9.9.9")
    body = await office.body(get_version, asked, status=404)
    assert body["type"] == "urn:assay:problem:unknown-image"


async def test_builds_are_listed_newest_first_of_one_definition() -> None:
    office = Office()
    for number in range(3):
        at = HOUR_AGO + timedelta(minutes=number)
        await office.hold_build(build(number=f"ubuntu-{number}", created_at=at))
    await office.hold_build(replace(build(number="alma-0"), definition="alma"))
    assert await _walk(office, list_builds, "builds", definition="ubuntu", limit="2") == [
        ["ubuntu-2", "ubuntu-1"],
        ["ubuntu-0"],
    ]


async def test_a_build_is_found_by_its_id() -> None:
    office = Office()
    await office.hold_build(build(Phase.RELEASED))
    body = await office.body(get_build, request(f"builds/{BUILD_ID}", id=BUILD_ID))
    assert (body["id"], body["phase"], body["finished"]) == (BUILD_ID, "released", True)
    body = await office.body(get_build, request("builds/x", id="x"), status=404)
    assert (body["title"], body["builds_url"]) == ("Unknown build", f"{BASE}/builds")


async def test_vms_are_filtered_and_paged() -> None:
    office = Office()
    for number in range(5):
        team = "payments" if number < 3 else "search"
        await office.hold_vm(vm(_vm_id(number), team=team, verdict=Verdict.AGED))
    await office.hold_vm(vm(_vm_id(9), team="payments"))
    query = {"team": "payments", "verdict": "aged", "subscription": SUBSCRIPTION, "limit": "2"}
    pages = await _walk(office, list_vms, "vms", **query)
    assert [len(p) for p in pages] == [2, 1]
    assert sorted(name for page in pages for name in page) == ["web-0", "web-1", "web-2"]


async def test_vms_of_an_image_are_found_by_its_name_or_id_and_version() -> None:
    office = Office()
    await office.hold_vm(vm())
    for image in ("ubuntu", IMAGE_ID, IMAGE_ID.upper()):
        query = {"image": image, "version": "1.20261122.1"}
        body = await office.body(list_vms, request("vms", query=query))
        assert [i["key"] for i in body["items"]] == [VM_KEY]
    query = {"image": "ubuntu", "version": "1.20261122.2"}
    assert (await office.body(list_vms, request("vms", query=query)))["items"] == []


@pytest.mark.parametrize(
    "key",
    [
        VM_KEY,
        VM_KEY.upper(),
        VM_ID,
        VM_ID.removeprefix("/"),
        VM_ID.upper(),
        quote(VM_ID, safe=""),
        quote(quote(VM_ID, safe=""), safe="%").removeprefix("%2F"),
    ],
)
async def test_a_vm_is_found_by_its_key_or_its_resource_id(key: str) -> None:
    office = Office()
    await office.hold_vm(vm(), POLICY_STATE)
    body = await office.body(get_vm, request("vms/x", key=key))
    assert (body["key"], body["as_of"]) == (VM_KEY, NOON_TEXT)
    assert [s["state"] for s in body["policy_states"]] == ["noncompliant"]


async def test_a_key_that_is_no_resource_id_is_refused() -> None:
    asked = request("vms/subscriptions/x", key="subscriptions/x")
    body = await Office().body(get_vm, asked, status=400)
    assert [e["field"] for e in body["errors"]] == ["key"]


async def test_a_vm_that_only_policy_has_spoken_of_is_not_in_the_register_yet() -> None:
    office = Office()
    old = await office.vms.get(VM_KEY)
    await office.vms.save(old, VmEntry(key=VM_KEY, policy_states=(POLICY_STATE,)))
    body = await office.body(get_vm, request(f"vms/{VM_KEY}", key=VM_KEY), status=404)
    assert (body["type"], body["title"]) == ("urn:assay:problem:unknown-vm", "Unknown VM")
    assert body["vms_url"] == f"{BASE}/vms"


async def test_a_page_that_takes_no_parameters_refuses_them() -> None:
    asked = request("images/ubuntu", query={"limit": "3"}, name="ubuntu")
    body = await Office().body(get_image, asked, status=400)
    assert body["errors"] == [{"field": "limit", "problem": "there is no such field here"}]
