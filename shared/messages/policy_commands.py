"""The messages that recover what events of Azure Policy did not tell."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.messages.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPolicy(Command):
    """Have the policy states of every subscription compared, a page of subscriptions at a time."""

    kind: ClassVar[str] = "sweep_policy"
    began_at: datetime
    """Names the sweep."""
    cursor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPolicyStates(Command):
    """Compare the policy states of a subscription with Azure's, a page at a time."""

    kind: ClassVar[str] = "sweep_policy_states"
    subscription_id: str
    began_at: datetime
    turn: int = 0
    """Which turn of the sweep through this subscription it is for."""
    guard: bool = False
    """Whether it only makes sure that the sweep went on."""
