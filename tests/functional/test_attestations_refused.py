"""An assignment that does not exist: one message says so, whatever the size of the fleet."""

import pytest

from localcloud.environment import TEAMS_SUBSCRIPTION
from localcloud.scenario.machines import UBUNTU, Machine
from tests.functional.conftest import LocalAssay
from tests.functional.test_track import deploy

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASSIGNMENT = (
    f"/subscriptions/{TEAMS_SUBSCRIPTION}/providers/Microsoft.Authorization/policyAssignments/none"
)


@pytest.fixture(scope="module")
def more_settings() -> dict[str, str]:
    return {
        "ASSAY_ATTESTATION_ASSIGNMENT": ASSIGNMENT,
        "ASSAY_PUBLIC_URL": "https://assay.example.com",
    }


async def test_one_message_is_parked_and_tracking_goes_on(local: LocalAssay) -> None:
    names = [f"web-{number}" for number in range(4)]
    for name in names:
        await deploy(local, Machine(name=name, team="shop", image=UBUNTU))
    for name in names:
        await local.vm(name, verdict="unapproved")

    parked = await local.parked("attest_vm")

    assert ASSIGNMENT in parked["reason"]
    assert "ASSAY_ATTESTATION_ASSIGNMENT" in parked["reason"]
    assert await local.assay.parked() == [parked]
