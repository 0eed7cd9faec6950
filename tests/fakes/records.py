"""The register in memory: the record ports over dictionaries, for tests of the steps.

Passes the same contract suite as Table Storage (`tests/contract/records`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.build import Build
from shared.domain.channel import ImageChannels
from shared.domain.definition_state import DefinitionState
from shared.domain.image_version import ImageVersion
from shared.domain.slots import Slots
from shared.domain.versions import version_key
from shared.ports import (
    RECEIPT_LIFE,
    AuditEntry,
    Page,
    ParkedMessage,
    Receipt,
    SourceRecord,
    Stored,
)
from tests.fakes.fleet_records import MemorySubscriptions, MemoryVms
from tests.fakes.shelf import Shelf, page_of
from tests.fakes.sweeps import MemorySweeps


class MemoryBuilds:
    """Implements `shared.ports.Builds`."""

    def __init__(self) -> None:
        self._shelf = Shelf[Build]()

    async def get(self, build_id: str) -> Stored[Build] | None:
        return self._shelf.get(build_id)

    async def save(self, build: Stored[Build]) -> Stored[Build]:
        return self._shelf.save(build.value.id, build)

    async def list(self, *, definition: str = "", limit: int = 50, cursor: str = "") -> Page[Build]:
        builds = (s.value for s in self._shelf.values())
        wanted = [b for b in builds if definition in ("", b.definition)]
        wanted.sort(key=lambda b: b.id)
        wanted.sort(key=lambda b: b.created_at, reverse=True)
        return page_of(wanted, of=f"builds {definition}", limit=limit, cursor=cursor)


class MemoryImageVersions:
    """Implements `shared.ports.ImageVersions`."""

    def __init__(self) -> None:
        self._shelf = Shelf[ImageVersion]()

    async def get(self, definition: str, version: str) -> Stored[ImageVersion] | None:
        return self._shelf.get(f"{definition} {version}")

    async def save(self, version: Stored[ImageVersion]) -> Stored[ImageVersion]:
        return self._shelf.save(f"{version.value.definition} {version.value.version}", version)

    async def list(self, definition: str) -> list[Stored[ImageVersion]]:
        wanted = (s for s in self._shelf.values() if s.value.definition == definition)
        return sorted(wanted, key=lambda s: version_key(s.value.version), reverse=True)

    async def children(
        self, definition: str, version: str, *, limit: int
    ) -> Sequence[ImageVersion]:
        wanted = [
            s.value
            for s in self._shelf.values()
            if s.value.parent
            and (s.value.parent.definition, s.value.parent.version) == (definition, version)
        ]
        return sorted(wanted, key=lambda v: (v.definition, version_key(v.version)))[:limit]


class MemoryChannels:
    """Implements `shared.ports.Channels`."""

    def __init__(self) -> None:
        self._shelf = Shelf[ImageChannels]()

    async def get(self, definition: str) -> Stored[ImageChannels] | None:
        return self._shelf.get(definition)

    async def save(self, channels: Stored[ImageChannels]) -> Stored[ImageChannels]:
        return self._shelf.save(channels.value.definition, channels)


class MemorySources:
    """Implements `shared.ports.Sources`."""

    def __init__(self) -> None:
        self._shelf = Shelf[SourceRecord]()

    async def get(self, urn: str) -> Stored[SourceRecord] | None:
        return self._shelf.get(urn.lower())

    async def save(self, record: Stored[SourceRecord]) -> Stored[SourceRecord]:
        return self._shelf.save(record.value.urn.lower(), record)


class MemoryDefinitionStates:
    """Implements `shared.ports.DefinitionStates`."""

    def __init__(self) -> None:
        self._shelf = Shelf[DefinitionState]()

    async def get(self, definition: str) -> Stored[DefinitionState] | None:
        return self._shelf.get(definition)

    async def save(self, state: Stored[DefinitionState]) -> Stored[DefinitionState]:
        return self._shelf.save(state.value.definition, state)


class MemoryBuildSlots:
    """Implements `shared.ports.BuildSlots`."""

    def __init__(self) -> None:
        self._shelf = Shelf[Slots]()

    async def get(self, scope: str) -> Stored[Slots] | None:
        return self._shelf.get(scope)

    async def save(self, slots: Stored[Slots]) -> Stored[Slots]:
        return self._shelf.save(slots.value.scope, slots)


class MemoryParked:
    """Implements `shared.ports.Parked`."""

    def __init__(self) -> None:
        self._shelf = Shelf[ParkedMessage]()

    async def park(self, message: ParkedMessage) -> None:
        self._shelf.put(message.id, message)

    async def get(self, message_id: str) -> ParkedMessage | None:
        stored = self._shelf.get(message_id)
        return stored.value if stored else None

    async def list(self, *, limit: int = 50, cursor: str = "") -> Page[ParkedMessage]:
        messages = sorted((s.value for s in self._shelf.values()), key=lambda m: m.id)
        return page_of(messages, of="parked", limit=limit, cursor=cursor)

    async def remove(self, message_id: str) -> None:
        self._shelf.remove(message_id)


class MemoryAudit:
    """Implements `shared.ports.Audit`."""

    def __init__(self) -> None:
        self._shelf = Shelf[AuditEntry]()

    async def write(self, entry: AuditEntry) -> None:
        self._shelf.put(f"{entry.scope} {entry.id}", entry)

    async def list(
        self, scope: str, *, subject: str = "", limit: int = 50, cursor: str = ""
    ) -> Page[AuditEntry]:
        entries = (s.value for s in self._shelf.values())
        wanted = [e for e in entries if e.scope == scope and subject in ("", e.subject)]
        wanted.sort(key=lambda e: e.id)
        wanted.sort(key=lambda e: e.at, reverse=True)
        return page_of(wanted, of=f"audit {scope} {subject}", limit=limit, cursor=cursor)


class MemoryReceipts:
    """Implements `shared.ports.Receipts`."""

    def __init__(self) -> None:
        self._shelf = Shelf[Receipt]()

    async def get(self, key: str, *, now: datetime) -> Receipt | None:
        stored = self._shelf.get(key)
        return stored.value if stored and now < stored.value.at + RECEIPT_LIFE else None

    async def keep(self, receipt: Receipt) -> Receipt:
        first = await self.get(receipt.key, now=receipt.at)
        if first is None:
            self._shelf.put(receipt.key, receipt)
        return first or receipt


@dataclass
class MemoryRecords:
    """Every record port in memory."""

    builds: MemoryBuilds = field(default_factory=MemoryBuilds)
    image_versions: MemoryImageVersions = field(default_factory=MemoryImageVersions)
    channels: MemoryChannels = field(default_factory=MemoryChannels)
    sources: MemorySources = field(default_factory=MemorySources)
    definition_states: MemoryDefinitionStates = field(default_factory=MemoryDefinitionStates)
    build_slots: MemoryBuildSlots = field(default_factory=MemoryBuildSlots)
    vms: MemoryVms = field(default_factory=MemoryVms)
    subscriptions: MemorySubscriptions = field(default_factory=MemorySubscriptions)
    sweeps: MemorySweeps = field(default_factory=MemorySweeps)
    parked: MemoryParked = field(default_factory=MemoryParked)
    audit: MemoryAudit = field(default_factory=MemoryAudit)
    receipts: MemoryReceipts = field(default_factory=MemoryReceipts)

    async def ensure(self) -> None:
        """Nothing is to be made."""

    async def ping(self) -> None:
        """Memory always answers."""

    async def close(self) -> None:
        """Nothing is open."""
