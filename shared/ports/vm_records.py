"""The register of VMs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.fleet_row import FleetRow
from shared.domain.history import Transition, VmLine
from shared.domain.vm_record import Machine, PolicyState, VmRecord
from shared.ports.values import Page, Stored

MACHINES = (Machine.VM, Machine.FLEXIBLE, Machine.UNIFORM)
"""Everything that runs; the model of a scale set does not."""

RANKS: tuple[tuple[Machine, ...], ...] = (
    (Machine.VM, Machine.FLEXIBLE),
    (Machine.UNIFORM,),
    (Machine.SCALE_SET,),
)
"""Machines that Azure lists together, in one order of ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesPage:
    """Some lines of a history, newest first; *before* asks for older ones, empty at the end."""

    lines: tuple[VmLine, ...]
    before: str = ""


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
    kind: str = ""
    region: str = ""
    policy: str = ""
    """Roll-up of the policy states, as recorded."""
    machines: tuple[str, ...] = MACHINES
    """How they are run: by default every VM and instance, but no model of a scale set."""
    due_before: datetime | None = None
    """Only those whose verdict or plan wanted something done before then."""
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

    async def lines(self, key: str, *, first: int = 1) -> Sequence[VmLine]:
        """List the transitions of a VM with their numbers, oldest first, from number *first* on."""

    async def list(self, wanted: VmFilter, *, limit: int = 100, cursor: str = "") -> Page[VmRecord]:
        """List VM records, those of one image by version first; always in the same order.

        Raises BadMessageError when *cursor* is not one we gave.
        """

    async def users_of_image(
        self, image_id: str, *, up_to: str = "", limit: int, cursor: str = ""
    ) -> Page[VmRecord]:
        """List the machines and models (not deleted) that run a version of an image.

        Any version, or none above *up_to*; models that take the latest one are always among them.
        """

    async def held_between(
        self, subscription_id: str, machines: Sequence[Machine], *, after: str, up_to: str,
        limit: int, cursor: str = "",
    ) -> Page[VmRecord]:  # fmt: skip
        """List the records of a subscription in the order of their ids, deleted ones too.

        *machines* are run in one of `RANKS`; ids lie above *after* and up to *up_to*, an empty
        text stands for no bound.
        """

    async def rows(self, *, limit: int, cursor: str = "") -> Page[FleetRow]:
        """List what reports count of every machine that is not deleted; no models."""

    async def lines_of_team(
        self, team: str, *, since: datetime, until: datetime, limit: int, before: str = ""
    ) -> LinesPage:
        """List what happened to VMs of a team from *since* to before *until*, newest first.

        Also of those that left it or came to it then. Raises BadMessageError when *before* is not
        one we gave.
        """

    async def lines_of_image(
        self, image_id: str, *, since: datetime, until: datetime, limit: int, before: str = ""
    ) -> LinesPage:
        """List what happened to VMs that ran a version of an image, as `lines_of_team` does."""

    async def trim(self, key: str, *, before: datetime) -> None:
        """Drop the history lines of a VM from before then.

        The last one of each kind stays, so that what was true then can still be told.
        """

    async def forget(self, old: Stored[VmEntry]) -> None:
        """Drop everything about a VM; no error when nothing is held.

        Of one without record it drops what a forgetting that died left, and keeps policy states:
        they are of a VM that is about to appear. Raises ConflictError when *old* is no longer what
        is stored.
        """
