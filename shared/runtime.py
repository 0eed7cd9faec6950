"""The composition root: the only place that joins records and gateways to ports."""

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from shared.definitions import load_definitions, load_fleet_policy
from shared.dispatch import Dispatcher
from shared.domain.attestation import AttestationRules
from shared.domain.fleet_policy import FleetPolicy
from shared.errors import DefinitionError
from shared.gateways.attestations import AttestationsGateway
from shared.gateways.build_logs import BuildLogsGateway
from shared.gateways.clients import AzureClients, credential
from shared.gateways.evidence import BlobEvidence
from shared.gateways.fleet import FleetGateway
from shared.gateways.gallery import GalleryGateway
from shared.gateways.guest_tattoos import GuestTattoosGateway
from shared.gateways.image_builder import ImageBuilderGateway
from shared.gateways.marketplace import MarketplaceGateway
from shared.gateways.notifier import WebhookNotifier
from shared.gateways.outbox import StorageOutbox
from shared.gateways.patient_attestations import PatientAttestations
from shared.gateways.resource_graph import ResourceGraphGateway
from shared.gateways.signing import signer
from shared.gateways.verification_vms import VerificationVmsGateway
from shared.intake import Intake
from shared.messages import Command
from shared.ports import (
    Attestations,
    Audit,
    BuildCapacity,
    BuildLogs,
    Builds,
    BuildSlots,
    Channels,
    Definitions,
    DefinitionStates,
    Evidence,
    Fleet,
    Gallery,
    GuestTattoos,
    ImageBuilder,
    ImageVersions,
    Marketplace,
    Notifier,
    Outbox,
    Pace,
    Parked,
    Receipts,
    RecentVersions,
    ResourceGraph,
    Signer,
    Sources,
    Subscriptions,
    Sweeps,
    VerificationVms,
    Vms,
)
from shared.records.recent_versions import RememberedVersions
from shared.records.records import Records
from shared.settings import Settings, settings_from_environ
from shared.telemetry import quiet_sdks


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Everything the entrypoints need; a step's ports are its fields of the same name."""

    settings: Settings
    definitions: Definitions
    builds: Builds
    image_versions: ImageVersions
    recent_versions: RecentVersions
    channels: Channels
    sources: Sources
    definition_states: DefinitionStates
    build_slots: BuildSlots
    build_capacity: BuildCapacity
    vms: Vms
    subscriptions: Subscriptions
    sweeps: Sweeps
    parked: Parked
    audit: Audit
    receipts: Receipts
    marketplace: Marketplace
    image_builder: ImageBuilder
    gallery: Gallery
    verification_vms: VerificationVms
    build_logs: BuildLogs
    fleet: Fleet
    guest_tattoos: GuestTattoos
    attestations: Attestations
    resource_graph: ResourceGraph
    notifier: Notifier
    evidence: Evidence
    signer: Signer
    outbox: Outbox
    pace: Pace
    fleet_policy: FleetPolicy
    attestation_rules: AttestationRules
    build_region: str
    """Region of the templates, where a golden image to build from must be replicated to."""
    now: Callable[[], datetime]
    closers: tuple[Callable[[], Awaitable[None]], ...] = ()
    """What closes the connections of the adapters, in order."""

    @property
    def dispatcher(self) -> Dispatcher:
        """What runs the steps, over the ports of this runtime."""
        return Dispatcher(
            ports={f.name: getattr(self, f.name) for f in fields(self)},
            outbox=self.outbox,
            pace=self.pace,
            clock=self.now,
        )

    @property
    def intake(self) -> Intake:
        """What takes messages and events in."""
        return Intake(
            dispatcher=self.dispatcher,
            definitions=self.definitions,
            builds=self.builds,
            image_versions=self.image_versions,
            gallery=self.gallery,
            parked=self.parked,
            clock=self.now,
            notifies=bool(self.settings.notify.webhook),
        )

    async def run(self, command: Command, *, correlation_id: str) -> None:
        """Run the step of *command* here and now, and send what follows."""
        await self.dispatcher.run(command, correlation_id=correlation_id)


