"""The messages on how the builds of a definition go, pausing it, and building it anew."""

from dataclasses import dataclass
from typing import ClassVar

from shared.messages.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildChildren(Command):
    """The channels of *definition* may have moved: build what is built from them."""

    kind: ClassVar[str] = "rebuild_children"
    definition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOutcome(Command):
    """Count how a finished build ended, and pause its definition after too many failures."""

    kind: ClassVar[str] = "record_outcome"
    build_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseDefinition(Command):
    """Start no more builds of *definition* by themselves: a person says so."""

    kind: ClassVar[str] = "pause_definition"
    definition: str
    by: str
    """Who asks: an object id, `function-key` … never a name."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeDefinition(Command):
    """Let builds of *definition* start by themselves again: a person says so."""

    kind: ClassVar[str] = "resume_definition"
    definition: str
    by: str
    why: str
