"""The register of VMs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.domain.history import Transition
from shared.domain.vm_record import PolicyState, VmRecord
from shared.ports.values import Page, Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class VmEntry:
    """Everything the register holds on one VM but its history: record and policy states."""

    key: str
    record: VmRecord | None = None
    policy_states: tuple[PolicyState, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VmFilter:
    """Which VMs to list; empty texts do not filter."""

    team: str = ""
    """Whatever its case."""
    image: str = ""
    """Name of an image definition, or the id of any image."""
    version: str = ""
    """Only together with *image*."""
    verdict: str = ""
    subscription_id: str = ""
    scale_set_id: str = ""
    """Normalised id of a scale set: only its members; together with its *subscription_id*."""
    deleted: bool = False
    """Also list VMs that are gone."""


class Vms(Protocol):
    """The VM records with their policy states and history, by VM key."""

    async def get(self, key: str) -> Stored[VmEntry]:
        """Load what is held on a VM; an entry without a record when nothing is."""

    async def save(
        self,
        old: Stored[VmEntry],
        new: VmEntry,
        transitions: Sequence[Transition] = (),
    ) -> None:
        """Write what differs from *old*, with its history lines, in one transaction.

        Then brings the index by team and by image into line; a repeat after a crash does too.
        Raises ConflictError when *old* is no longer what is stored.
        """

    async def history(self, key: str) -> list[Transition]:
        """List the transitions of a VM, oldest first."""

    async def list(self, wanted: VmFilter, *, limit: int = 100, cursor: str = "") -> Page[VmRecord]:
        """List VM records in the order of their keys, those of one image by version first.

        Raises BadMessageError when *cursor* is not one we gave.
        """

    async def keys_of_image(self, image_id: str, *, limit: int, cursor: str = "") -> Page[str]:
        """List the keys of the VMs (not deleted) that run any version of an image."""
