"""What Azure Policy says of VMs when it is asked, and the sweeps that ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.policy_subject import PolicySubject
from shared.domain.policy_sweep import PolicySweep
from shared.domain.vm_record import PolicyState
from shared.ports.values import Page, Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """One policy state, and the VM it is of."""

    vm_id: str
    """Normalised."""
    state: PolicyState


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPage:
    """Some of a subscription's policy states; *skip_token* asks for more, empty at the end."""

    rows: tuple[PolicyRow, ...]
    skip_token: str = ""


class PolicyStates(Protocol):
    """The latest policy states of VMs, scale-set instances and their guest configurations."""

    async def page(self, subscription_id: str, skip_token: str = "") -> PolicyPage | None:
        """List a page of a subscription's states, about in the order of the VMs' ids.

        The states of one VM may stand on two pages. None when Azure no longer knows *skip_token*.
        """

    async def of(self, subject: PolicySubject) -> Sequence[PolicyState]:
        """List every state of one resource; none when it does not exist."""


class PolicySweeps(Protocol):
    """How each sweep goes, by when it began and subscription."""

    async def get(self, began_at: datetime, subscription_id: str) -> Stored[PolicySweep] | None:
        """Load a sweep through one subscription."""

    async def save(self, sweep: Stored[PolicySweep]) -> Stored[PolicySweep]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""

    async def list(self, *, limit: int = 100, cursor: str = "") -> Page[PolicySweep]:
        """List them, the newest sweep first, by subscription.

        Raises BadMessageError when *cursor* is not one we gave.
        """

    async def forget(self, *, before: datetime) -> None:
        """Drop the sweeps that began before then."""
