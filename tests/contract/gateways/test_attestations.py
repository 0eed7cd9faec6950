"""The contract of the attestations port, and how the gateway reads what Azure Policy refuses."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest
from azure.core.exceptions import HttpResponseError

from localcloud.arm import ArmSimulator
from localcloud.arm.faults import HttpFault
from localcloud.arm.policy import PolicyState
from shared import ports
from shared.domain.attestation import AttestationRules, EvidenceLink, Statement
from shared.errors import AssignmentError, NotReadyError, RefusedError, ThrottledError
from shared.gateways.attestations import AttestationsGateway
from shared.gateways.clients import AzureClients
from shared.ports import Reception
from tests.contract.gateways.fleets import GROUP, SimulatedFleet
from tests.fakes.attestations import FakeAttestations

NOW = datetime.now(UTC).replace(microsecond=0)
GOLDEN = "/providers/Microsoft.Authorization/policyAssignments/golden"


def a_statement(state: str = "Compliant", **changes: object) -> Statement:
    values = {
        "name": "790996e6-9871-4b1f-9cd9-ec42cd6ced1e",
        "state": state,
        "comments": "Version 1.2.0 is the newest.",
        "evidence": (EvidenceLink(description="the VM", url="https://assay.test/api/v1/vms/k"),),
        "assessed_at": NOW,
        "expires_at": NOW + timedelta(days=180),
        "about": "digest",
    }
    return Statement(**{**values, **changes})  # type: ignore[arg-type]


class PolicyCloud(Protocol):
    """Attestations, and what a test may have happen to machines."""

    @property
    def attestations(self) -> ports.Attestations: ...

    async def make(self, name: str, *, evaluated: bool) -> str: ...

    async def remove(self, resource_id: str) -> None: ...

    async def state(self, resource_id: str) -> str: ...


class MemoryPolicy:
    """The fake."""

    def __init__(self) -> None:
        self.attestations = FakeAttestations()

    async def make(self, name: str, *, evaluated: bool) -> str:
        machine = f"/subscriptions/s/resourcegroups/rg/providers/m.c/virtualmachines/{name}"
        if evaluated:
            self.attestations.evaluated.add(machine)
        return machine

    async def remove(self, resource_id: str) -> None:
        self.attestations.gone.add(resource_id)

    async def state(self, resource_id: str) -> str:
        held = self.attestations.held.get(resource_id)
        return held.state if held else "Unknown"


class SimulatedPolicy:
    """The real gateway and SDK against the simulated Resource Manager."""

    def __init__(self, arm: ArmSimulator, clients: AzureClients) -> None:
        self.arm, self.clients = arm, clients
        self.fleet = SimulatedFleet(clients)
        self.scope = f"/subscriptions/{arm.subscription_id}/resourceGroups/{GROUP}"
        rules = AttestationRules(assignment_id=self.scope + GOLDEN, public_url="https://assay.test")
        self.attestations = AttestationsGateway(clients, rules)

    async def assign(self) -> None:
        from azure.core.rest import HttpRequest  # noqa: PLC0415 - as the gateway does

        body = {"properties": {"policyDefinitionId": f"{self.scope}/d"}}
        where = {"api-version": "2022-06-01"}
        await self.clients.ask(HttpRequest("PUT", self.scope + GOLDEN, params=where, json=body))

    async def make(self, name: str, *, evaluated: bool) -> str:
        machine = await self.fleet.make_vm(name, {})
        if evaluated:
            self.arm.cloud.policy_states.put(
                PolicyState(resource_id=machine, assignment=self.scope + GOLDEN, state="Unknown")
            )
        return machine

    async def remove(self, resource_id: str) -> None:
        await self.fleet.remove(resource_id)

    async def state(self, resource_id: str) -> str:
        rows = self.arm.cloud.policy_states.under(resource_id)
        return str(rows[0]["complianceState"]) if rows else "Unknown"


@pytest.fixture
async def simulated(arm: ArmSimulator, clients: AzureClients) -> SimulatedPolicy:
    """The simulated cloud, the policy not assigned yet."""
    return SimulatedPolicy(arm, clients)


@pytest.fixture(params=["fakes", "simulated Azure"])
async def cloud(request: pytest.FixtureRequest, simulated: SimulatedPolicy) -> PolicyCloud:
    if request.param == "fakes":
        return MemoryPolicy()
    await simulated.assign()
    return simulated


async def test_an_attestation_sets_the_state_and_another_replaces_it(cloud: PolicyCloud) -> None:
    machine = await cloud.make("web", evaluated=True)

    assert await cloud.attestations.put(machine, a_statement()) is Reception.TAKEN
    assert await cloud.state(machine) == "Compliant"
    assert await cloud.attestations.put(machine, a_statement("NonCompliant")) is Reception.TAKEN
    assert await cloud.state(machine) == "NonCompliant"


async def test_a_machine_that_was_not_evaluated_cannot_be_attested_yet(cloud: PolicyCloud) -> None:
    machine = await cloud.make("web", evaluated=False)

    assert await cloud.attestations.put(machine, a_statement()) is Reception.NOT_NOW
    assert await cloud.state(machine) == "Unknown"


async def test_a_machine_that_is_gone_is_told_apart(cloud: PolicyCloud) -> None:
    machine = await cloud.make("web", evaluated=True)
    await cloud.remove(machine)

    assert await cloud.attestations.put(machine, a_statement()) is Reception.GONE


async def test_azure_policy_holds_all_that_was_said(simulated: SimulatedPolicy) -> None:
    machine = await simulated.make("web", evaluated=True)
    said = a_statement()

    await simulated.attestations.put(machine, said)

    attestations = simulated.clients.policy_insights().attestations
    [held] = [a async for a in attestations.list_for_resource(machine.removeprefix("/"))]
    properties = held.properties
    assert held.name == said.name
    assert properties.policy_assignment_id == simulated.scope + GOLDEN
    assert properties.policy_definition_reference_id is None
    assert (properties.expires_on, properties.assessment_date) == (said.expires_at, NOW)
    assert properties.comments == said.comments
    assert [(e.description, e.source_uri) for e in properties.evidence or ()] == [
        ("the VM", "https://assay.test/api/v1/vms/k")
    ]


async def test_an_assignment_that_is_missing_is_named_with_its_setting(
    simulated: SimulatedPolicy,
) -> None:
    machine = await simulated.make("web", evaluated=False)

    with pytest.raises(AssignmentError, match=r"golden.*ASSAY_ATTESTATION_ASSIGNMENT"):
        await simulated.attestations.put(machine, a_statement())


async def test_an_assignment_we_may_not_read_is_taken_to_exist(simulated: SimulatedPolicy) -> None:
    machine = await simulated.make("web", evaluated=False)
    fault(simulated, 403, "AuthorizationFailed", operation="PolicyAssignments_Get")

    assert await simulated.attestations.put(machine, a_statement()) is Reception.NOT_NOW


async def test_an_assignment_is_looked_for_once(simulated: SimulatedPolicy) -> None:
    await simulated.assign()
    machine = await simulated.make("web", evaluated=False)

    await simulated.attestations.put(machine, a_statement())
    fault(simulated, 404, "PolicyAssignmentNotFound", operation="PolicyAssignments_Get")

    assert await simulated.attestations.put(machine, a_statement()) is Reception.NOT_NOW


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "InvalidCreateAttestationRequest", AssignmentError),
        (404, "PolicyAssignmentNotFound", AssignmentError),
        (403, "AuthorizationFailed", NotReadyError),
        (404, "SubscriptionNotFound", NotReadyError),
        (409, "MissingSubscriptionRegistration", RefusedError),
        (429, "TooManyRequests", ThrottledError),
    ],
)
async def test_a_refusal_is_sorted_by_what_is_to_be_done(
    simulated: SimulatedPolicy, status: int, code: str, error: type[Exception]
) -> None:
    machine = await simulated.make("web", evaluated=True)
    fault(simulated, status, code)

    with pytest.raises(error) as refusal:
        await simulated.attestations.put(machine, a_statement())

    assert code in str(refusal.value)
    assert isinstance(refusal.value.__cause__, HttpResponseError)


async def test_a_locked_machine_is_tried_later(simulated: SimulatedPolicy) -> None:
    await simulated.assign()
    machine = await simulated.make("web", evaluated=True)
    fault(simulated, 409, "ScopeLocked")

    assert await simulated.attestations.put(machine, a_statement()) is Reception.NOT_NOW


async def test_how_long_azure_asks_us_to_wait_is_passed_on(simulated: SimulatedPolicy) -> None:
    machine = await simulated.make("web", evaluated=True)
    fault(simulated, 429, "TooManyRequests", retry_after=17)

    with pytest.raises(ThrottledError) as refusal:
        await simulated.attestations.put(machine, a_statement())

    assert refusal.value.after == timedelta(seconds=17)


def fault(
    simulated: SimulatedPolicy,
    status: int,
    code: str,
    *,
    operation: str = "Attestations_CreateOrUpdate",
    retry_after: int | None = None,
) -> None:
    simulated.arm.add_fault(
        HttpFault(operation=operation, status=status, code=code, retry_after=retry_after)
    )