def load(environ: Mapping[str, str], app_dir: Path) -> tuple[Settings, Definitions, FleetPolicy]:
    """Read settings, image definitions and the fleet policy.

    Raises SettingsError or DefinitionError, with all that is wrong at once.
    """
    settings = settings_from_environ(environ)
    definitions = load_definitions(app_dir / settings.images_dir)
    homeless = [
        f"image definition {d.name}: its regions do not include {settings.location} "
        "(ASSAY_LOCATION), where Image Builder makes the version; add it"
        for d in definitions.values()
        if settings.location not in {r.name for r in d.regions}
    ]
    if homeless:
        raise DefinitionError(homeless)
    return settings, definitions, load_fleet_policy(app_dir / settings.fleet_file)


def build(settings: Settings, definitions: Definitions, fleet_policy: FleetPolicy) -> Runtime:
    """Join the adapters to the ports; nothing is connected before its first use."""
    identity = credential(settings)
    clients = AzureClients(settings, identity)
    records = Records(settings.storage, identity)
    recent_versions = RememberedVersions(records.image_versions, pace=settings.pace, clock=_clock)
    build_logs = BuildLogsGateway(clients, settings, identity)
    outbox = StorageOutbox(settings, identity)
    notifier = WebhookNotifier(settings)
    evidence, signs = BlobEvidence(settings, identity), signer(settings, identity)
    return Runtime(
        settings=settings,
        definitions=definitions,
        builds=records.builds,
        image_versions=records.image_versions,
        recent_versions=recent_versions,
        channels=records.channels,
        sources=records.sources,
        definition_states=records.definition_states,
        build_slots=records.build_slots,
        build_capacity=_capacity(settings),
        vms=records.vms,
        subscriptions=records.subscriptions,
        sweeps=records.sweeps,
        parked=records.parked,
        audit=records.audit,
        receipts=records.receipts,
        marketplace=MarketplaceGateway(clients, settings),
        image_builder=ImageBuilderGateway(clients, settings),
        gallery=GalleryGateway(clients, settings),
        verification_vms=VerificationVmsGateway(clients, settings),
        build_logs=build_logs,
        fleet=FleetGateway(clients),
        guest_tattoos=GuestTattoosGateway(clients),
        attestations=PatientAttestations(
            AttestationsGateway(clients, settings.attestation), clock=_clock
        ),
        resource_graph=ResourceGraphGateway(clients),
        notifier=notifier,
        evidence=evidence,
        signer=signs,
        outbox=outbox,
        pace=settings.pace,
        fleet_policy=fleet_policy,
        attestation_rules=settings.attestation,
        build_region=settings.location,
        now=_clock,
        closers=(
            build_logs.close,
            evidence.close,
            signs.close,
            notifier.close,
            outbox.close,
            records.close,
            clients.close,
            identity.close,
        ),
    )


def _clock() -> datetime:
    return datetime.now(UTC)


def _capacity(settings: Settings) -> BuildCapacity:
    scope = f"{settings.subscription_id}/{settings.location}"
    return BuildCapacity(scope=scope, limit=settings.max_concurrent_builds)


@cache
def start() -> tuple[Settings, Definitions, FleetPolicy]:
    """Read what the app needs, once per process; a faulty one must not start."""
    quiet_sdks()
    return load(os.environ, Path(__file__).resolve().parent.parent)


_installed: list[Runtime] = []
"""The runtime of this process, once there is one."""


def current() -> Runtime:
    """Return the runtime of this process, joined on first use."""
    if not _installed:
        _installed.append(build(*start()))
    return _installed[0]


def install(runtime: Runtime) -> None:
    """Let this process use *runtime*, for whoever brings ports of their own."""
    _installed[:] = [runtime]


async def close() -> None:
    """Close every connection of this process and forget its runtime.

    For hosts that stop an app in a living process; Azure ends the process.
    """
    for runtime in _installed:
        for closer in runtime.closers:
            await closer()
    _installed.clear()
    start.cache_clear()
