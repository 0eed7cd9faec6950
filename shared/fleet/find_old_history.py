"""find_old_history: walk the register and have histories trimmed that are too long."""

from dataclasses import replace
from datetime import datetime
from itertools import batched

from shared.domain.fleet_policy import FleetPolicy
from shared.domain.history_retention import overdue_for_trimming
from shared.messages import FindOldHistory, Message, TrimHistory
from shared.ports import RANKS, Subscriptions, Vms

PAGE = 500
"""VMs looked at for one message: one read of the index."""
SUBSCRIPTIONS = 100
"""Subscriptions a page of their list begins a walk of."""
BATCH = 100
"""VMs in one message that follows: about 7 KB of keys."""


async def find_old_history(
    command: FindOldHistory,
    *,
    vms: Vms,
    subscriptions: Subscriptions,
    fleet_policy: FleetPolicy,
    now: datetime,
) -> list[Message]:
    """Return the trimming that one page asks for, and the command for the page after it.

    The index holds whole records, so a VM whose history is in order costs nothing else. A repeat
    finds the same, and trimming twice does what trimming once does.
    """
    if not command.subscription_id:
        return await _begin(command, subscriptions)
    page = await vms.held_between(
        command.subscription_id,
        RANKS[command.rank],
        after="",
        up_to="",
        limit=PAGE,
        cursor=command.cursor,
    )
    keys = overdue_for_trimming(page.items, fleet_policy, now)
    messages: list[Message] = [TrimHistory(vm_keys=k) for k in batched(keys, BATCH, strict=False)]
    if page.cursor:
        messages.append(replace(command, cursor=page.cursor))
    elif command.rank + 1 < len(RANKS):
        messages.append(replace(command, rank=command.rank + 1, cursor=""))
    return messages


async def _begin(command: FindOldHistory, subscriptions: Subscriptions) -> list[Message]:
    page = await subscriptions.list(limit=SUBSCRIPTIONS, cursor=command.cursor)
    walks: list[Message] = [
        FindOldHistory(subscription_id=found.subscription_id) for found in page.items
    ]
    return [*walks, replace(command, cursor=page.cursor)] if page.cursor else walks
