"""Unless an assignment is named, Azure Policy is told nothing."""

import pytest

from localcloud.environment import TEAMS_SUBSCRIPTION
from localcloud.scenario.machines import UBUNTU, Machine
from tests.functional.conftest import LocalAssay
from tests.functional.test_track import deploy

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASSIGNMENT = (
    f"/subscriptions/{TEAMS_SUBSCRIPTION}/providers/Microsoft.Authorization/policyAssignments/x"
)


async def test_verdicts_stay_in_the_register_by_default(local: LocalAssay) -> None:
    machine = Machine(name="web-0", team="shop", image=UBUNTU)
    await deploy(local, machine)
    await local.vm("web-0", verdict="unapproved")
    await local.simulation.policy_says(machine.id, ASSIGNMENT, "NonCompliant")

    await local.vm("web-0", policy="noncompliant")

    asked = {e.operation for e in local.simulator.cloud.traffic}
    assert "VirtualMachines_Get" in asked
    assert [o for o in asked if o.startswith(("Attestations", "PolicyAssignments"))] == []
    assert await local.assay.parked() == []
