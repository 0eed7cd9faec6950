"""Who may come in, what is refused by name, and the fault dial for requests."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.imagebuilder.aio import ImageBuilderClient

from localcloud.arm import ArmSimulator
from localcloud.arm.faults import HttpFault
from tests.contract.arm.conftest import make_gallery
from tests.contract.arm.requests import GROUP, SUBSCRIPTION, UBUNTU, machine, template

_TOKEN = {"Authorization": "Bearer t"}
_GALLERY = f"{GROUP}/providers/Microsoft.Compute/galleries/g"


@pytest.fixture
async def http(arm: ArmSimulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(arm.base_url) as session:
        yield session


async def _error(response: aiohttp.ClientResponse) -> tuple[int, str, str]:
    error = (await response.json())["error"]
    return response.status, error["code"], error["message"]


async def test_a_request_without_a_token_is_not_let_in(http: aiohttp.ClientSession) -> None:
    async with http.get(f"{_GALLERY}?api-version=2026-03-03") as response:
        status, code, _ = await _error(response)
        challenge = response.headers["WWW-Authenticate"]

    assert (status, code) == (401, "AuthenticationFailed")
    assert challenge.startswith("Bearer authorization_uri=")


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        (
            f"{GROUP}/providers/Microsoft.Compute/restorePoints/s?api-version=2024-07-01",
            (404, "InvalidResourceType", "The resource type 'restorePoints' could not be found"),
        ),
        (f"{_GALLERY}?api-version=1999-01-01", (400, "InvalidApiVersionParameter", "'1999-01-01'")),
        (_GALLERY, (400, "MissingApiVersionParameter", "The api-version query parameter")),
        (
            "/subscriptions/11111111-1111-1111-1111-111111111111/providers/Microsoft.Compute/"
            "galleries?api-version=2026-03-03",
            (404, "SubscriptionNotFound", "11111111-1111-1111-1111-111111111111"),
        ),
        (
            f"{_GALLERY}?api-version=2026-03-03",
            (404, "ResourceNotFound", "'Microsoft.Compute/galleries/g' under resource group 'rg'"),
        ),
    ],
)
async def test_what_it_does_not_have_is_refused_by_name(
    http: aiohttp.ClientSession, path: str, refusal: tuple[int, str, str]
) -> None:
    async with http.get(path, headers=_TOKEN) as response:
        status, code, message = await _error(response)

    assert (status, code) == refusal[:2]
    assert refusal[2] in message


async def test_a_body_that_is_not_json_is_refused_and_logged(
    arm: ArmSimulator, http: aiohttp.ClientSession
) -> None:
    async with http.put(f"{_GALLERY}?api-version=2026-03-03", data="{", headers=_TOKEN) as response:
        status, code, _ = await _error(response)

    assert (status, code) == (400, "InvalidRequestContent")
    assert [each.request_body for each in arm.cloud.traffic] == ["{"]


async def test_a_top_that_is_no_number_is_refused(http: aiohttp.ClientSession) -> None:
    path = (
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/locations/westeurope/"
        "publishers/Debian/artifacttypes/vmimage/offers/debian-12/skus/12-gen2/versions"
    )

    async with http.get(f"{path}?api-version=2026-04-01&$top=x", headers=_TOKEN) as response:
        status, code, message = await _error(response)

    assert (status, code) == (400, "InvalidParameter")
    assert message == "The value 'x' of '$top' is no number."


async def test_paths_match_whatever_their_case(
    arm: ArmSimulator, http: aiohttp.ClientSession, compute: ComputeManagementClient
) -> None:
    await make_gallery(compute)
    path = _GALLERY.replace("resourceGroups", "RESOURCEGROUPS").replace("galleries", "Galleries")

    async with http.get(f"{path}?api-version=2026-03-03", headers=_TOKEN) as response:
        assert response.status == 200
        assert (await response.json())["id"] == _GALLERY


async def test_a_gallery_operation_has_one_url_with_another_version_and_a_long_signature(
    http: aiohttp.ClientSession,
) -> None:
    async with http.put(
        f"{_GALLERY}?api-version=2026-03-03", json={"location": "westeurope"}, headers=_TOKEN
    ) as response:
        url = response.headers["Azure-AsyncOperation"]
        location = response.headers.get("Location")

    assert (response.status, location) == (201, None)
    assert "/capsOperations/" in url
    assert "api-version=2022-03-03" in url
    assert 2800 < len(url) < 3400
    async with http.get(url, headers=_TOKEN) as poll:
        assert (await poll.json())["status"] == "Succeeded"


async def test_an_image_builder_operation_is_named_in_capitals(
    http: aiohttp.ClientSession, image_builder: ImageBuilderClient, compute: ComputeManagementClient
) -> None:
    await make_gallery(compute)
    await image_builder.virtual_machine_image_templates.begin_create_or_update(
        "rg", "t", template()
    )
    run = f"{GROUP}/providers/Microsoft.VirtualMachineImages/imageTemplates/t/run"

    async with http.post(f"{run}?api-version=2025-10-01", headers=_TOKEN) as response:
        headers = response.headers
    async with http.get(headers["Azure-AsyncOperation"], headers=_TOKEN) as poll:
        document = await poll.json()

    assert response.status == 202
    assert headers["Content-Length"] == "0"
    assert headers["Location"] == headers["Azure-AsyncOperation"]
    assert "Retry-After" not in headers
    assert document["name"] == document["name"].upper()
    assert document["startTime"].endswith("Z")


async def test_a_policy_scan_has_a_location_only(http: aiohttp.ClientSession) -> None:
    path = (
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.PolicyInsights/policyStates/latest/"
        "triggerEvaluation?api-version=2019-10-01"
    )

    async with http.post(path, headers=_TOKEN) as response:
        headers = response.headers
    async with http.get(headers["Location"], headers=_TOKEN) as poll:
        assert await poll.json() == {"status": "Succeeded"}

    assert response.status == 202
    assert "Azure-AsyncOperation" not in headers


async def test_a_throttled_request_says_when_to_come_again(
    arm: ArmSimulator, http: aiohttp.ClientSession
) -> None:
    arm.add_fault(HttpFault(operation="Galleries_List$", status=429, retry_after=7, times=1))
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/galleries"

    answers = []
    for _ in range(2):
        async with http.get(f"{path}?api-version=2026-03-03", headers=_TOKEN) as response:
            answers.append((response.status, response.headers.get("Retry-After")))

    assert answers == [(429, "7"), (200, None)]


async def test_a_request_may_be_carried_out_and_then_answered_with_a_timeout(
    arm: ArmSimulator, compute: ComputeManagementClient
) -> None:
    arm.add_fault(
        HttpFault(operation="VirtualMachines_CreateOrUpdate", status=504, commit=True, times=1)
    )

    with pytest.raises(HttpResponseError) as refusal:
        await compute.virtual_machines.begin_create_or_update("rg", "vm", machine(UBUNTU))
    made = await compute.virtual_machines.get("rg", "vm")

    assert refusal.value.status_code == 504
    assert made["properties"]["provisioningState"] == "Succeeded"


async def test_a_request_may_fail_before_anything_is_done(
    arm: ArmSimulator, compute: ComputeManagementClient
) -> None:
    arm.add_fault(HttpFault(operation="VirtualMachines_CreateOrUpdate", status=500, times=1))

    with pytest.raises(HttpResponseError):
        await compute.virtual_machines.begin_create_or_update("rg", "vm", machine(UBUNTU))
    with pytest.raises(ResourceNotFoundError):
        await compute.virtual_machines.get("rg", "vm")


async def test_the_status_of_a_template_may_be_blind_for_a_time(
    slow_arm: ArmSimulator, slow_compute: ComputeManagementClient, slow_builder: ImageBuilderClient
) -> None:
    await make_gallery(slow_compute)
    templates = slow_builder.virtual_machine_image_templates
    await templates.begin_create_or_update("rg", "t", template())
    slow_arm.cloud.scheduler.advance(timedelta(minutes=2))
    slow_arm.add_fault(
        HttpFault(
            operation="VirtualMachineImageTemplates_Get",
            status=500,
            message="Internal error occurred. This is a generic error.",
            for_seconds=1500,
        )
    )

    with pytest.raises(HttpResponseError, match="This is a generic error"):
        await templates.get("rg", "t")
    slow_arm.cloud.scheduler.advance(timedelta(minutes=24))
    with pytest.raises(HttpResponseError, match="This is a generic error"):
        await templates.get("rg", "t")
    slow_arm.cloud.scheduler.advance(timedelta(minutes=2))
    seen: Any = await templates.get("rg", "t")

    assert seen["properties"]["provisioningState"] == "Succeeded"
