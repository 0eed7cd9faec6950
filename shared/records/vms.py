"""The VM records: all that is known of one VM in one partition, changed in one transaction.

Rows of a VM: `record` (always there; its ETag guards the whole entry), `policy|…`, `transition|…`,
and `index` as long as the index is not in line with the record. The transaction writes `index`,
names in it the index rows to go, and whoever has brought the index into line deletes it under its
ETag. Who dies on the way leaves it for the next delivery; who finds it changed was overtaken, may
have written over newer index rows, and does it again from what is stored now.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.history import Transition
from shared.domain.vm_record import VmRecord
from shared.errors import ConflictError
from shared.ports import Page, Stored, VmEntry, VmFilter
from shared.records.entities import entity, unpack
from shared.records.keys import escape, unescape
from shared.records.tables import Operation, Stretch, Tables
from shared.records.vm_index import (
    ADAPTER,
    RowKeys,
    VmIndex,
    image_partition,
    register_stretch,
    row_keys,
)
from shared.records.vm_rows import (
    POLICY,
    REPLACE,
    TRANSITION,
    anchor_operation,
    check_entry,
    index_row,
    policy_operations,
    read_index_row,
    transition_row,
    under,
)

_INDEX_TRIES = 5
"""How often the index is done again when others change the same VM meanwhile."""


@dataclass(frozen=True, slots=True)
class _Loaded(Stored[VmEntry]):
    """An entry with what its `index` row says; no *behind* means the index is in line."""

    behind: str = ""
    """ETag of the `index` row."""
    dropped: frozenset[RowKeys] = frozenset()


class TableVms:
    """Implements `shared.ports.Vms`."""

    def __init__(self, tables: Tables) -> None:
        self._vms = tables.table("Vms")
        self._index = VmIndex(tables)

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

        Then brings the index by team and by image into line; a repeat after a crash does too.
        Raises ConflictError when *old* is no longer what is stored, ValueError when the record does
        not count its *transitions*.
        """
        check_entry(old.value, new, transitions)
        loaded = old if isinstance(old, _Loaded) else _Loaded(old.value, old.etag)
        policies = list(policy_operations(old.value, new))
        if policies or transitions or new.record != old.value.record:
            loaded = await self._commit(loaded, new, policies, transitions)
        if loaded.behind:
            await self._bring_index_into_line(loaded)

    async def history(self, key: str) -> list[Transition]:
        """List the transitions of a VM, oldest first."""
        rows = await self._vms.all(
            Stretch(
                query="PartitionKey eq @key and RowKey ge @first and RowKey lt @end",
                # } is the character after |
                parameters={"key": escape(key), "first": "transition|", "end": "transition}"},
            )
        )
        return [unpack(TRANSITION, row) for row in rows]

    async def keys_of_image(self, image_id: str, *, limit: int, cursor: str = "") -> Page[str]:
        """List the keys of the VMs (not deleted) that run any version of an image.

        In the order of versions, then of keys. Raises BadMessageError when *cursor* is not one we
        gave for this image.
        """
        partition = image_partition(image_id)
        stretch = Stretch(
            query="PartitionKey eq @partition and deleted eq @deleted",
            parameters={"partition": partition, "deleted": False},
        )
        found = await self._index.table.page(
            [stretch], limit=limit, cursor=cursor, of=("keys", partition), select=["RowKey"]
        )
        keys = (unescape(str(row["RowKey"]).rsplit("|", 1)[1]) for row in found.rows)
        return Page(items=tuple(keys), cursor=found.cursor)

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
        states = (unpack(POLICY, row) for name, row in by_row.items() if name.startswith("policy|"))
        entry = VmEntry(
            key=key,
            record=unpack(ADAPTER, anchor) if anchor["known"] else None,
            policy_states=tuple(sorted(states, key=lambda state: state.key)),
        )
        behind, dropped = read_index_row(by_row.get("index"))
        return _Loaded(entry, str(anchor.metadata["etag"]), behind, dropped)

    async def _commit(
        self,
        loaded: _Loaded,
        new: VmEntry,
        policies: list[Operation],
        transitions: Sequence[Transition],
    ) -> _Loaded:
        """Write *new* over *loaded* in one transaction and return it as it is stored now."""
        operations = [anchor_operation(new, loaded.etag)]
        old_record = loaded.value.record
        dropped = (loaded.dropped | row_keys(old_record)) - row_keys(new.record)
        index = bool(loaded.behind) or new.record != old_record
        if index:
            operations.append(("upsert", index_row(new.key, dropped), REPLACE))
        first = (old_record.transitions if old_record else 0) + 1
        operations += policies
        operations += [
            ("create", transition_row(new.key, number, line))
            for number, line in enumerate(transitions, start=first)
        ]
        etags = await self._vms.commit(operations)
        return _Loaded(new, etags[0], etags[1] if index else "", frozenset(dropped))

    async def _bring_index_into_line(self, loaded: _Loaded) -> None:
        """Write and delete index rows until they follow from what is stored."""
        key, written = loaded.value.key, set[RowKeys]()
        for _ in range(_INDEX_TRIES):
            record = loaded.value.record
            if record:
                await self._index.write(record)
            await self._index.drop((loaded.dropped | written) - row_keys(record))
            written |= row_keys(record)
            if await self._index_is_in_line(loaded):
                return
            loaded = await self._load(key)
        raise ConflictError(f"others keep changing VM {key}; its index is done at the next look")

    async def _index_is_in_line(self, loaded: _Loaded) -> bool:
        """Delete the `index` row; False when what is stored has changed since *loaded*."""
        key = loaded.value.key
        if not loaded.behind:
            return (await self._load(key)).etag == loaded.etag
        row = entity(escape(key), "index", {})
        try:
            await self._vms.commit([("delete", row, under(loaded.behind))])
        except ConflictError:
            return False
        return True

    async def list(self, wanted: VmFilter, *, limit: int = 100, cursor: str = "") -> Page[VmRecord]:
        """List VM records in the order of their keys, those of one image by version first.

        Raises BadMessageError when *cursor* is not one we gave for this filter.
        """
        if wanted.team or wanted.image:
            table, stretches = self._index.table, await self._index.stretches(wanted)
        else:
            table, stretches = self._vms, [register_stretch(wanted)]
        found = await table.page(stretches, limit=limit, cursor=cursor, of=("vms", repr(wanted)))
        return Page(items=tuple(unpack(ADAPTER, row) for row in found.rows), cursor=found.cursor)
