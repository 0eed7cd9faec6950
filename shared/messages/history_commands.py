"""The messages that keep histories as long as they are asked to be, and no longer."""

from dataclasses import dataclass
from typing import ClassVar

from shared.messages.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class FindOldHistory(Command):
    """Find the VMs whose history is too long, in every subscription or in one, page by page."""

    kind: ClassVar[str] = "find_old_history"
    subscription_id: str = ""
    """Empty for the list of subscriptions itself."""
    rank: int = 0
    """Which of the ways machines are run, in the order of `RANKS`."""
    cursor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrimHistory(Command):
    """Drop what is too old of the histories of the VMs under *vm_keys*, at most a hundred."""

    kind: ClassVar[str] = "trim_history"
    vm_keys: tuple[str, ...]
