"""A company's machines, Assay over them in memory, and sweeps from beginning to end."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from shared.domain.fleet_policy import FleetPolicy
from shared.domain.history import Transition
from shared.domain.identifiers import vm_key
from shared.domain.subscription import Subscription
from shared.domain.sweep import Tally
from shared.domain.team import OwnerRule, TeamRules
from shared.domain.vm_record import VmFacts, VmRecord
from shared.messages import SweepFleet, TrackVm
from shared.ports import SweepReport
from tests.fakes.definitions import ubuntu
from tests.fakes.fleet import SUBSCRIPTION, instance_facts, model_facts, vm_facts
from tests.fakes.versions import put_version
from tests.fakes.world import World

NAME = "ubuntu-22-04"
OTHER = "00000000-0000-0000-0000-00000000000b"


@dataclass
class Estate:
    """Machines in one subscription, or in more."""

    world: World = field(default_factory=World)
    sweeps: int = 0

    @property
    def image_id(self) -> str:
        return self.world.gallery.image_id(ubuntu())

    async def release(self, version: str = "1.1.0") -> None:
        """Write a released version into the register."""
        versions = self.world.records.image_versions
        await put_version(versions, version, image_id=self.image_id, now=self.world.now)

    def vm(
        self, name: str, version: str = "1.1.0", *, home: str = SUBSCRIPTION, **more: Any
    ) -> str:
        """Make a VM without an event; return its id."""
        facts = vm_facts(name, image_id=self.image_id, version=version, **more)
        return self.world.fleet.put(moved(facts, home))

    def scale_set(self, name: str, version: str, *, size: int) -> str:
        """Make a Uniform scale set that takes *version*, with its instances; return its id."""
        members = [
            instance_facts(name, n, image_id=self.image_id, version=version) for n in range(size)
        ]
        model = model_facts(members[0].scale_set_id, members[0])
        self.world.fleet.put_scale_set(replace(model, capacity=size))
        for member in members:
            self.world.fleet.put(replace(member, tags={}))
        return model.resource_id

    async def event(self, resource_id: str) -> None:
        """Let the event of a machine arrive."""
        self.world.send(TrackVm(resource_id=resource_id))
        await self.world.drain()

    async def sweep(self) -> SweepReport:
        """Sweep from beginning to end, an hour after the last one; return what was counted."""
        self.sweeps += 1
        self.world.now += timedelta(hours=1)
        self.world.send(SweepFleet(sweep_id=f"sweep-{self.sweeps}"))
        await self.world.drain()
        report = await self.world.records.sweeps.report(f"sweep-{self.sweeps}")
        assert report is not None
        return report

    def by_management_group(self, group: str, *, team: str) -> None:
        """Let whatever is in a management group belong to a team."""
        rules = TeamRules(owners=(OwnerRule(management_group=group, team=team),))
        policy = FleetPolicy(rules=rules)
        ports = {**self.world.dispatcher.ports, "fleet_policy": policy}
        dispatcher = replace(self.world.dispatcher, ports=ports)
        self.world.intake = replace(self.world.intake, dispatcher=dispatcher)

    async def record(self, resource_id: str) -> VmRecord:
        """Return the record of a machine that must be known."""
        found = (await self.world.records.vms.get(vm_key(resource_id))).value.record
        assert found is not None, resource_id
        return found

    async def knows(self, resource_id: str) -> bool:
        entry = await self.world.records.vms.get(vm_key(resource_id))
        return entry.value.record is not None

    async def lines(self, resource_id: str) -> list[Transition]:
        lines = await self.world.records.vms.lines(vm_key(resource_id))
        return [line.transition for line in lines]

    async def subscription(self, name: str = SUBSCRIPTION) -> Subscription:
        stored = await self.world.records.subscriptions.get(name)
        assert stored is not None
        return stored.value


def moved(facts: VmFacts, home: str) -> VmFacts:
    """Return a machine as it would be in another subscription."""
    boot = replace(facts.boot, os_disk_id=facts.boot.os_disk_id.replace(SUBSCRIPTION, home))
    return replace(facts, resource_id=facts.resource_id.replace(SUBSCRIPTION, home), boot=boot)


def counted(report: SweepReport) -> dict[str, int]:
    """Return the counters of a sweep that are not 0."""
    return {
        name: value for name in Tally.__dataclass_fields__ if (value := getattr(report.tally, name))
    }
