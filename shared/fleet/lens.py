"""The lens VMs of some subscriptions are seen through."""

from collections.abc import Iterable

from shared.domain.fleet_policy import FleetPolicy
from shared.fleet.record import Lens
from shared.ports import Subscriptions


async def lens_for(
    policy: FleetPolicy, subscription_ids: Iterable[str], subscriptions: Subscriptions
) -> Lens:
    """Return the lens; where subscriptions belong is read only when a rule asks for it."""
    if not policy.rules.ask_management_groups:
        return Lens(policy=policy)
    held = {name: await subscriptions.get(name) for name in set(subscription_ids)}
    groups = {name: stored.value.management_groups for name, stored in held.items() if stored}
    return Lens(policy=policy, management_groups=groups)
