"""What a sweep lists: the fake, and the real gateway against the simulated Resource Graph."""

from datetime import timedelta
from typing import Any, Protocol

import pytest

from localcloud.arm import ArmSimulator
from localcloud.arm.tenant import ROOT, ManagementGroup
from shared import ports
from shared.domain.vm_record import Machine
from shared.errors import RefusedError, ThrottledError
from shared.gateways.clients import AzureClients
from shared.gateways.fleet import FleetGateway
from shared.gateways.resource_graph import ResourceGraphGateway
from shared.ports import RANKS, MachinesPage, ShownSubscription
from tests.contract.gateways.fleets import SimulatedFleet
from tests.fakes.fleet import FakeFleet, instance_facts, vm_facts
from tests.fakes.resource_graph import FakeResourceGraph

VMS, UNIFORM, SETS = (
    RANKS.index((Machine.VM, Machine.FLEXIBLE)),
    RANKS.index((Machine.UNIFORM,)),
    RANKS.index((Machine.SCALE_SET,)),
)
NOWHERE = "00000000-0000-0000-0000-0000000000ff"


class Estate(Protocol):
    """Resource Graph with pages of two, and what a test may have happen behind it."""

    @property
    def graph(self) -> ports.ResourceGraph: ...

    @property
    def subscription(self) -> str: ...

    async def make_vm(self, name: str) -> None: ...

    async def make_scale_set(self, name: str, capacity: int) -> None: ...

    def hide(self) -> None: ...

    def place(self, *groups: str) -> None: ...

    def expire_tokens(self) -> None: ...


class MemoryEstate:
    """The fake."""

    def __init__(self, subscription: str) -> None:
        self.subscription = subscription
        self._fleet = FakeFleet()
        self.graph = FakeResourceGraph(self._fleet)
        self.graph.page_size = 2
        self.graph.shown = {subscription: ()}

    async def make_vm(self, name: str) -> None:
        self._put(vm_facts(name))

    async def make_scale_set(self, name: str, capacity: int) -> None:
        for number in range(capacity):
            self._put(instance_facts(name, number, image_id="/i", version="1.0.0"))

    def _put(self, facts: Any) -> None:
        home = f"/subscriptions/{self.subscription}/"
        ids = {
            "resource_id": home + facts.resource_id.split("/", 3)[3],
            "scale_set_id": facts.scale_set_id and home + facts.scale_set_id.split("/", 3)[3],
        }
        self._fleet.put(type(facts)(**{**_fields(facts), **ids}))

    def hide(self) -> None:
        self.graph.hide(self.subscription)

    def place(self, *groups: str) -> None:
        self.graph.show(self.subscription, *groups)

    def expire_tokens(self) -> None:
        self.graph.expire_tokens()


def _fields(facts: Any) -> dict[str, Any]:
    return {name: getattr(facts, name) for name in facts.__dataclass_fields__}


class SimulatedEstate:
    """The real gateway and SDK against the simulated Resource Manager."""

    def __init__(self, arm: ArmSimulator, clients: AzureClients) -> None:
        self.graph = ResourceGraphGateway(clients, page=2)
        self.subscription = arm.subscription_id.lower()
        self._arm = arm
        self._fleet = SimulatedFleet(clients)

    async def make_vm(self, name: str) -> None:
        await self._fleet.make_vm(name, {"Team": "web"})

    async def make_scale_set(self, name: str, capacity: int) -> None:
        await self._fleet.make_scale_set(name, "Uniform", capacity)

    def hide(self) -> None:
        self._arm.cloud.tenant.hide(self.subscription)

    def place(self, *groups: str) -> None:
        self._arm.cloud.tenant.place(
            self.subscription, [ManagementGroup(name=name) for name in groups]
        )

    def expire_tokens(self) -> None:
        self._arm.cloud.graph.expire_tokens()


@pytest.fixture(params=["fake", "simulated Azure"])
def estate(request: pytest.FixtureRequest, arm: ArmSimulator, clients: AzureClients) -> Estate:
    if request.param == "fake":
        return MemoryEstate(arm.subscription_id.lower())
    return SimulatedEstate(arm, clients)


def names(page: MachinesPage | None) -> list[str]:
    assert page is not None
    return [m.name for m in page.machines]


async def test_machines_come_in_pages_in_the_order_of_their_ids(estate: Estate) -> None:
    for name in ("vm-b", "vm-c", "vm-a"):
        await estate.make_vm(name)

    first = await estate.graph.machines((estate.subscription,), VMS)
    assert names(first) == ["vm-a", "vm-b"]
    assert first is not None
    rest = await estate.graph.machines((estate.subscription,), VMS, token=first.token)

    assert names(rest) == ["vm-c"]
    assert rest is not None
    assert rest.token == ""


