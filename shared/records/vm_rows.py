"""The rows of one VM: how its entry, history lines and index notice are written and read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import TableEntity, UpdateMode
from pydantic import TypeAdapter

from shared.domain.history import Transition, VmLine
from shared.domain.identifiers import digest
from shared.domain.vm_record import PolicyState, VmRecord
from shared.ports import VmEntry
from shared.records.entities import SCHEMA, Column, Entity, entity, pack, unpack
from shared.records.keys import escape
from shared.records.tables import Operation
from shared.records.vm_index import ADAPTER, RowKeys, filter_columns

POLICY = TypeAdapter(PolicyState)
REPLACE = {"mode": UpdateMode.REPLACE}


def check_entry(old: VmEntry, new: VmEntry, transitions: Sequence[Transition]) -> None:
    """Raise ValueError when *new* cannot follow *old* by *transitions*."""
    if new.key != old.key or (new.record and new.record.key != new.key):
        raise ValueError(f"the entry of VM {old.key} cannot be saved as that of {new.key}")
    if new.record is None:
        if old.record or transitions:
            raise ValueError(f"VM {old.key} has a record or a history, and cannot be without one")
        return
    counted = (old.record.transitions if old.record else 0) + len(transitions)
    if new.record.transitions != counted:
        raise ValueError(
            f"the record of VM {old.key} counts {new.record.transitions} transitions; with those "
            f"saved now they are {counted}"
        )


def under(etag: str) -> dict[str, Any]:
    """Return what makes an operation of a transaction hold only under *etag*."""
    return {"etag": etag, "match_condition": MatchConditions.IfNotModified}


def anchor_operation(entry: VmEntry, etag: str) -> Operation:
    """Insert the `record` row, or replace it under *etag*."""
    key = escape(entry.key)
    if entry.record:
        columns = filter_columns(entry.record)
        row = pack(ADAPTER, entry.record, partition=key, row="record", columns=columns)
    else:
        row = entity(key, "record", {"known": False, "schema": SCHEMA})
    return ("update", row, {**REPLACE, **under(etag)}) if etag else ("create", row)


def read_entry(key: str, by_row: Mapping[str, TableEntity]) -> VmEntry:
    """Read the entry of a VM from its rows, `record` among them."""
    anchor = by_row["record"]
    states = (unpack(POLICY, row) for name, row in by_row.items() if name.startswith("policy|"))
    return VmEntry(
        key=key,
        record=unpack(ADAPTER, anchor) if anchor["known"] else None,
        policy_states=tuple(sorted(states, key=lambda state: state.key)),
    )


def policy_operations(old: VmEntry, new: VmEntry) -> Iterator[Operation]:
    """Put the states that differ, delete those *new* lacks."""
    before = {state.key: state for state in old.policy_states}
    after = {state.key: state for state in new.policy_states}
    for key, state in after.items():
        if before.get(key) != state:
            row = pack(POLICY, state, partition=escape(new.key), row=f"policy|{digest(*key)}")
            yield ("upsert", row, REPLACE)
    for key in before.keys() - after.keys():
        yield ("delete", entity(escape(new.key), f"policy|{digest(*key)}", {}))


def lines_of(
    old: VmRecord | None, new: VmRecord, transitions: Sequence[Transition]
) -> list[VmLine]:
    """Return *transitions* as numbered lines of the VM that became *new*."""
    first = (old.transitions if old else 0) + 1
    return [
        VmLine(
            key=new.key,
            resource_id=new.resource_id,
            number=number,
            team=new.team,
            definition=new.definition,
            version=new.image.version,
            transition=transition,
        )
        for number, transition in enumerate(transitions, start=first)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The row `index`: the index and the histories are not in line with the record."""

    etag: str = ""
    """Empty when there is no notice: all is in line."""
    dropped: frozenset[RowKeys] = frozenset()
    """Index rows that are to go."""
    lines_from: int = 0
    """First line that may be missing from the histories; 0 for none."""


def notice_row(key: str, dropped: AbstractSet[RowKeys], lines_from: int) -> Entity:
    """Return the row of a notice."""
    columns: dict[str, Column] = {
        "schema": SCHEMA,
        "dropped": json.dumps(sorted(dropped)),
        "lines_from": lines_from,
    }
    return entity(escape(key), "index", columns)


def read_notice(row: TableEntity | None) -> Notice:
    """Read a notice; one that says nothing where there is no row."""
    if row is None:
        return Notice()
    dropped: list[Sequence[str]] = json.loads(row["dropped"])
    return Notice(
        etag=str(row.metadata["etag"]),
        dropped=frozenset((p, r) for p, r in dropped),
        lines_from=int(row["lines_from"]),
    )
