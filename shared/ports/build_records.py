"""The records of builds: the builds, who may build now, and how each definition fares."""

from dataclasses import dataclass
from typing import Protocol

from shared.domain.build import Build
from shared.domain.definition_state import DefinitionState
from shared.domain.slots import Slots
from shared.ports.values import Page, Stored


class Builds(Protocol):
    """The builds, by id."""

    async def get(self, build_id: str) -> Stored[Build] | None:
        """Load a build."""

    async def save(self, build: Stored[Build]) -> Stored[Build]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""

    async def list(self, *, definition: str = "", limit: int = 50, cursor: str = "") -> Page[Build]:
        """List builds, newest first, of one definition or of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildCapacity:
    """How many attempts Image Builder may work on at once, and where that counts."""

    scope: str
    """`<subscription>/<region>`."""
    limit: int


class BuildSlots(Protocol):
    """Who builds and who waits for a place to, by `BuildCapacity.scope`."""

    async def get(self, scope: str) -> Stored[Slots] | None:
        """Load the seats and the line of *scope*."""

    async def save(self, slots: Stored[Slots]) -> Stored[Slots]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""


class DefinitionStates(Protocol):
    """How the builds of each definition go, and whether it is paused, by definition."""

    async def get(self, definition: str) -> Stored[DefinitionState] | None:
        """Load the state; None as long as no build of the definition has ended."""

    async def save(self, state: Stored[DefinitionState]) -> Stored[DefinitionState]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""
