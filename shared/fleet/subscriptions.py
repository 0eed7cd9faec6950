"""What reading VMs teaches of their subscriptions: whether we may read them at all."""

from dataclasses import replace
from datetime import datetime

from shared.domain.subscription import Subscription
from shared.ports import Stored, Subscriptions


async def known_subscription(
    subscription_id: str, subscriptions: Subscriptions
) -> Stored[Subscription]:
    """Load what is known of a subscription; a blank one, not yet stored, when nothing is."""
    stored = await subscriptions.get(subscription_id)
    return stored or Stored(Subscription(subscription_id=subscription_id))


async def remember_trouble(
    subscription_id: str, problem: str, *, subscriptions: Subscriptions, now: datetime
) -> None:
    """Keep why a subscription cannot be read; one that has a problem keeps it.

    Raises ConflictError when another delivery changed the subscription.
    """
    stored = await known_subscription(subscription_id, subscriptions)
    if not stored.value.problem:
        await subscriptions.save(replace(stored, value=stored.value.troubled(problem, now=now)))


async def remember_readable(subscription_id: str, *, subscriptions: Subscriptions) -> None:
    """Keep that a subscription can be read, and that there is one.

    Raises ConflictError when another delivery changed the subscription.
    """
    stored = await known_subscription(subscription_id, subscriptions)
    if stored.value.problem or not stored.etag:
        await subscriptions.save(replace(stored, value=stored.value.readable()))
