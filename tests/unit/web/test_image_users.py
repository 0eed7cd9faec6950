"""Who uses a version: machines that run it, scale sets that name it or would get it."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from shared.domain.image_version import VersionState
from shared.domain.vm_record import Image, Machine, VmRecord
from shared.ports import Stored
from shared.web.image_users import list_image_users
from shared.web.scale_sets import get_scale_set, list_scale_sets
from tests.unit.web.office import Office
from tests.unit.web.samples import IMAGE_ID, VM_ID, request, version, vm

V1, V2 = "1.20261122.1", "1.20261122.2"
SCALE_SETS = VM_ID.rpartition("/virtualmachines/")[0] + "/virtualmachinescalesets"


def a_vm(name: str, number: str) -> VmRecord:
    record = vm(VM_ID.replace("web-1", name))
    return replace(record, image=replace(record.image, version=number))


def a_model(name: str, number: str, region: str = "westeurope") -> VmRecord:
    record = vm(f"{SCALE_SETS}/{name}")
    return replace(
        record,
        machine=Machine.SCALE_SET,
        image=Image(image_id=IMAGE_ID, version=number),
        region=region,
        capacity=3,
    )


def an_instance(name: str, number: int, image_version: str) -> VmRecord:
    record = vm(f"{SCALE_SETS}/{name}/virtualmachines/{number}")
    return replace(
        record,
        machine=Machine.UNIFORM,
        scale_set_id=f"{SCALE_SETS}/{name}",
        image=replace(record.image, version=image_version),
    )


async def an_office() -> Office:
    """Two versions, the second one not in northeurope; VMs and scale sets of both."""
    office = Office()
    for each in (
        version(V1, state=VersionState.AGED, regions=("westeurope", "northeurope")),
        version(V2),
    ):
        await office.image_versions.save(Stored(each))
    for record in (
        a_vm("a", V1),
        a_vm("b", V2),
        a_vm("c", V2),
        a_model("pinned", V2),
        a_model("latest-west", ""),
        a_model("latest-north", "", "northeurope"),
        a_vm("gone", V2),
    ):
        await office.hold_vm(record)
    gone = await office.vms.get(a_vm("gone", V2).key)
    assert gone.value.record
    deleted = replace(gone.value.record, deleted_at=gone.value.record.as_of)
    await office.vms.save(gone, replace(gone.value, record=deleted))
    return office


async def users(office: Office, number: str, limit: int = 100) -> list[str]:
    """Names of the users of a version, through all pages."""
    names: list[str] = []
    query = {"limit": str(limit)}
    for _ in range(20):
        asked = request(
            f"images/ubuntu/versions/{number}/users", query=query, name="ubuntu", version=number
        )
        body = await office.body(list_image_users, asked)
        names += [item["name"] for item in body["items"]]
        if body["next"] is None:
            return sorted(names)
        query = dict(parse_qsl(urlsplit(body["next"]).query))
    raise AssertionError("the list never ends")


async def test_the_users_of_a_version_are_listed_scale_sets_included() -> None:
    office = await an_office()
    assert await users(office, V2) == ["b", "c", "latest-west", "pinned"]
    assert await users(office, V1) == ["a", "latest-north"]


async def test_the_list_goes_on_from_machines_to_those_that_take_the_latest() -> None:
    office = await an_office()
    assert await users(office, V2, limit=1) == ["b", "c", "latest-west", "pinned"]


async def test_the_users_of_an_unknown_version_are_not_found() -> None:
    office = await an_office()
    asked = request("images/ubuntu/versions/9.9.9/users", name="ubuntu", version="9.9.9")
    body = await office.body(list_image_users, asked, status=404)
    assert body["type"] == "urn:assay:problem:unknown-version"


async def test_a_cursor_of_another_list_is_refused() -> None:
    office = await an_office()
    for cursor in ("x", "latest:x"):
        asked = request(
            "images/u/versions/v/users", query={"cursor": cursor}, name="ubuntu", version=V2
        )
        body = await office.body(list_image_users, asked, status=400)
        assert [e["field"] for e in body["errors"]] == ["cursor"]


async def test_scale_sets_are_listed_by_their_models() -> None:
    office = await an_office()
    body = await office.body(list_scale_sets, request("scale-sets", query={"team": "payments"}))
    shown = {(i["name"], i["follows_latest"], i["capacity"]) for i in body["items"]}
    assert shown == {
        ("latest-north", True, 3),
        ("latest-west", True, 3),
        ("pinned", False, 3),
    }


async def test_a_scale_set_shows_the_wish_beside_the_fact() -> None:
    office = await an_office()
    for number, runs in enumerate((V1, V1, V2)):
        await office.hold_vm(an_instance("pinned", number, runs))
    model = a_model("pinned", V2)
    body = await office.body(
        get_scale_set, request(f"scale-sets/{model.key}", key=f"{SCALE_SETS}/pinned")
    )
    assert (body["machine"], body["image"]["version"]) == ("scale-set", V2)
    assert body["instances"] == [
        {"image": "ubuntu", "version": V1, "verdict": "current", "count": 2},
        {"image": "ubuntu", "version": V2, "verdict": "current", "count": 1},
    ]


async def test_a_vm_is_no_scale_set() -> None:
    office = await an_office()
    key = a_vm("a", V1).key
    body = await office.body(get_scale_set, request("scale-sets/x", key=key), status=404)
    assert body["type"] == "urn:assay:problem:unknown-scale-set"