async def test_scale_sets_and_their_instances_are_lists_of_their_own(estate: Estate) -> None:
    await estate.make_scale_set("api", 2)

    listed = [
        names(await estate.graph.machines((estate.subscription,), rank))
        for rank in (VMS, SETS, UNIFORM)
    ]

    assert listed == [[], ["api"], ["api_0", "api_1"]]


async def test_a_token_that_expired_is_said_to_be_one(estate: Estate) -> None:
    for name in ("vm-a", "vm-b", "vm-c"):
        await estate.make_vm(name)
    first = await estate.graph.machines((estate.subscription,), VMS)
    assert first is not None
    estate.expire_tokens()

    assert await estate.graph.machines((estate.subscription,), VMS, token=first.token) is None


async def test_subscriptions_are_shown_with_their_management_groups(estate: Estate) -> None:
    estate.place("Shop", "root")

    shown = await estate.graph.subscriptions()

    (one,) = shown.subscriptions
    assert shown.whole
    assert [g.lower() for g in one.management_groups] == ["shop", "root"]
    assert one.subscription_id == estate.subscription


async def test_what_we_may_not_read_is_left_out_without_a_word(estate: Estate) -> None:
    await estate.make_vm("vm-a")

    both = await estate.graph.machines((NOWHERE, estate.subscription), VMS)
    assert names(both) == ["vm-a"]
    assert names(await estate.graph.machines((NOWHERE,), VMS)) == []
    estate.hide()
    assert (await estate.graph.subscriptions()).subscriptions == ()
    assert names(await estate.graph.machines((estate.subscription,), VMS)) == []


@pytest.fixture
def azure(arm: ArmSimulator, clients: AzureClients) -> SimulatedEstate:
    return SimulatedEstate(arm, clients)


async def test_a_machine_is_the_same_whether_read_or_listed(
    azure: SimulatedEstate, arm: ArmSimulator, clients: AzureClients
) -> None:
    fleet = FleetGateway(clients)
    await azure.make_vm("Web-1")
    await azure.make_scale_set("api", 2)
    await SimulatedFleet(clients).make_scale_set("flex", "Flexible", 1)

    for rank in (VMS, UNIFORM, SETS):
        page = await ResourceGraphGateway(clients).machines((azure.subscription,), rank)
        assert page is not None
        assert page.machines
        for listed in page.machines:
            if rank == SETS:
                whole = await fleet.scale_set(listed.resource_id, {})
                assert whole is not None
                assert listed == whole.model
            else:
                read = await fleet.vm(listed.resource_id)
                assert read is not None
                tags = {} if rank == UNIFORM else read.tags
                assert {**_fields(listed), "tags": tags} == {**_fields(read), "tags": tags}


async def test_our_subscription_is_below_the_root_until_placed(azure: SimulatedEstate) -> None:
    (one,) = (await azure.graph.subscriptions()).subscriptions

    assert one == ShownSubscription(
        subscription_id=azure.subscription, management_groups=(ROOT.name.lower(),)
    )


async def test_the_last_query_of_the_quota_asks_for_a_wait(
    azure: SimulatedEstate, arm: ArmSimulator
) -> None:
    arm.cloud.graph.queries = 2

    waits = [
        page.wait
        for _ in range(2)
        if (page := await azure.graph.machines((azure.subscription,), VMS))
    ]

    assert waits[0] == timedelta()
    assert timedelta(seconds=1) <= waits[1] <= timedelta(seconds=5)


async def test_beyond_the_quota_azure_says_when_to_come_back(
    azure: SimulatedEstate, arm: ArmSimulator
) -> None:
    arm.cloud.graph.queries = 0

    with pytest.raises(ThrottledError) as throttled:
        await azure.graph.machines((azure.subscription,), VMS)

    assert throttled.value.after
    assert timedelta(seconds=1) <= throttled.value.after <= timedelta(seconds=5)


async def test_a_list_of_subscriptions_longer_than_the_quota_comes_back_later(
    arm: ArmSimulator, clients: AzureClients
) -> None:
    for number in range(3):
        arm.cloud.tenant._ids[f"sub-{number}"] = f"sub-{number}"
    arm.cloud.graph.queries = 1

    with pytest.raises(ThrottledError, match="no query left") as throttled:
        await ResourceGraphGateway(clients, page=2).subscriptions()
    assert throttled.value.after


async def test_a_question_azure_does_not_understand_is_refused(
    azure: SimulatedEstate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.gateways.resource_graph.QUERIES", ("Resources | nonsense",))

    with pytest.raises(RefusedError, match="InvalidQuery"):
        await azure.graph.machines((azure.subscription,), 0)
