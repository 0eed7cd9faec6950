"""A whole Assay in memory: every step, every message, over fakes, with a clock of its own.

Time jumps to the next message that is due. Each message can be delivered twice, and the process
can be killed at any call of a port, so that whole flows are tried in milliseconds.
"""

import heapq
import inspect
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from shared.dispatch import Dispatcher
from shared.domain.attestation import AttestationRules
from shared.domain.fleet_policy import FleetPolicy
from shared.domain.image_definition import ImageDefinition
from shared.gateways.patient_attestations import PatientAttestations
from shared.intake import Intake
from shared.messages import (
    Command,
    Envelope,
    PromoteImage,
    RetireImages,
    StartBuild,
    WatchGallery,
    encode,
)
from shared.ports import BuildCapacity, Pace
from shared.records.recent_versions import RememberedVersions
from shared.runtime import Runtime
from shared.settings import settings_from_environ
from tests.fakes.attestations import FakeAttestations
from tests.fakes.azure import FakeGallery, FakeImageBuilder, FakeMarketplace, FakeVerificationVms
from tests.fakes.build_logs import FakeBuildLogs
from tests.fakes.definitions import ubuntu
from tests.fakes.evidence import FakeEvidence, FakeSigner
from tests.fakes.exports import FakeExportFiles
from tests.fakes.fleet import FakeFleet
from tests.fakes.guest_tattoos import FakeGuestTattoos
from tests.fakes.notifier import FakeNotifier
from tests.fakes.outbox import FakeOutbox
from tests.fakes.policy_states import FakePolicyStates
from tests.fakes.records import MemoryRecords
from tests.fakes.resource_graph import FakeResourceGraph
from tests.settings import APP_ENVIRON

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PACE = Pace(
    look=timedelta(seconds=60),
    grace=timedelta(seconds=120),
    retry=timedelta(minutes=30),
    blind=timedelta(minutes=30),
    soak=timedelta(minutes=30),
)


FLEET_POLICY = FleetPolicy()


class KilledError(BaseException):
    """The process dies here: no `except Exception` sees it."""


@dataclass
class Crashes:
    """Kills the process at one of its moments, counted over the whole flow.

    The moments are: a message has come, a call of a port has ended. What lies between two calls
    needs no moment of its own, for nothing outside the process has changed since the first of them.
    """

    at: int | None = None
    calls: int = 0

    def call(self) -> None:
        """Count a call and die when its number has come up."""
        self.calls += 1
        if self.calls == self.at:
            raise KilledError


def _is_async(attribute: Any) -> bool:
    """Tell what `inspect.iscoroutinefunction` tells, which takes longer than most calls do."""
    code = getattr(attribute, "__code__", None)
    return code is not None and bool(code.co_flags & inspect.CO_COROUTINE)


class Mortal:
    """A port in a process that may die right after any of its calls."""

    def __init__(self, port: Any, crashes: Crashes) -> None:
        self._port = port
        self._crashes = crashes

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._port, name)
        if not _is_async(attribute):
            return attribute

        async def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return await attribute(*args, **kwargs)
            finally:  # a call that failed may have done its work all the same
                self._crashes.call()

        return call


