"""The messages that count the fleet and write it out."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.messages.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeSnapshot(Command):
    """Count one *page* more of the fleet for the snapshot of the hour *at*, or finish it."""

    kind: ClassVar[str] = "take_snapshot"
    at: datetime
    page: int = 0
    guard: bool = False
    """Whether it only looks after a repeat: see `domain/turns.py`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteExport(Command):
    """Append one *page* more of the register to the file of *export_id*."""

    kind: ClassVar[str] = "write_export"
    export_id: str
    page: int = 0
    guard: bool = False
    """Whether it only looks after a repeat: see `domain/turns.py`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveExports(Command):
    """Remove exports that have expired, some at a time."""

    kind: ClassVar[str] = "remove_exports"
