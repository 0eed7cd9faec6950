"""What images are made with: the Marketplace, Image Builder and its logs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.failure import Failure
from shared.domain.image_definition import Customizer, ImageDefinition, MarketplaceSource


class Marketplace(Protocol):
    """Marketplace VM images."""

    async def versions(self, source: MarketplaceSource) -> list[str]:
        """List the versions of a source in our region, in no order to rely on.

        Raises NotFoundError when publisher, offer or SKU does not exist.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateSpec:
    """What one Image Builder template is made of."""

    name: str
    build_id: str
    attempt: int
    definition: ImageDefinition
    source_version: str
    version: str
    """Image version to distribute, excluded from latest."""
    customizers: tuple[Customizer, ...]
    tags: dict[str, str]
    """Tags of the image version."""
    parent_id: str = ""
    """Id of the gallery image version to build from; empty for the Marketplace image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateStatus:
    """An Image Builder template as Azure describes it now."""

    provisioning_state: str
    """`Creating`, `Updating`, `Succeeded`, `Failed`, `Deleting`, `Canceled`."""
    provisioning_failure: Failure | None = None
    source_version: str = ""
    """The exact version Image Builder says it uses, of a gallery image its id, normalised; empty
    until the template is created."""
    run_state: str = ""
    """Empty before the first run."""
    run_sub_state: str = ""
    run_message: str = ""
    run_started_at: datetime | None = None
    run_ended_at: datetime | None = None
    run_failure: Failure | None = None
    """Why the run failed, when its state is `Failed`, `PartiallySucceeded` or `Canceled`."""
    staging_group: str = ""
    """Id of the resource group Image Builder works in; it goes when the template goes."""


class ImageBuilder(Protocol):
    """Azure Image Builder: one template per attempt."""

    async def create(self, spec: TemplateSpec) -> None:
        """Ask for the template; no error when it exists already."""

    async def status(self, template: str) -> TemplateStatus | None:
        """Read a template; None when it does not exist.

        Raises UnavailableError while Image Builder is blind, which may last half an hour.
        """

    async def run(self, template: str) -> None:
        """Ask for the run; no error when it is running already."""

    async def cancel(self, template: str) -> None:
        """Ask for the end of the run; no error when none is under way."""

    async def output(self, template: str) -> str | None:
        """Return the id of the image version the run distributed; None when there is none."""

    async def delete(self, template: str) -> None:
        """Ask for the template's deletion; no error when it is gone or going."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedLogs:
    """Logs that are ours now: the folder and the files in it."""

    location: str
    """Address of the folder."""
    files: tuple[str, ...] = ()


class BuildLogs(Protocol):
    """Image Builder's own logs of a run, and our copies of them."""

    async def copy(self, staging_group: str, folder: str) -> CopiedLogs:
        """Copy the logs in *staging_group* (a resource group's id) into *folder* of ours.

        A repeat writes the same files again. Raises NotFoundError when the group has none, and
        RefusedError when they may not be read or there is nowhere to put them.
        """
