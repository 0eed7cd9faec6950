"""The VMs and scale sets of our users, as Azure describes them."""

from dataclasses import dataclass
from typing import Protocol

from shared.domain.vm_record import VmFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleSetModel:
    """A scale set that makes its next instances from an image."""

    resource_id: str
    """Normalised."""
    version: str
    """Empty when it takes the latest one."""


class Fleet(Protocol):
    """The VMs of our users."""

    async def vm(self, resource_id: str) -> VmFacts | None:
        """Read a VM or a scale-set instance, its image resolved; None when it does not exist."""

    async def scale_set_instances(self, resource_id: str) -> list[VmFacts] | None:
        """Read the instances of a scale set; None when the scale set does not exist."""

    async def scale_set_models(self, image_id: str) -> list[ScaleSetModel]:
        """List the scale sets, wherever we may read, whose model names *image_id*."""
