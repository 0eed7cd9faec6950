"""Rows of `Snapshots`: tallies as compressed JSON in binary columns.

Text costs two bytes a character there, and names repeat: compressed, a snapshot takes a tenth. Each
dimension has columns of its own, so that a trend reads no more than it shows.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from pydantic import TypeAdapter

from shared.domain.snapshot import ALL, MAX_VALUES, Dimension, Grain, Part, Snapshot, Tally, bounded
from shared.domain.vm_record import Verdict
from shared.ports.snapshots import Progress
from shared.records.entities import (
    MAX_BINARY_BYTES,
    MAX_ENTITY_BYTES,
    Column,
    Entity,
    entity,
    pack,
    unpack,
)
from shared.records.keys import escape, newest_first

PROGRESS = TypeAdapter(Progress)
_HEAD = TypeAdapter(Snapshot)
_COUNTS = TypeAdapter(dict[str, dict[Verdict, int]])
_PART = TypeAdapter(dict[str, Tally])
_WORDS = {Grain.HOUR: "hourly", Grain.DAY: "daily"}
_ROOM = MAX_ENTITY_BYTES - 16 * 1024
"""What the dimensions of one snapshot may take; keys and sums need less than the rest."""
_CHUNKS = MAX_ENTITY_BYTES // MAX_BINARY_BYTES
ROW_BYTES = 14 * MAX_BINARY_BYTES
"""Bytes of a counted page in one row."""


def partition_of(grain: Grain, team: str) -> str:
    """Return the partition of the snapshots of a scope."""
    return f"{_WORDS[grain]}|all" if team == ALL else f"{_WORDS[grain]}|team|{escape(team)}"


def row_of(grain: Grain, at: datetime) -> str:
    """Return the row of the snapshot of an hour, or of a UTC day; the newest comes first."""
    return newest_first(floor(grain, at))


def floor(grain: Grain, at: datetime) -> datetime:
    """Return the time a snapshot's row is named after: for a day, its beginning in UTC."""
    if grain is Grain.HOUR:
        return at
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def progress_partition(at: datetime) -> str:
    """Return the partition of the snapshot in the making for an hour; they sort by time."""
    return f"partial|{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"


def snapshot_row(grain: Grain, snapshot: Snapshot) -> Entity:
    """Return the row of *snapshot*.

    Where Table Storage would not take it, fewer values are told apart in every dimension but the
    team, which says what scopes there are.
    """
    most = MAX_VALUES
    while _size(columns := _columns(snapshot.tally, most)) > _ROOM and most:
        most //= 2
    return pack(
        _HEAD,
        replace(snapshot, tally=replace(snapshot.tally, by={})),
        partition=partition_of(grain, snapshot.team),
        row=row_of(grain, snapshot.at),
        columns=columns,
    )


def columns_of(dimensions: Sequence[Dimension]) -> list[str]:
    """Return the columns that `read_snapshot` needs for *dimensions*."""
    names = [name for d in dimensions for name in _names(f"by_{d}", _CHUNKS)]
    return ["PartitionKey", "RowKey", "schema", "data", *names]


def read_snapshot(row: Mapping[str, object]) -> Snapshot:
    """Read a row in all the dimensions it was read with."""
    head = unpack(_HEAD, row)
    packed = {d: _joined(row, f"by_{d}") for d in Dimension}
    by = {d: _COUNTS.validate_json(zlib.decompress(data)) for d, data in packed.items() if data}
    return replace(head, tally=replace(head.tally, by=by))


def page_rows(partition: str, number: int, part: Part) -> list[Entity]:
    """Return the rows of a counted page, as many as its size asks for."""
    data = zlib.compress(_PART.dump_json(dict(part)))
    pieces = [data[start : start + ROW_BYTES] for start in range(0, len(data), ROW_BYTES)]
    return [
        entity(partition, f"page|{number:06d}|{index:02d}", {**_cut("part", piece), "schema": 1})
        for index, piece in enumerate(pieces)
    ]


def read_pages(rows: Sequence[Mapping[str, object]]) -> list[Part]:
    """Read the pages in *rows*, which are all of them, in the order of their keys."""
    by_page: dict[str, bytes] = {}
    for row in rows:
        page = str(row["RowKey"]).rpartition("|")[0]
        by_page[page] = by_page.get(page, b"") + _joined(row, "part")
    return [_PART.validate_json(zlib.decompress(data)) for data in by_page.values()]


def _columns(tally: Tally, most: int) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    for dimension, counts in tally.by.items():
        kept = counts if dimension is Dimension.TEAM else bounded(counts, most)
        text = _COUNTS.dump_json({value: dict(verdicts) for value, verdicts in kept.items()})
        columns |= _cut(f"by_{dimension}", zlib.compress(text))
    return columns


def _size(columns: Mapping[str, Column]) -> int:
    return sum(len(value) for value in columns.values() if isinstance(value, bytes))


def _cut(name: str, data: bytes) -> dict[str, Column]:
    pieces = [data[i : i + MAX_BINARY_BYTES] for i in range(0, len(data), MAX_BINARY_BYTES)]
    return dict(zip(_names(name, len(pieces)), pieces, strict=True))


def _joined(row: Mapping[str, object], name: str) -> bytes:
    pieces = (row.get(column) for column in _names(name, _CHUNKS))
    return b"".join(piece for piece in pieces if isinstance(piece, bytes))


def _names(name: str, count: int) -> list[str]:
    return [name if number == 0 else f"{name}{number}" for number in range(count)]
