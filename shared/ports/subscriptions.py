"""The subscriptions whose VMs are tracked."""

from typing import Protocol

from shared.domain.subscription import Subscription
from shared.ports.values import Page, Stored


class Subscriptions(Protocol):
    """What is known of each subscription, by id."""

    async def get(self, subscription_id: str) -> Stored[Subscription] | None:
        """Load what is known of a subscription."""

    async def save(self, subscription: Stored[Subscription]) -> Stored[Subscription]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""

    async def list(
        self, *, troubled: bool = False, limit: int = 100, cursor: str = ""
    ) -> Page[Subscription]:
        """List them by id, all or only those with a problem.

        Raises BadMessageError when *cursor* is not one we gave for this list.
        """
