"""The VMs and scale sets of our users, as Azure describes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from shared.domain.lineage import Known
from shared.domain.vm_record import VmFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleSetModel:
    """A scale set that makes its next instances from an image."""

    resource_id: str
    """Normalised."""
    version: str
    """Empty when it takes the latest one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleSet:
    """A scale set: its model, which is the wish, and its instances, which are the fact."""

    model: VmFacts
    instances: tuple[VmFacts, ...]


class Fleet(Protocol):
    """The VMs of our users.

    What was *known* of a machine spares looking for its image again while it boots the same, and
    tells when its OS disk was swapped.
    """

    async def vm(self, resource_id: str, known: Known | None = None) -> VmFacts | None:
        """Read a VM or a scale-set instance, its image resolved; None when it does not exist."""

    async def scale_set(self, resource_id: str, known: Mapping[str, Known]) -> ScaleSet | None:
        """Read a scale set and its instances; None when it does not exist.

        *known* is by the normalised ids of the instances.
        """

    async def scale_set_models(self, image_id: str) -> list[ScaleSetModel]:
        """List the scale sets, wherever we may read, whose model names *image_id*."""
