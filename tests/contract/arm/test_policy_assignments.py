"""Policy assignments of the simulated cloud, as far as attesting needs them."""

import aiohttp
import pytest

from localcloud.arm import ArmSimulator
from tests.contract.arm.requests import GROUP, SUBSCRIPTION

_ASSIGNMENT = "/providers/Microsoft.Authorization/policyAssignments/golden?api-version=2022-06-01"
_DEFINITION = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/policyDefinitions/d"
_TOKEN = {"Authorization": "Bearer a-token"}


@pytest.mark.parametrize("scope", [f"/subscriptions/{SUBSCRIPTION}", GROUP])
async def test_an_assignment_is_made_and_read(arm: ArmSimulator, scope: str) -> None:
    asked = {"properties": {"displayName": "Golden", "policyDefinitionId": _DEFINITION}}
    url = f"{arm.base_url}{scope}{_ASSIGNMENT}"
    async with aiohttp.ClientSession(headers=_TOKEN) as http:
        made = await http.put(url, json=asked)
        read = await http.get(url)

        assert (made.status, read.status) == (201, 200)
        assert await made.json() == await read.json()
        body = await read.json()
        assert body["name"] == "golden"
        assert body["properties"]["policyDefinitionId"] == _DEFINITION
        assert body["properties"]["scope"] == scope


async def test_an_assignment_that_is_missing_or_of_nothing_is_refused(arm: ArmSimulator) -> None:
    url = f"{arm.base_url}{GROUP}{_ASSIGNMENT}"
    async with aiohttp.ClientSession(headers=_TOKEN) as http:
        missing = await http.get(url)
        empty = await http.put(url, json={"properties": {}})

        assert (missing.status, empty.status) == (404, 400)
        assert (await missing.json())["error"]["code"] == "PolicyAssignmentNotFound"
        assert "no policy definition" in (await empty.json())["error"]["message"]
