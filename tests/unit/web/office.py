"""The API over the register in memory and a fake Azure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from shared.dispatch import Dispatcher
from shared.domain.build import Build
from shared.domain.image_definition import ImageDefinition
from shared.domain.image_version import ImageVersion
from shared.domain.vm_record import PolicyState, VmRecord
from shared.messages import Command
from shared.ports import Stored, VmEntry
from shared.web.answer import answer, body_text
from shared.web.exchange import ApiRequest, ApiResponse
from shared.web.handler import Handler
from tests.fakes.evidence import FakeEvidence, FakeSigner
from tests.fakes.fleet import FakeFleet
from tests.fakes.fleet_records import MemorySubscriptions, MemoryVms
from tests.fakes.gallery import FakeGallery
from tests.fakes.marketplace import FakeMarketplace
from tests.fakes.outbox import FakeOutbox
from tests.fakes.records import (
    MemoryAudit,
    MemoryBuilds,
    MemoryChannels,
    MemoryDefinitionStates,
    MemoryImageVersions,
    MemoryParked,
    MemoryReceipts,
    MemoryRecords,
    MemorySources,
)
from tests.fakes.resource_graph import FakeResourceGraph
from tests.fakes.sweeps import MemorySweeps
from tests.fakes.world import PACE
from tests.unit.web.samples import DEFINITION, NOON, SOURCE_VERSION, URN


@dataclass
class Settings:
    """The settings the API reads."""

    public_url: str = "https://assay.example"
    signs_in: bool = False


@dataclass
class Office:
    """An app behind the API, at noon."""

    definitions: Mapping[str, ImageDefinition] = field(
        default_factory=lambda: {"ubuntu": DEFINITION}
    )
    settings: Settings = field(default_factory=Settings)
    builds: MemoryBuilds = field(default_factory=MemoryBuilds)
    image_versions: MemoryImageVersions = field(default_factory=MemoryImageVersions)
    sources: MemorySources = field(default_factory=MemorySources)
    vms: MemoryVms = field(default_factory=MemoryVms)
    parked: MemoryParked = field(default_factory=MemoryParked)
    audit: MemoryAudit = field(default_factory=MemoryAudit)
    receipts: MemoryReceipts = field(default_factory=MemoryReceipts)
    gallery: FakeGallery = field(default_factory=FakeGallery)
    marketplace: FakeMarketplace = field(
        default_factory=lambda: FakeMarketplace({URN: ["22.04.20261", SOURCE_VERSION]})
    )
    fleet: FakeFleet = field(default_factory=FakeFleet)
    resource_graph: FakeResourceGraph = field(
        default_factory=lambda: FakeResourceGraph(FakeFleet())
    )
    outbox: FakeOutbox = field(default_factory=FakeOutbox)
    evidence: FakeEvidence = field(default_factory=FakeEvidence)
    signer: FakeSigner = field(default_factory=FakeSigner)
    others: MemoryRecords = field(default_factory=MemoryRecords)
    """The records that steps read and the tests of the API do not look at."""

    @property
    def channels(self) -> MemoryChannels:
        return self.others.channels

    @property
    def subscriptions(self) -> MemorySubscriptions:
        return self.others.subscriptions

    @property
    def sweeps(self) -> MemorySweeps:
        return self.others.sweeps

    @property
    def definition_states(self) -> MemoryDefinitionStates:
        return self.others.definition_states

    def now(self) -> datetime:
        return NOON

    async def run(self, command: Command, *, correlation_id: str) -> None:
        own = {f.name: getattr(self, f.name) for f in fields(self)}
        ports = {**vars(self.others), **own, "pace": PACE}
        dispatcher = Dispatcher(ports=ports, outbox=self.outbox, pace=PACE, clock=self.now)
        await dispatcher.run(command, correlation_id=correlation_id)

    async def ask(self, handler: Handler, request: ApiRequest) -> ApiResponse:
        """Answer *request* as the app would."""
        return await answer(request, handler, lambda: self)

    async def body(self, handler: Handler, request: ApiRequest, *, status: int = 200) -> Any:
        """Return the body of the answer, which must have *status*, as read from its text."""
        response = await self.ask(handler, request)
        text = body_text(response)
        assert response.status == status, text
        return json.loads(text)

    async def hold_build(self, build: Build) -> None:
        """Put a build into the register."""
        await self.builds.save(Stored(build))

    async def hold_version(self, version: ImageVersion) -> None:
        """Put an image version into the register."""
        await self.image_versions.save(Stored(version))

    async def hold_vm(self, vm: VmRecord, *states: PolicyState) -> None:
        """Put a VM into the register."""
        old = await self.vms.get(vm.key)
        await self.vms.save(old, VmEntry(key=vm.key, record=vm, policy_states=states))