@dataclass
class World:
    """Assay over fakes; `drain` delivers until nothing is left to deliver."""

    definitions: dict[str, ImageDefinition] = field(
        default_factory=lambda: {"ubuntu-22-04": ubuntu()}
    )
    twice: bool = False
    crashes: Crashes = field(default_factory=Crashes)
    max_builds: int = 20
    attestation_rules: AttestationRules = field(default_factory=AttestationRules)

    def __post_init__(self) -> None:
        self.now = NOON
        self.stop_at: datetime | None = None
        """Messages due later than this are left in their queues; None delivers all."""
        self.capacity = BuildCapacity(scope="subscription/westeurope", limit=self.max_builds)
        self.records = MemoryRecords()
        self.gallery = FakeGallery()
        self.gallery.clock = lambda: self.now
        self.image_builder = FakeImageBuilder(self.gallery)
        self.marketplace = FakeMarketplace(
            {
                d.source.urn: ["22.04.202409120", "22.04.202411080"]
                for d in self.definitions.values()
            }
        )
        self.vms = FakeVerificationVms()
        self.build_logs = FakeBuildLogs()
        self.fleet = FakeFleet()
        self.guest_tattoos = FakeGuestTattoos()
        self.attestations = FakeAttestations()
        self.resource_graph = FakeResourceGraph(self.fleet)
        self.export_files = FakeExportFiles()
        self.policy_states = FakePolicyStates()
        self.outbox = FakeOutbox()
        self.notifier = FakeNotifier()
        self.evidence = FakeEvidence()
        self.signer = FakeSigner()
        self.delivered: list[str] = []
        self._queue: list[tuple[datetime, int, Envelope]] = []
        self._taken = 0
        self._order = count()
        ports = {
            "definitions": self.definitions,
            "builds": self.records.builds,
            "image_versions": self.records.image_versions,
            "channels": self.records.channels,
            "sources": self.records.sources,
            "definition_states": self.records.definition_states,
            "build_slots": self.records.build_slots,
            "vms": self.records.vms,
            "subscriptions": self.records.subscriptions,
            "sweeps": self.records.sweeps,
            "snapshots": self.records.snapshots,
            "exports": self.records.exports,
            "export_files": self.export_files,
            "policy_sweeps": self.records.policy_sweeps,
            "marketplace": self.marketplace,
            "image_builder": self.image_builder,
            "gallery": self.gallery,
            "verification_vms": self.vms,
            "build_logs": self.build_logs,
            "fleet": self.fleet,
            "guest_tattoos": self.guest_tattoos,
            "attestations": PatientAttestations(self.attestations, clock=lambda: self.now),
            "resource_graph": self.resource_graph,
            "policy_states": self.policy_states,
            "notifier": self.notifier,
            "evidence": self.evidence,
            "signer": self.signer,
            "receipts": self.records.receipts,
        }
        mortal: dict[str, Any] = {
            name: port if name == "definitions" else Mortal(port, self.crashes)
            for name, port in ports.items()
        }
        self.dispatcher = Dispatcher(
            ports={
                **mortal,
                "recent_versions": RememberedVersions(
                    mortal["image_versions"], pace=PACE, clock=lambda: self.now
                ),
                "pace": PACE,
                "fleet_policy": FLEET_POLICY,
                "attestation_rules": self.attestation_rules,
                "build_region": "westeurope",
                "build_capacity": self.capacity,
            },
            outbox=Mortal(self.outbox, self.crashes),
            pace=PACE,
            clock=lambda: self.now,
        )
        self.intake = Intake(
            dispatcher=self.dispatcher,
            definitions=self.definitions,
            builds=self.records.builds,
            image_versions=self.records.image_versions,
            gallery=self.gallery,
            parked=self.records.parked,
            clock=lambda: self.now,
        )

    def runtime(self) -> Runtime:
        """Return the same world as the entrypoints know it."""
        return Runtime(
            settings=settings_from_environ(APP_ENVIRON),
            definitions=self.definitions,
            builds=self.records.builds,
            image_versions=self.records.image_versions,
            channels=self.records.channels,
            sources=self.records.sources,
            definition_states=self.records.definition_states,
            build_slots=self.records.build_slots,
            build_capacity=self.capacity,
            recent_versions=RememberedVersions(
                self.records.image_versions, pace=PACE, clock=lambda: self.now
            ),
            vms=self.records.vms,
            subscriptions=self.records.subscriptions,
            sweeps=self.records.sweeps,
            snapshots=self.records.snapshots,
            exports=self.records.exports,
            export_files=self.export_files,
            policy_sweeps=self.records.policy_sweeps,
            parked=self.records.parked,
            audit=self.records.audit,
            receipts=self.records.receipts,
            marketplace=self.marketplace,
            image_builder=self.image_builder,
            gallery=self.gallery,
            verification_vms=self.vms,
            build_logs=self.build_logs,
            fleet=self.fleet,
            guest_tattoos=self.guest_tattoos,
            attestations=PatientAttestations(self.attestations, clock=lambda: self.now),
            resource_graph=self.resource_graph,
            policy_states=self.policy_states,
            notifier=self.notifier,
            evidence=self.evidence,
            signer=self.signer,
            outbox=self.outbox,
            pace=PACE,
            fleet_policy=FLEET_POLICY,
            attestation_rules=self.attestation_rules,
            build_region="westeurope",
            now=lambda: self.now,
        )

    def send(self, command: Command) -> None:
        """Put a message into its queue, due now."""
        self._push(Envelope(command=command, correlation_id="c"), timedelta())

    async def drain(self, *, limit: int = 2000) -> None:
        """Deliver everything, in the order it is due, until the queues are empty.

        A delivery that dies comes back half a minute later, as the host would do it.
        Raises AssertionError when that takes more than *limit* deliveries.
        """
        while self._queue and (self.stop_at is None or self._queue[0][0] <= self.stop_at):
            assert len(self.delivered) < limit, self.delivered[-20:]
            await self.deliver_next()

    async def deliver_next(self) -> None:
        """Deliver the message that is due first, once or twice as the world does it."""
        due, _, envelope = heapq.heappop(self._queue)
        self.now = max(self.now, due)
        for _ in range(2 if self.twice else 1):
            await self._deliver(envelope)

    async def build(self, source_version: str = "22.04.202411080", **changes: Any) -> str:
        """Start a build of the one definition and drain; return the build's id."""
        name = next(iter(self.definitions))
        command = StartBuild(
            definition=name, source_version=source_version, requested_by="http", **changes
        )
        self.send(command)
        await self.drain()
        page = await self.records.builds.list(definition=name)
        return page.items[0].id

    async def timer(self, passed: timedelta) -> None:
        """Let time pass, fire the timer that looks after the images, and drain."""
        self.now += passed
        self.send(WatchGallery())
        for name in self.definitions:
            self.send(PromoteImage(definition=name))
            self.send(RetireImages(definition=name))
        await self.drain()

    async def _deliver(self, envelope: Envelope) -> None:
        kind = envelope.command.kind
        self.delivered.append(kind)
        try:
            self.crashes.call()
            await self.intake.receive_text(kind, encode(envelope), deliveries=1)
        except KilledError:
            self._push(envelope, timedelta(seconds=30))
        self._collect()

    def _collect(self) -> None:
        for sent in self.outbox.sent[self._taken :]:
            envelope = Envelope(
                command=sent.command, correlation_id=sent.correlation_id, tries=sent.tries
            )
            self._push(envelope, sent.delay)
        self._taken = len(self.outbox.sent)

    def _push(self, envelope: Envelope, delay: timedelta) -> None:
        heapq.heappush(self._queue, (self.now + delay, next(self._order), envelope))
