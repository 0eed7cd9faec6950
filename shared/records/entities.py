"""How a record becomes a table entity: a few columns to filter on, the whole as JSON beside them.

`schema` counts changes of the JSON that older releases cannot read; fields a reader does not know
are ignored. The emulator takes entities that Azure refuses, so they are checked here.
"""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shared.errors import PermanentError, RefusedError
from shared.records.keys import check_key

SCHEMA = 1
"""Raise it when an older release would misread what this one writes."""

CHUNK = 30_000
"""Characters per data property; Azure takes 64 KiB of UTF-16, 32,768 characters."""

MAX_PROPERTIES = 252
"""Properties of our own: 255 less PartitionKey, RowKey and Timestamp."""

MAX_STRING_BYTES = 64 * 1024
MAX_BINARY_BYTES = 64 * 1024
MAX_ENTITY_BYTES = 1024 * 1024
"""Limits of one property and one entity ("Scalability and performance targets for Table storage"
and "Understanding the Table service data model", Microsoft Learn)."""

type Column = str | int | bool | bytes
type Entity = dict[str, Column]

_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,254}$")
_KEYS = ("PartitionKey", "RowKey")


def pack[T](
    adapter: TypeAdapter[T],
    value: T,
    *,
    partition: str,
    row: str,
    columns: Mapping[str, Column] | None = None,
) -> Entity:
    """Return the entity of *value*, with *columns* to filter on.

    Raises RefusedError when Table Storage would not take it.
    """
    # ASCII only: then a character is two bytes in Azure's count, whatever the text.
    text = adapter.dump_json(value, ensure_ascii=True).decode("ascii")
    chunks = [text[start : start + CHUNK] for start in range(0, len(text), CHUNK)]
    names = ["data", *(f"data{number}" for number in range(1, len(chunks)))]
    data = dict(zip(names, chunks, strict=True))
    return entity(partition, row, {**(columns or {}), "schema": SCHEMA, **data})


def unpack[T](adapter: TypeAdapter[T], stored: Mapping[str, Any]) -> T:
    """Return the value in a stored entity.

    Raises PermanentError when a newer release wrote it or it cannot be read.
    """
    where = f"the record {stored.get('PartitionKey')!r} / {stored.get('RowKey')!r}"
    schema = stored.get("schema")
    if not isinstance(schema, int) or schema > SCHEMA:
        raise PermanentError(
            f"{where} has schema {schema!r} and this release reads up to {SCHEMA}; upgrade Assay"
        )
    chunks = [stored.get("data", "")]
    while (name := f"data{len(chunks)}") in stored:
        chunks.append(stored[name])
    try:
        return adapter.validate_json("".join(chunks))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise PermanentError(f"{where} cannot be read: {faults}") from error


def entity(partition: str, row: str, columns: Mapping[str, Column]) -> Entity:
    """Return a checked entity; raises RefusedError when Table Storage would not take it."""
    for key in (partition, row):
        check_key(key)
    for name, value in columns.items():
        _check_property(name, value)
    if len(columns) > MAX_PROPERTIES:
        raise RefusedError(
            f"the record {partition!r} / {row!r} has {len(columns)} properties; Table Storage "
            f"takes {MAX_PROPERTIES}"
        )
    made: Entity = {"PartitionKey": partition, "RowKey": row, **columns}
    if (size := entity_bytes(made)) > MAX_ENTITY_BYTES:
        raise RefusedError(
            f"the record {partition!r} / {row!r} is {size:,} bytes; Table Storage takes "
            f"{MAX_ENTITY_BYTES:,}"
        )
    return made


def entity_bytes(made: Mapping[str, Column]) -> int:
    """Return the size Azure counts for an entity.

    4 bytes, the keys, and per property 8 bytes, its name and its value; texts count two bytes a
    character, and 4 more as a value (Windows Azure Storage team blog, "Understanding Windows Azure
    Storage Billing").
    """
    size = 4
    for name, value in made.items():
        if name in _KEYS:
            size += _utf16(str(value))
        else:
            size += 8 + _utf16(name) + _value_bytes(value)
    return size


def _check_property(name: str, value: object) -> None:
    """Raise RefusedError for a name or a value that Azure refuses, or that we do not write."""
    if not _NAME.match(name) or name in (*_KEYS, "Timestamp"):
        raise RefusedError(f"{name!r} cannot name a property of a table entity")
    match value:
        case str():
            fits = _utf16(value) <= MAX_STRING_BYTES
        case bytes():
            fits = len(value) <= MAX_BINARY_BYTES
        case int():
            fits = -(2**31) <= value < 2**31
        case _:
            raise RefusedError(
                f"property {name} is a {type(value).__name__}, not text or number, nor bytes"
            )
    if not fits:
        raise RefusedError(f"the value of property {name} is larger than Table Storage takes")


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass"))


def _value_bytes(value: Column) -> int:
    if isinstance(value, str):
        return 4 + _utf16(value)
    if isinstance(value, bytes):
        return 4 + len(value)
    return 1 if isinstance(value, bool) else 4
