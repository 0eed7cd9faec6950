"""The messages of a sweep."""

from dataclasses import dataclass
from typing import ClassVar

from shared.messages.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepFleet(Command):
    """Hold all that Resource Graph shows against the register, unless a sweep is under way."""

    kind: ClassVar[str] = "sweep_fleet"
    sweep_id: str
    asked_by: str = "timer"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepSubscriptions(Command):
    """Hold one page of the machines in *batch* of a sweep against the register."""

    kind: ClassVar[str] = "sweep_subscriptions"
    sweep_id: str
    batch: int
    turn: int
    """Which turn of the batch this message is for."""
    rank: int
    """Which of `RANKS` is listed."""
    token: str = ""
    """Where to go on; empty for the first page of the rank."""
    after: str = ""
    """The highest id of the pages before."""
    closing: bool = False
    """Every page was read: write down that the subscriptions are swept."""
    guard: bool = False
    """A repeat that comes back to see whether the batch went on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleDrift(Command):
    """Read machines and scale sets that a sweep found to differ, and write what is true."""

    kind: ClassVar[str] = "settle_drift"
    sweep_id: str
    batch: int
    part: str
    """Names this part of the sweep, so that it is counted once."""
    resource_ids: tuple[str, ...]
    """At most a hundred, and fewer where they are long."""
