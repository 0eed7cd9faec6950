"""The register in memory: the record ports over dictionaries, for tests of the steps.

Passes the same contract suite as Table Storage (`tests/contract/records`).
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count

from shared.domain.build import Build
from shared.domain.channel import ImageChannels
from shared.domain.definition_state import DefinitionState
from shared.domain.history import Transition
from shared.domain.identifiers import normalise_id
from shared.domain.image_version import ImageVersion
from shared.domain.slots import Slots
from shared.domain.versions import is_version, version_key
from shared.domain.vm_record import VmRecord
from shared.errors import BadMessageError, ConflictError
from shared.ports import (
    RECEIPT_LIFE,
    AuditEntry,
    Page,
    ParkedMessage,
    Receipt,
    SourceRecord,
    Stored,
    VmEntry,
    VmFilter,
)
from shared.records.vm_rows import check_entry

type _SortKey = tuple[object, ...]


class _Shelf[T]:
    """Values by key, each under the ETag it was last written with."""

    def __init__(self) -> None:
        self._etags = count(1)
        self._stored: dict[str, Stored[T]] = {}

    def get(self, key: str) -> Stored[T] | None:
        return self._stored.get(key)

    def save(self, key: str, stored: Stored[T]) -> Stored[T]:
        present = self._stored.get(key)
        if stored.etag != (present.etag if present else ""):
            raise ConflictError(f"{key} was changed by someone else")
        self._stored[key] = Stored(stored.value, f"etag-{next(self._etags)}")
        return self._stored[key]

    def put(self, key: str, value: T) -> None:
        self._stored[key] = Stored(value, f"etag-{next(self._etags)}")

    def remove(self, key: str) -> None:
        self._stored.pop(key, None)

    def values(self) -> list[Stored[T]]:
        return list(self._stored.values())


def _page[T](items: Iterable[T], *, of: str, limit: int, cursor: str) -> Page[T]:
    """Cut a page; the cursor counts the items before it and names the list it is of."""
    start = _read_cursor(cursor, of) if cursor else 0
    rest = list(items)[start:]
    following = base64.urlsafe_b64encode(f"{of}\n{start + limit}".encode()).decode()
    return Page(items=tuple(rest[:limit]), cursor=following if len(rest) > limit else "")


def _read_cursor(cursor: str, of: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor).decode()
    except (binascii.Error, ValueError) as error:
        raise BadMessageError(f"cursor {cursor!r} cannot be read") from error
    name, _, start = text.rpartition("\n")
    if name != of or not start.isdigit():
        raise BadMessageError(f"cursor {cursor!r} does not belong to this list")
    return int(start)


class MemoryBuilds:
    """Implements `shared.ports.Builds`."""

    def __init__(self) -> None:
        self._shelf = _Shelf[Build]()

    async def get(self, build_id: str) -> Stored[Build] | None:
        return self._shelf.get(build_id)

    async def save(self, build: Stored[Build]) -> Stored[Build]:
        return self._shelf.save(build.value.id, build)

    async def list(self, *, definition: str = "", limit: int = 50, cursor: str = "") -> Page[Build]:
        builds = (s.value for s in self._shelf.values())
        wanted = [b for b in builds if definition in ("", b.definition)]
        wanted.sort(key=lambda b: b.id)
        wanted.sort(key=lambda b: b.created_at, reverse=True)
        return _page(wanted, of=f"builds {definition}", limit=limit, cursor=cursor)


class MemoryImageVersions:
    """Implements `shared.ports.ImageVersions`."""

    def __init__(self) -> None:
        self._shelf = _Shelf[ImageVersion]()

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
        self._shelf = _Shelf[ImageChannels]()

    async def get(self, definition: str) -> Stored[ImageChannels] | None:
        return self._shelf.get(definition)

    async def save(self, channels: Stored[ImageChannels]) -> Stored[ImageChannels]:
        return self._shelf.save(channels.value.definition, channels)


class MemorySources:
    """Implements `shared.ports.Sources`."""

    def __init__(self) -> None:
        self._shelf = _Shelf[SourceRecord]()

    async def get(self, urn: str) -> Stored[SourceRecord] | None:
        return self._shelf.get(urn.lower())

    async def save(self, record: Stored[SourceRecord]) -> Stored[SourceRecord]:
        return self._shelf.save(record.value.urn.lower(), record)


class MemoryDefinitionStates:
    """Implements `shared.ports.DefinitionStates`."""

    def __init__(self) -> None:
        self._shelf = _Shelf[DefinitionState]()

    async def get(self, definition: str) -> Stored[DefinitionState] | None:
        return self._shelf.get(definition)

    async def save(self, state: Stored[DefinitionState]) -> Stored[DefinitionState]:
        return self._shelf.save(state.value.definition, state)


class MemoryBuildSlots:
    """Implements `shared.ports.BuildSlots`."""

    def __init__(self) -> None:
        self._shelf = _Shelf[Slots]()

    async def get(self, scope: str) -> Stored[Slots] | None:
        return self._shelf.get(scope)

    async def save(self, slots: Stored[Slots]) -> Stored[Slots]:
        return self._shelf.save(slots.value.scope, slots)


class MemoryVms:
    """Implements `shared.ports.Vms`."""

    def __init__(self) -> None:
        self._shelf = _Shelf[VmEntry]()
        self._history: dict[str, list[Transition]] = {}

    async def get(self, key: str) -> Stored[VmEntry]:
        return self._shelf.get(key) or Stored(VmEntry(key=key))

    async def save(
        self,
        old: Stored[VmEntry],
        new: VmEntry,
        transitions: Sequence[Transition] = (),
    ) -> None:
        check_entry(old.value, new, transitions)
        new = replace(new, policy_states=tuple(sorted(new.policy_states, key=lambda s: s.key)))
        if new == old.value and not transitions:
            return
        self._shelf.save(new.key, Stored(new, old.etag))
        self._history.setdefault(new.key, []).extend(transitions)

    async def history(self, key: str) -> list[Transition]:
        return list(self._history.get(key, []))

    async def keys_of_image(self, image_id: str, *, limit: int, cursor: str = "") -> Page[str]:
        wanted = VmFilter(image=normalise_id(image_id))
        keys = [
            r.key
            for r in self._records(_by_version)
            if r.image.image_id == wanted.image and not r.deleted_at
        ]
        return _page(keys, of=f"keys {wanted.image}", limit=limit, cursor=cursor)

    async def list(self, wanted: VmFilter, *, limit: int = 100, cursor: str = "") -> Page[VmRecord]:
        order = _by_version if wanted.image else _by_key
        records = [r for r in self._records(order) if _matches(r, wanted)]
        return _page(records, of=repr(wanted), limit=limit, cursor=cursor)

    def _records(self, order: Callable[[VmRecord], _SortKey]) -> Sequence[VmRecord]:
        return sorted((s.value.record for s in self._shelf.values() if s.value.record), key=order)


def _by_key(record: VmRecord) -> _SortKey:
    return (record.key,)


def _by_version(record: VmRecord) -> _SortKey:
    version = record.image.version
    known = is_version(version)
    return (not known, version_key(version) if known else (), version, record.key)


def _matches(record: VmRecord, wanted: VmFilter) -> bool:
    named = (record.definition, record.image.image_id)
    return (
        wanted.team.lower() in ("", record.team.lower())
        and (not wanted.image or wanted.image in named or normalise_id(wanted.image) in named)
        and (not wanted.image or wanted.version in ("", record.image.version))
        and wanted.verdict in ("", record.verdict)
        and wanted.scale_set_id in ("", record.scale_set_id)
        and wanted.subscription_id.lower() in ("", record.subscription_id.lower())
        and (wanted.deleted or record.deleted_at is None)
    )


class MemoryParked:
    """Implements `shared.ports.Parked`."""

    def __init__(self) -> None:
        self._shelf = _Shelf[ParkedMessage]()

    async def park(self, message: ParkedMessage) -> None:
        self._shelf.put(message.id, message)

    async def get(self, message_id: str) -> ParkedMessage | None:
        stored = self._shelf.get(message_id)
        return stored.value if stored else None

    async def list(self, *, limit: int = 50, cursor: str = "") -> Page[ParkedMessage]:
        messages = sorted((s.value for s in self._shelf.values()), key=lambda m: m.id)
        return _page(messages, of="parked", limit=limit, cursor=cursor)

    async def remove(self, message_id: str) -> None:
        self._shelf.remove(message_id)


class MemoryAudit:
    """Implements `shared.ports.Audit`."""

    def __init__(self) -> None:
        self._shelf = _Shelf[AuditEntry]()

    async def write(self, entry: AuditEntry) -> None:
        self._shelf.put(f"{entry.scope} {entry.id}", entry)

    async def list(
        self, scope: str, *, subject: str = "", limit: int = 50, cursor: str = ""
    ) -> Page[AuditEntry]:
        entries = (s.value for s in self._shelf.values())
        wanted = [e for e in entries if e.scope == scope and subject in ("", e.subject)]
        wanted.sort(key=lambda e: e.id)
        wanted.sort(key=lambda e: e.at, reverse=True)
        return _page(wanted, of=f"audit {scope} {subject}", limit=limit, cursor=cursor)


class MemoryReceipts:
    """Implements `shared.ports.Receipts`."""

    def __init__(self) -> None:
        self._shelf = _Shelf[Receipt]()

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
    parked: MemoryParked = field(default_factory=MemoryParked)
    audit: MemoryAudit = field(default_factory=MemoryAudit)
    receipts: MemoryReceipts = field(default_factory=MemoryReceipts)

    async def ensure(self) -> None:
        """Nothing is to be made."""

    async def ping(self) -> None:
        """Memory always answers."""

    async def close(self) -> None:
        """Nothing is open."""
