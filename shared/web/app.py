"""What the API needs of the running app."""

from datetime import datetime
from typing import Protocol

from shared.messages import Command
from shared.ports import (
    Audit,
    Builds,
    Channels,
    Definitions,
    DefinitionStates,
    Evidence,
    Gallery,
    ImageVersions,
    Marketplace,
    Outbox,
    Parked,
    Receipts,
    Signer,
    Sources,
    Subscriptions,
    Sweeps,
    Vms,
)


class ApiSettings(Protocol):
    """The settings the API reads."""

    @property
    def public_url(self) -> str:
        """Address people reach us under, without a last slash; empty when not set."""

    @property
    def signs_in(self) -> bool:
        """Whether App Service authentication is on and says who calls."""


class App(Protocol):
    """Records, ports and clock behind the API."""

    @property
    def settings(self) -> ApiSettings:
        """The settings."""

    @property
    def definitions(self) -> Definitions:
        """Every image definition by its name."""

    @property
    def builds(self) -> Builds:
        """The builds."""

    @property
    def image_versions(self) -> ImageVersions:
        """The register of image versions."""

    @property
    def sources(self) -> Sources:
        """What was last seen of the Marketplace."""

    @property
    def vms(self) -> Vms:
        """The VM records."""

    @property
    def subscriptions(self) -> Subscriptions:
        """The subscriptions whose VMs are tracked."""

    @property
    def sweeps(self) -> Sweeps:
        """The sweeps of the fleet."""

    @property
    def parked(self) -> Parked:
        """Messages that wait for an operator."""

    @property
    def channels(self) -> Channels:
        """The channels of every image."""

    @property
    def definition_states(self) -> DefinitionStates:
        """Whether definitions are paused."""

    @property
    def audit(self) -> Audit:
        """What was asked for, by whom and why."""

    @property
    def receipts(self) -> Receipts:
        """What was answered under which idempotency key."""

    @property
    def evidence(self) -> Evidence:
        """Documents that prove what versions are."""

    @property
    def signer(self) -> Signer:
        """The key evidence is signed with."""

    @property
    def gallery(self) -> Gallery:
        """Our Compute Gallery."""

    @property
    def marketplace(self) -> Marketplace:
        """Marketplace VM images."""

    @property
    def outbox(self) -> Outbox:
        """Where messages go."""

    def now(self) -> datetime:
        """Return the time, UTC."""

    async def run(self, command: Command, *, correlation_id: str) -> None:
        """Run the step of *command* and send what follows it."""
