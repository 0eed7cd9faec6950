"""The contract of the port that lists policy states: the fake, and the SDK on simulated Azure."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from localcloud.arm import ArmSimulator
from localcloud.arm.faults import HttpFault
from localcloud.arm.policy import PolicyState as Said
from shared import ports
from shared.domain.identifiers import normalise_id
from shared.domain.policy_subject import PolicySubject, subject_of
from shared.domain.vm_record import PolicyState
from shared.errors import NotReadyError, RefusedError, ThrottledError, UnavailableError
from shared.gateways.clients import AzureClients
from shared.gateways.policy_states import PolicyStatesGateway
from shared.settings import Settings
from tests.arm_plugin import FixedToken
from tests.contract.gateways import things
from tests.fakes.policy_states import FakePolicyStates

LIST = "PolicyStates_ListQueryResultsForSubscription"
ASSIGNMENT = "/providers/Microsoft.Authorization/policyAssignments/Golden"
DEFINITION = "/providers/Microsoft.Authorization/policyDefinitions/D"


class PolicyCloud(Protocol):
    """The port, and what a test may have Azure Policy say."""

    @property
    def states(self) -> ports.PolicyStates: ...

    def say(self, resource: str, state: str, *, reference: str = "", reason: str = "") -> None: ...

    def forget_places(self) -> None: ...


class MemoryPolicy:
    """The fake."""

    def __init__(self) -> None:
        self.states = FakePolicyStates()
        self.states.page_size = 200

    def say(self, resource: str, state: str, *, reference: str = "", reason: str = "") -> None:
        subject = subject_of(resource)
        if subject is None:
            return
        word = PolicyState(
            assignment_id=normalise_id(ASSIGNMENT),
            definition_id=normalise_id(DEFINITION),
            reference_id=reference.lower(),
            state=state.lower(),
            timestamp=datetime.now(UTC),
            about=subject.about,
            reason_code=reason,
        )
        self.states.says(subject.vm_id, word)

    def forget_places(self) -> None:
        self.states.forgets_tokens = 1


class SimulatedPolicy:
    """The real gateway and SDK against the simulated Resource Manager."""

    def __init__(self, arm: ArmSimulator, clients: AzureClients) -> None:
        self.states = PolicyStatesGateway(clients)
        self._cloud = arm.cloud

    def say(self, resource: str, state: str, *, reference: str = "", reason: str = "") -> None:
        said = Said(
            resource_id=resource,
            assignment=ASSIGNMENT,
            definition=DEFINITION,
            reference=reference,
            state=state,
            reason=reason,
        )
        self._cloud.policy_states.put(said, silent=True)

    def forget_places(self) -> None:
        self._cloud.faults.add(
            HttpFault(
                operation=LIST, status=400, code="InvalidSkipToken", message="expired", times=1
            )
        )


@pytest.fixture(params=["fakes", "simulated Azure"])
def cloud(request: pytest.FixtureRequest, arm: ArmSimulator, clients: AzureClients) -> PolicyCloud:
    return MemoryPolicy() if request.param == "fakes" else SimulatedPolicy(arm, clients)


@pytest.fixture
def compute_id(settings: Settings) -> str:
    group = f"/subscriptions/{settings.subscription_id}/resourceGroups/RG-Web"
    return f"{group}/providers/Microsoft.Compute"


async def all_rows(
    states: ports.PolicyStates, subscription: str
) -> list[Sequence[ports.PolicyRow]]:
    pages, token = list[Sequence[ports.PolicyRow]](), ""
    while True:
        page = await states.page(subscription, token)
        assert page is not None
        pages.append(page.rows)
        token = page.skip_token
        if not token:
            return pages


async def test_what_azure_policy_says_of_a_vm_is_read_whole(
    cloud: PolicyCloud, compute_id: str, settings: Settings
) -> None:
    vm = f"{compute_id}/virtualMachines/Web-01"
    cloud.say(vm, "Exempt", reference="Ref-1", reason="Waived")

    ((row,),) = await all_rows(cloud.states, settings.subscription_id)

    assert row.vm_id == vm.lower()
    assert row.state == PolicyState(
        assignment_id=ASSIGNMENT.lower(),
        definition_id=DEFINITION.lower(),
        reference_id="ref-1",
        state="exempt",
        timestamp=row.state.timestamp,
        reason_code="Waived",
    )
    assert abs((row.state.timestamp - datetime.now(UTC)).total_seconds()) < 60
    assert await cloud.states.of(PolicySubject(vm_id=vm.lower())) == [row.state]


async def test_vms_instances_and_guest_configurations_are_listed_and_nothing_else(
    cloud: PolicyCloud, compute_id: str, settings: Settings
) -> None:
    vm = f"{compute_id}/virtualMachines/web"
    guest = f"{vm}/providers/Microsoft.GuestConfiguration/guestConfigurationAssignments/Tattoo"
    instance = f"{compute_id}/virtualMachineScaleSets/api/virtualMachines/3"
    for resource in (
        guest, instance, vm, f"{compute_id}/virtualMachineScaleSets/api", f"{compute_id}/disks/d",
    ):  # fmt: skip
        cloud.say(resource, "Compliant")

    (rows,) = await all_rows(cloud.states, settings.subscription_id)

    assert [(row.vm_id, row.state.about) for row in rows] == [
        (vm.lower(), ""), (vm.lower(), "tattoo"), (instance.lower(), ""),
    ]  # fmt: skip
    for about in ("", "tattoo"):
        (alone,) = await cloud.states.of(PolicySubject(vm_id=vm.lower(), about=about))
        assert alone.about == about


async def test_long_lists_come_in_pages_by_resource_id(
    cloud: PolicyCloud, compute_id: str, settings: Settings
) -> None:
    for number in reversed(range(450)):
        cloud.say(f"{compute_id}/virtualMachines/vm{number:03}", "Compliant")

    pages = await all_rows(cloud.states, settings.subscription_id)

    assert [len(page) for page in pages] == [200, 200, 50]
    ids = [row.vm_id for page in pages for row in page]
    assert ids == sorted(ids)


async def test_a_place_azure_forgot_is_none(
    cloud: PolicyCloud, compute_id: str, settings: Settings
) -> None:
    for number in range(201):
        cloud.say(f"{compute_id}/virtualMachines/vm{number:03}", "Compliant")
    first = await cloud.states.page(settings.subscription_id)
    assert first
    cloud.forget_places()

    assert await cloud.states.page(settings.subscription_id, first.skip_token) is None
    assert await cloud.states.page(settings.subscription_id, "no token of ours") is None
    again = await cloud.states.page(settings.subscription_id, first.skip_token)
    assert again
    assert len(again.rows) == 1


async def test_of_what_does_not_exist_nothing_is_said(
    cloud: PolicyCloud, compute_id: str, settings: Settings
) -> None:
    subject = PolicySubject(vm_id=f"{compute_id}/virtualMachines/none".lower())

    assert await cloud.states.of(subject) == []
    assert await all_rows(cloud.states, settings.subscription_id) == [()]


# --- what only the gateway does ---------------------------------------------------------------


async def test_a_subscription_we_may_not_read_or_that_is_unknown_is_not_ready(
    arm: ArmSimulator, clients: AzureClients
) -> None:
    states = PolicyStatesGateway(clients)
    arm.cloud.tenant.hide(arm.subscription_id)

    with pytest.raises(NotReadyError, match="403"):
        await states.page(arm.subscription_id)
    with pytest.raises(NotReadyError, match="SubscriptionNotFound"):
        await states.page("00000000-0000-0000-0000-0000000000ff")


@pytest.mark.parametrize(
    ("status", "error"), [(429, ThrottledError), (503, ThrottledError), (500, UnavailableError)]
)
async def test_an_azure_that_is_busy_is_tried_again(
    arm: ArmSimulator, clients: AzureClients, status: int, error: type[Exception]
) -> None:
    fault = HttpFault(operation=LIST, status=status, code="Busy", retry_after=17, times=1)
    arm.cloud.faults.add(fault)

    with pytest.raises(error) as raised:
        await PolicyStatesGateway(clients).page(arm.subscription_id)

    assert raised.value.after.total_seconds() == 17  # type: ignore[attr-defined]


async def test_a_bad_question_without_a_token_is_refused(
    arm: ArmSimulator, clients: AzureClients
) -> None:
    arm.cloud.faults.add(HttpFault(operation=LIST, status=400, code="InvalidFilter", times=1))

    with pytest.raises(RefusedError, match="InvalidFilter"):
        await PolicyStatesGateway(clients).page(arm.subscription_id)


# --- what only other answers of Azure show ----------------------------------------------------


@asynccontextmanager
async def answering(
    *bodies: dict[str, Any],
) -> AsyncIterator[tuple[PolicyStatesGateway, list[str]]]:
    """Answer every POST with the next of *bodies*; yield the gateway and the queries it made."""
    left, queries = list(bodies), list[str]()

    async def answer(request: web.Request) -> web.Response:
        queries.append(request.query.get("$skiptoken", ""))
        return web.json_response(left.pop(0))

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        address = str(server.make_url("")).rstrip("/")
        clients = AzureClients(
            things.settings(arm=address, subscription=OWN, topic=address), FixedToken(), retries=0
        )
        try:
            yield PolicyStatesGateway(clients), queries
        finally:
            await clients.close()


OWN = "00000000-0000-0000-0000-000000000000"
VM = f"/subscriptions/{OWN}/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/Web"


def row(**changes: Any) -> dict[str, Any]:
    return {
        "timestamp": "2026-11-22T12:00:00.1234567Z",
        "resourceId": VM,
        "policyAssignmentId": ASSIGNMENT,
        "policyDefinitionId": DEFINITION,
        "policyDefinitionReferenceId": None,
        "complianceState": "NonCompliant",
        **changes,
    }


def body(*rows: dict[str, Any], link: str | None = None) -> dict[str, Any]:
    return {"value": list(rows), "@odata.nextLink": link, "@odata.count": len(rows)}


async def test_what_is_null_or_missing_in_an_answer_is_empty() -> None:
    async with answering(body(row())) as (states, _):
        page = await states.page(OWN)
    assert page
    assert page.rows[0].state == PolicyState(
        assignment_id=ASSIGNMENT.lower(),
        definition_id=DEFINITION.lower(),
        reference_id="",
        state="noncompliant",
        timestamp=datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC),
    )


@pytest.mark.parametrize("name", ["timestamp", "policyAssignmentId", "policyDefinitionId"])
async def test_a_state_that_lacks_what_names_it_is_not_passed_over(name: str) -> None:
    async with answering(body(row(**{name: None}))) as (states, _):
        with pytest.raises(RefusedError, match="without its time, assignment or definition"):
            await states.page(OWN)


async def test_the_states_of_one_resource_are_read_to_the_end() -> None:
    link = "https://management.azure.com/x?api-version=2024-10-01&$skiptoken=A%2BB%3D"
    below = row(resourceId=f"{VM}/extensions/agent")
    answers = (body(row(), link=link), body(row(policyDefinitionReferenceId="r2"), below))
    async with answering(*answers) as (states, queries):
        read = await states.of(PolicySubject(vm_id=VM.lower()))
    assert [state.reference_id for state in read] == ["", "r2"]
    assert queries == ["", "A+B="]


async def test_a_next_page_without_a_token_is_refused() -> None:
    async with answering(body(row(), link="https://management.azure.com/next")) as (states, _):
        with pytest.raises(RefusedError, match="without a \\$skiptoken"):
            await states.page(OWN)
