"""The register of VMs in memory."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.history import Transition, VmLine
from shared.domain.identifiers import normalise_id
from shared.domain.subscription import Subscription
from shared.domain.versions import is_version, version_key
from shared.domain.vm_record import Machine, VmRecord
from shared.errors import ConflictError
from shared.ports import FleetRow, LinesPage, Page, Stored, VmEntry, VmFilter
from shared.records.vm_history import check_before, line_row
from shared.records.vm_index import filter_columns, rank_of, shard_of
from shared.records.vm_queries import fleet_row
from shared.records.vm_rows import check_entry, lines_of
from tests.fakes.shelf import Shelf, page_of

type _SortKey = tuple[object, ...]


class MemoryVms:
    """Implements `shared.ports.Vms`."""

    def __init__(self) -> None:
        self._shelf = Shelf[VmEntry]()
        self._lines: dict[str, list[_Line]] = {}

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
        if new.record:
            records = [r for r in (old.value.record, new.record) if r]
            teams = frozenset(r.team.lower() for r in records)
            images = frozenset(r.image.image_id for r in records)
            self._lines.setdefault(new.key, []).extend(
                _Line(line, teams, images)
                for line in lines_of(old.value.record, new.record, transitions)
            )

    async def lines(self, key: str, *, first: int = 1) -> Sequence[VmLine]:
        return [h.line for h in self._lines.get(key, []) if h.line.number >= first]

    async def list(self, wanted: VmFilter, *, limit: int = 100, cursor: str = "") -> Page[VmRecord]:
        records = [r for r in self._records() if _matches(r, wanted)]
        records.sort(key=_by_version if wanted.image else _order_of(wanted))
        return page_of(records, of=repr(wanted), limit=limit, cursor=cursor)

    async def users_of_image(
        self, image_id: str, *, up_to: str = "", limit: int, cursor: str = ""
    ) -> Page[VmRecord]:
        image_id = normalise_id(image_id)
        users = [
            r
            for r in self._records()
            if r.image.image_id == image_id
            and r.deleted_at is None
            and (
                not up_to
                or not is_version(r.image.version)
                or version_key(r.image.version) <= version_key(up_to)
            )
        ]
        users.sort(key=_by_version)
        return page_of(users, of=f"users {image_id} {up_to}", limit=limit, cursor=cursor)

    async def held_between(
        self,
        subscription_id: str,
        machines: Sequence[Machine],
        *,
        after: str,
        up_to: str,
        limit: int,
        cursor: str = "",
    ) -> Page[VmRecord]:
        held = [
            r
            for r in self._records()
            if r.subscription_id == subscription_id
            and r.machine in machines
            and r.resource_id > after
            and (not up_to or r.resource_id <= up_to)
        ]
        held.sort(key=lambda r: r.resource_id)
        of = f"held {subscription_id} {machines} {after} {up_to}"
        return page_of(held, of=of, limit=limit, cursor=cursor)

    async def rows(self, *, limit: int, cursor: str = "") -> Page[FleetRow]:
        living = sorted((r for r in self._records() if _matches(r, VmFilter())), key=_by_place)
        rows = [fleet_row(filter_columns(r)) for r in living]
        return page_of(rows, of="fleet rows", limit=limit, cursor=cursor)

    async def lines_of_team(
        self, team: str, *, since: datetime, until: datetime, limit: int, before: str = ""
    ) -> LinesPage:
        told = (h.line for h in self._all_lines() if team.lower() in h.teams)
        return _lines_page(told, since, until, limit, before)

    async def lines_of_image(
        self, image_id: str, *, since: datetime, until: datetime, limit: int, before: str = ""
    ) -> LinesPage:
        told = (h.line for h in self._all_lines() if normalise_id(image_id) in h.images)
        return _lines_page(told, since, until, limit, before)

    async def trim(self, key: str, *, before: datetime) -> None:
        held = self._lines.get(key, [])
        old = [h.line for h in held if h.line.transition.at < before]
        last = {line.transition.what: line.number for line in old}
        going = {line.number for line in old} - set(last.values())
        self._lines[key] = [h for h in held if h.line.number not in going]

    async def forget(self, old: Stored[VmEntry]) -> None:
        key = old.value.key
        if not old.etag:
            return
        if (await self.get(key)).etag != old.etag:
            raise ConflictError(f"VM {key} was changed by someone else")
        if old.value.record or not old.value.policy_states:
            self._shelf.remove(key)
            self._lines.pop(key, None)

    def _records(self) -> Sequence[VmRecord]:
        return [s.value.record for s in self._shelf.values() if s.value.record]

    def _all_lines(self) -> "Iterable[_Line]":
        return (held for lines in self._lines.values() for held in lines)


@dataclass(frozen=True)
class _Line:
    """A line with the teams and images whose histories it belongs to."""

    line: VmLine
    teams: frozenset[str]
    images: frozenset[str]


def _lines_page(
    lines: Iterable[VmLine], since: datetime, until: datetime, limit: int, before: str
) -> LinesPage:
    check_before(before)
    rows = sorted((line_row(line), line) for line in lines if since <= line.transition.at < until)
    rest = [(row, line) for row, line in rows if row > before]
    following = rest[limit - 1][0] if len(rest) > limit else ""
    return LinesPage(lines=tuple(line for _, line in rest[:limit]), before=following)


def _by_key(record: VmRecord) -> _SortKey:
    return (record.subscription_id, record.key)


def _by_place(record: VmRecord) -> _SortKey:
    return (record.subscription_id, rank_of(record), record.resource_id)


def _by_shard(record: VmRecord) -> _SortKey:
    return (shard_of(record.key), record.key)


def _order_of(wanted: VmFilter) -> Callable[[VmRecord], _SortKey]:
    return _by_shard if wanted.team and not wanted.scale_set_id else _by_place


def _by_version(record: VmRecord) -> _SortKey:
    version = record.image.version
    known = is_version(version)
    order = version_key(version) if known else ()
    return (record.image.image_id, not known, order, version, *_by_shard(record))


def _matches(record: VmRecord, wanted: VmFilter) -> bool:
    named = (record.definition, record.image.image_id)
    due = min((at for at in (record.due_at, record.plan_due_at) if at), default=None)
    return (
        wanted.team.lower() in ("", record.team.lower())
        and (not wanted.image or wanted.image in named or normalise_id(wanted.image) in named)
        and (not wanted.image or wanted.version in ("", record.image.version))
        and wanted.verdict in ("", record.verdict)
        and wanted.kind in ("", record.kind)
        and wanted.region in ("", record.region)
        and wanted.policy in ("", record.policy)
        and record.machine in wanted.machines
        and wanted.scale_set_id in ("", record.scale_set_id)
        and wanted.subscription_id.lower() in ("", record.subscription_id.lower())
        and (wanted.due_before is None or (due is not None and due < wanted.due_before))
        and (wanted.deleted or record.deleted_at is None)
    )


class MemorySubscriptions:
    """Implements `shared.ports.Subscriptions`."""

    def __init__(self) -> None:
        self._shelf = Shelf[Subscription]()

    async def get(self, subscription_id: str) -> Stored[Subscription] | None:
        return self._shelf.get(subscription_id)

    async def save(self, subscription: Stored[Subscription]) -> Stored[Subscription]:
        return self._shelf.save(subscription.value.subscription_id, subscription)

    async def list(
        self, *, troubled: bool = False, limit: int = 100, cursor: str = ""
    ) -> Page[Subscription]:
        known = sorted((s.value for s in self._shelf.values()), key=lambda s: s.subscription_id)
        wanted = [s for s in known if s.is_troubled or not troubled]
        return page_of(wanted, of=f"subscriptions {troubled}", limit=limit, cursor=cursor)
