"""sweep_policy: have the policy states of every readable subscription compared with Azure's."""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.messages import Message, SweepPolicy, SweepPolicyStates
from shared.ports import PolicySweeps, Subscriptions

PAGE = 100
"""Subscriptions begun by one message."""

KEPT = timedelta(days=90)
"""How long what a sweep found can be read."""


async def sweep_policy(
    command: SweepPolicy,
    *,
    subscriptions: Subscriptions,
    policy_sweeps: PolicySweeps,
    now: datetime,
) -> list[Message]:
    """Return the sweep through each subscription of a page, and the command for the next page.

    A subscription whose VMs cannot be read is left out: whoever found that out says so.
    """
    page = await subscriptions.list(limit=PAGE, cursor=command.cursor)
    messages: list[Message] = [
        SweepPolicyStates(subscription_id=s.subscription_id, began_at=command.began_at)
        for s in page.items
        if not s.problem
    ]
    if page.cursor:
        messages.append(replace(command, cursor=page.cursor))
    if not command.cursor:
        await policy_sweeps.forget(before=now - KEPT)
    return messages
