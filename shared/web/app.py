"""What the API needs of the running app."""

from datetime import datetime
from typing import Protocol

from shared.messages import Command
from shared.ports import (
    Builds,
    Definitions,
    Gallery,
    ImageVersions,
    Marketplace,
    Outbox,
    Parked,
    Sources,
    Vms,
)


class ApiSettings(Protocol):
    """The settings the API reads."""

    @property
    def public_url(self) -> str:
        """Address people reach us under, without a last slash; empty when not set."""


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
    def parked(self) -> Parked:
        """Messages that wait for an operator."""

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
