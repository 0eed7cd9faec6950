"""The two clouds every gateway's contract is held against, with the same dials.

One is the fakes the steps' unit tests use, the other the real gateways and SDKs against the
simulated Resource Manager.
"""

from typing import Protocol

from localcloud.arm import ArmSimulator
from localcloud.arm.faults import AsyncFault, HttpFault, RunFault
from localcloud.arm.guest_commands import GuestRule
from shared import ports
from shared.domain.failure import classify
from shared.domain.image_definition import MarketplaceSource
from shared.gateways.clients import AzureClients
from shared.gateways.gallery import GalleryGateway
from shared.gateways.image_builder import ImageBuilderGateway
from shared.gateways.marketplace import MarketplaceGateway
from shared.gateways.verification_vms import VerificationVmsGateway
from shared.ports import RunCommandStatus
from shared.settings import Settings
from tests.contract.gateways.things import JAMMY, SOURCE_VERSION
from tests.fakes.azure import (
    FakeGallery,
    FakeImageBuilder,
    FakeMarketplace,
    FakeVerificationVms,
)


class Cloud(Protocol):
    """The ports of one cloud, and what a test may have happen in it."""

    @property
    def marketplace(self) -> ports.Marketplace: ...

    @property
    def gallery(self) -> ports.Gallery: ...

    @property
    def image_builder(self) -> ports.ImageBuilder: ...

    @property
    def vms(self) -> ports.VerificationVms: ...

    def publish(self, source: MarketplaceSource, version: str) -> None: ...

    def fail_creation(self, template: str, message: str) -> None: ...

    def fail_run(self, template: str, message: str, *, distributed: bool = False) -> None: ...

    def go_blind(self, looks: int) -> None: ...

    def fail_machine(self, vm_name: str, message: str) -> None: ...

    def answer(self, command: str, *, exit_code: int, output: str, error: str) -> None: ...


class MemoryCloud:
    """The fakes."""

    def __init__(self) -> None:
        self.marketplace = FakeMarketplace({JAMMY.urn: [SOURCE_VERSION]})
        self.gallery = FakeGallery()
        self.image_builder = FakeImageBuilder(self.gallery)
        self.vms = FakeVerificationVms()

    def publish(self, source: MarketplaceSource, version: str) -> None:
        self.marketplace.listed[source.urn].append(version)

    def fail_creation(self, template: str, message: str) -> None:
        self.image_builder.fail_creation(template, classify("Other", message))

    def fail_run(self, template: str, message: str, *, distributed: bool = False) -> None:
        self.image_builder.fail_run(
            template, classify("", message), distributed_although_failed=distributed
        )

    def go_blind(self, looks: int) -> None:
        self.image_builder.blind_for(looks)

    def fail_machine(self, vm_name: str, message: str) -> None:
        self.vms.failures[vm_name] = message

    def answer(self, command: str, *, exit_code: int, output: str, error: str) -> None:
        self.vms.answers[command] = RunCommandStatus(
            finished=True, exit_code=exit_code, output=output, error=error
        )


class SimulatedCloud:
    """The real gateways, through the real SDKs, against the simulated Resource Manager."""

    def __init__(self, arm: ArmSimulator, clients: AzureClients, settings: Settings) -> None:
        self._arm = arm
        self.marketplace = MarketplaceGateway(clients, settings)
        self.gallery = GalleryGateway(clients, settings)
        self.image_builder = ImageBuilderGateway(clients, settings)
        self.vms = VerificationVmsGateway(clients, settings)

    def publish(self, source: MarketplaceSource, version: str) -> None:
        self._arm.publish_version(source.publisher, source.offer, source.sku, version)

    def fail_creation(self, template: str, message: str) -> None:
        self._arm.add_fault(
            AsyncFault(operation="Templates_CreateOrUpdate", path=template, message=message)
        )

    def fail_run(self, template: str, message: str, *, distributed: bool = False) -> None:
        self._arm.add_fault(RunFault(template=template, message=message, distributed=distributed))

    def go_blind(self, looks: int) -> None:
        blind = "Internal error occurred. This is a generic error."
        self._arm.add_fault(
            HttpFault(operation="ImageTemplates_Get$", status=500, message=blind, times=looks)
        )

    def fail_machine(self, vm_name: str, message: str) -> None:
        self._arm.add_fault(
            AsyncFault(operation="Machines_CreateOrUpdate", path=vm_name, message=message)
        )

    def answer(self, command: str, *, exit_code: int, output: str, error: str) -> None:
        self._arm.add_guest_rule(
            GuestRule(command=command, exit_code=exit_code, stdout=output, stderr=error)
        )
