"""The VM records: all that is known of one VM in one partition, changed in one transaction.

Rows of a VM: `record` (always there; its ETag guards the whole entry), `policy|…`, `transition|…`,
and `index` as long as the index and the histories are not in line with the record. The transaction
writes `index`, names in it the index rows to go and the first line to be told, and whoever has
brought them into line deletes it under its ETag. Who dies on the way leaves it for the next
delivery; who finds it changed was overtaken, may have written over newer index rows, and does it
again from what is stored now.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.history import Transition, VmLine
from shared.domain.vm_record import Machine, VmRecord
from shared.errors import ConflictError
from shared.ports import FleetRow, LinesPage, Page, Stored, VmEntry, VmFilter
from shared.records.entities import entity, unpack
from shared.records.keys import escape
from shared.records.tables import Operation, Stretch, Tables
from shared.records.vm_history import (
    VmHistory,
    image_scope,
    own_lines,
    read_transition,
    scopes_of,
    team_scope,
    transition_row,
)
from shared.records.vm_index import ADAPTER, RowKeys, VmIndex, row_keys
from shared.records.vm_queries import (
    FLEET_COLUMNS,
    fleet_row,
    stretch_between,
    stretch_of_fleet,
    stretches_of,
    stretches_up_to,
)
from shared.records.vm_rows import (
    REPLACE,
    Notice,
    anchor_operation,
    check_entry,
    lines_of,
    notice_row,
    policy_operations,
    read_entry,
    read_notice,
    under,
)

_INDEX_TRIES = 5
"""How often the index is done again when others change the same VM meanwhile."""

_MOST_STATES = 90
"""Policy states taken out in one transaction, which takes a hundred rows."""

type _Operations = list[Operation]
type _Line = tuple[VmLine, list[str]]
"""A line with the histories it belongs to."""
type _Told = list[_Line]


@dataclass(frozen=True, slots=True)
class _Loaded(Stored[VmEntry]):
    """An entry with what its `index` row says."""

    notice: Notice = field(default_factory=Notice)


class TableVms:
    """Implements `shared.ports.Vms`."""

    def __init__(self, tables: Tables) -> None:
        self._vms = tables.table("Vms")
        self._index = VmIndex(tables)
        self._history = VmHistory(tables)

    async def get(self, key: str) -> Stored[VmEntry]:
        """Load what is held on a VM; an entry without a record when nothing is."""
        return await self._load(key)

    async def save(
        self,
        old: Stored[VmEntry],
        new: VmEntry,
        transitions: Sequence[Transition] = (),
    ) -> None:
        """Write what differs from *old*, with its history lines, in one transaction.

        Then brings the index and the histories into line; a repeat after a crash does too.
        Raises ConflictError when *old* is no longer what is stored, ValueError when the record does
        not count its *transitions*.
        """
        check_entry(old.value, new, transitions)
        loaded = old if isinstance(old, _Loaded) else _Loaded(old.value, old.etag)
        policies = list(policy_operations(old.value, new))
        told: _Told = []
        if policies or transitions or new.record != old.value.record:
            if new.record:
                lines = lines_of(old.value.record, new.record, transitions)
                told = [(line, scopes_of(old.value.record, new.record)) for line in lines]
            loaded = await self._commit(loaded, new, policies, told)
        if loaded.notice.etag:
            await self._bring_into_line(loaded, told)

    async def lines(self, key: str, *, first: int = 1) -> Sequence[VmLine]:
        """List the transitions of a VM with their numbers, oldest first, from number *first* on."""
        return [line for line, _ in await self._own_lines(key, first=first)]

    async def list(self, wanted: VmFilter, *, limit: int = 100, cursor: str = "") -> Page[VmRecord]:
        """List VM records, those of one image by version first; always in the same order.

        Raises BadMessageError when *cursor* is not one we gave for this filter.
        """
        stretches = await stretches_of(wanted, self._index)
        return await self._page(stretches, limit, cursor, ("vms", repr(wanted)))

    async def users_of_image(
        self, image_id: str, *, up_to: str = "", limit: int, cursor: str = ""
    ) -> Page[VmRecord]:
        """List the machines and models (not deleted) that run a version of an image."""
        stretches = stretches_up_to(image_id, up_to)
        return await self._page(stretches, limit, cursor, ("users", image_id, up_to))

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
        """List the records of a subscription in the order of their ids, deleted ones too."""
        stretch = stretch_between(subscription_id, machines, after, up_to)
        return await self._page([stretch], limit, cursor, ("held", repr(stretch)))

    async def rows(self, *, limit: int, cursor: str = "") -> Page[FleetRow]:
        """List what reports count of every machine that is not deleted; no models."""
        found = await self._index.table.page(
            [stretch_of_fleet()],
            limit=limit,
            cursor=cursor,
            of=("fleet rows",),
            select=FLEET_COLUMNS,
        )
        return Page(items=tuple(fleet_row(row) for row in found.rows), cursor=found.cursor)

    async def lines_of_team(
        self, team: str, *, since: datetime, until: datetime, limit: int, before: str = ""
    ) -> LinesPage:
        """List what happened to VMs of a team, newest first, also of those that left it."""
        return await self._history.page(
            team_scope(team), since=since, until=until, limit=limit, before=before
        )

    async def lines_of_image(
        self, image_id: str, *, since: datetime, until: datetime, limit: int, before: str = ""
    ) -> LinesPage:
        """List what happened to VMs that ran a version of an image, newest first."""
        return await self._history.page(
            image_scope(image_id), since=since, until=until, limit=limit, before=before
        )

    async def trim(self, key: str, *, before: datetime) -> None:
        """Drop the history lines of a VM from before then, but the last one of each kind.

        The histories of teams and images come first: a crash leaves the lines to begin with again.
        """
        old = [told for told in await self._own_lines(key) if told[0].transition.at < before]
        last = {line.transition.what: line.number for line, _ in old}
        going = [told for told in old if told[0].number not in last.values()]
        await self._drop_lines(key, going)

    async def forget(self, old: Stored[VmEntry]) -> None:
        """Drop everything about a VM; no error when nothing is held.

        First the record is taken out of the entry, under the ETag: nobody else changes the VM from
        then on. Its rows go last, and of its lines the first one does: a VM that comes back has to
        wait for that, for its own first line takes the same row.

        Raises ConflictError when *old* is no longer what is stored.
        """
        loaded = old if isinstance(old, _Loaded) else _Loaded(old.value, old.etag)
        if not loaded.etag:
            return
        if loaded.value.record:
            loaded = await self._take_out(loaded)
        key = loaded.value.key
        await self._index.drop(loaded.notice.dropped)
        await self._drop_lines(key, reversed(await self._own_lines(key)))
        gone: _Operations = []
        if loaded.notice.etag:
            gone.append(("delete", entity(escape(key), "index", {}), under(loaded.notice.etag)))
        if not loaded.value.policy_states:
            gone.append(("delete", entity(escape(key), "record", {}), under(loaded.etag)))
        if gone:
            await self._vms.commit(gone)

    async def _take_out(self, loaded: _Loaded) -> _Loaded:
        """Take policy states and record out of an entry, as many states at once as may be."""
        states = loaded.value.policy_states
        while states:
            states = states[_MOST_STATES:]
            fewer = replace(loaded.value, policy_states=states)
            operations = list(policy_operations(loaded.value, fewer))
            loaded = await self._commit(loaded, fewer, operations, [])
        return await self._commit(loaded, VmEntry(key=loaded.value.key), [], [])

    async def _drop_lines(self, key: str, lines: Iterable[_Line]) -> None:
        for line, scopes in lines:
            await self._history.drop(line, scopes)
            row = transition_row(line, scopes)
            await self._vms.delete(escape(key), str(row["RowKey"]))

    async def _own_lines(self, key: str, *, first: int = 0) -> _Told:
        rows = await self._vms.all(own_lines(key, first=first))
        return [read_transition(key, row) for row in rows]

    async def _page(
        self, stretches: Sequence[Stretch], limit: int, cursor: str, of: tuple[str, ...]
    ) -> Page[VmRecord]:
        found = await self._index.table.page(stretches, limit=limit, cursor=cursor, of=of)
        return Page(items=tuple(unpack(ADAPTER, row) for row in found.rows), cursor=found.cursor)

    async def _load(self, key: str) -> _Loaded:
        # Transitions sort last: one query reads everything before them.
        rows = await self._vms.all(
            Stretch(
                query="PartitionKey eq @key and RowKey lt @end",
                parameters={"key": escape(key), "end": "transition"},
            )
        )
        by_row = {str(row["RowKey"]): row for row in rows}
        anchor = by_row.get("record")
        if anchor is None:
            return _Loaded(VmEntry(key=key))
        notice = read_notice(by_row.get("index"))
        return _Loaded(read_entry(key, by_row), str(anchor.metadata["etag"]), notice)

    async def _commit(
        self, loaded: _Loaded, new: VmEntry, policies: _Operations, told: _Told
    ) -> _Loaded:
        """Write *new* over *loaded* in one transaction and return it as it is stored now."""
        operations = [anchor_operation(new, loaded.etag)]
        notice, old_record = loaded.notice, loaded.value.record
        dropped = (notice.dropped | row_keys(old_record)) - row_keys(new.record)
        behind = bool(notice.etag) or new.record != old_record
        lines_from = notice.lines_from or (told[0][0].number if told else 0)
        if behind:
            row = notice_row(new.key, dropped, lines_from)
            operations.append(("upsert", row, REPLACE))
        operations += policies
        operations += [("create", transition_row(line, scopes)) for line, scopes in told]
        etags = await self._vms.commit(operations)
        left = Notice(etag=etags[1], dropped=frozenset(dropped), lines_from=lines_from)
        return _Loaded(new, etags[0], left if behind else Notice())

    async def _bring_into_line(self, loaded: _Loaded, told: _Told) -> None:
        """Write and delete index rows and tell lines until they follow from what is stored."""
        key, written = loaded.value.key, set[RowKeys]()
        for _ in range(_INDEX_TRIES):
            record, notice = loaded.value.record, loaded.notice
            if record:
                await self._index.write(record)
            await self._index.drop((notice.dropped | written) - row_keys(record))
            written |= row_keys(record)
            await self._tell(key, notice, told)
            if await self._is_in_line(loaded):
                return
            loaded, told = await self._load(key), []
        raise ConflictError(f"others keep changing VM {key}; its index is done at the next look")

    async def _tell(self, key: str, notice: Notice, told: _Told) -> None:
        """Put the lines from the notice's first on into the histories; *told* are at hand."""
        if not notice.lines_from:
            return
        at_hand = bool(told) and told[0][0].number == notice.lines_from
        lines = told if at_hand else await self._own_lines(key, first=notice.lines_from)
        await self._history.write(lines)

    async def _is_in_line(self, loaded: _Loaded) -> bool:
        """Delete the `index` row; False when what is stored has changed since *loaded*."""
        key = loaded.value.key
        if not loaded.notice.etag:
            return (await self._load(key)).etag == loaded.etag
        row = entity(escape(key), "index", {})
        try:
            await self._vms.commit([("delete", row, under(loaded.notice.etag))])
        except ConflictError:
            return False
        return True
