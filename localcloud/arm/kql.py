"""The few words of Kusto that the simulated Resource Graph understands."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from localcloud.arm.errors import ArmError, bad_request
from localcloud.arm.store import Json

TABLES = ("resources", "computeresources", "guestconfigurationresources", "resourcecontainers")
# The columns of a row before any stage has changed them.
COLUMNS = (
    *("id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId"),
    *("managedBy", "sku", "plan", "properties", "tags", "identity", "zones"),
)
_IDENT = r"[A-Za-z_][\w.]*"
_STRING = r"'(?:[^'\\]|\\.)*'"
_QUOTED = re.compile(_STRING)
_EQUALS = re.compile(rf"^({_IDENT})\s*(=~|==|!=|!~)\s*({_STRING})$")
_IN = re.compile(
    rf"^({_IDENT})\s+(in~?)\s*\(\s*({_STRING}(?:\s*,\s*{_STRING})*)\s*\)$", re.IGNORECASE
)
_EMPTY = re.compile(rf"^(isnotempty|isempty)\(({_IDENT})\)$", re.IGNORECASE)
_COLUMN = re.compile(rf"^(?:(\w+)\s*=\s*)?(?:(tostring|tolower)\(({_IDENT})\)|({_IDENT}))$")
_ORDER = re.compile(rf"^by\s+({_IDENT})(?:\s+(asc|desc))?$", re.IGNORECASE)
_LIMIT = re.compile(r"^\d+$")

type Test = Callable[[Json], bool]
type Stage = Callable[[list[Json]], list[Json]]


@dataclass(frozen=True)
class Column:
    """One computed column: its name, where its value is, and what is done to it."""

    name: str
    path: str
    convert: str = ""

    def of(self, row: Json) -> Any:
        """The column's value in a row."""
        value = _value(row, self.path)
        if not self.convert:
            return value
        text = "" if value is None else str(value)
        return text.lower() if self.convert == "tolower" else text


@dataclass
class Query:
    """A parsed query: a table, and stages that are applied in the order they were written."""

    table: str = "resources"
    stages: list[Stage] = field(default_factory=list)
    columns: tuple[str, ...] = COLUMNS

    def run(self, rows: list[Json]) -> list[Json]:
        """What the last stage leaves of the rows."""
        for stage in self.stages:
            rows = stage(rows)
        return rows


def parse(text: str) -> Query:
    """A query from text; raises ArmError (400 InvalidQuery) for what is not understood."""
    first, *rest = _split(text.strip(), r"\|")
    query = Query()
    if first.lower() in TABLES:
        query.table = first.lower()
    else:
        rest.insert(0, first)
    for stage in rest:
        query.stages.append(_stage(query, stage))
    return query


def _stage(query: Query, text: str) -> Stage:
    word, _, tail = text.partition(" ")
    make = _STAGES.get(word.lower())
    if make is None:
        raise _invalid(text)
    return make(query, tail.strip())


def _where(query: Query, text: str) -> Stage:
    tests = [_test(query, part) for part in _split(text, r"\s+and\s+")]
    return lambda rows: [row for row in rows if all(test(row) for test in tests)]


def _project(query: Query, text: str) -> Stage:
    columns = list(_columns(query, text))
    query.columns = tuple(column.name for column in columns)
    return lambda rows: [{column.name: column.of(row) for column in columns} for row in rows]


def _extend(query: Query, text: str) -> Stage:
    columns = list(_columns(query, text))
    query.columns = (*query.columns, *(column.name for column in columns))
    return lambda rows: [
        {**row, **{column.name: column.of(row) for column in columns}} for row in rows
    ]


def _order(query: Query, text: str) -> Stage:
    found = _ORDER.match(text)
    if found is None:
        raise _invalid(text)
    path = _known(query, found[1])
    descending = (found[2] or "desc").lower() == "desc"  # Kusto's own default
    return lambda rows: sorted(
        rows, key=lambda row: _sortable(_value(row, path)), reverse=descending
    )


def _limit(_: Query, text: str) -> Stage:
    if not _LIMIT.match(text):
        raise _invalid(text)
    count = int(text)
    return lambda rows: rows[:count]


_STAGES: dict[str, Callable[[Query, str], Stage]] = {
    "where": _where,
    "project": _project,
    "extend": _extend,
    "order": _order,
    "sort": _order,
    "limit": _limit,
    "take": _limit,
}


def _test(query: Query, text: str) -> Test:
    if found := _EQUALS.match(text):
        path, operator, wanted = found.groups()
        return _comparison(_known(query, path), operator, [_unquoted(wanted)])
    if found := _IN.match(text):
        path, operator, listed = found.groups()
        wanted_values = [_unquoted(each) for each in _QUOTED.findall(listed)]
        return _comparison(_known(query, path), "=~" if "~" in operator else "==", wanted_values)
    if found := _EMPTY.match(text):
        wanted_empty, path = found[1].lower() == "isempty", _known(query, found[2])
        return lambda row: (_value(row, path) in (None, "")) == wanted_empty
    raise _invalid(text)


def _comparison(path: str, operator: str, wanted: list[str]) -> Test:
    blind = "~" in operator
    values = {value.lower() if blind else value for value in wanted}

    def test(row: Json) -> bool:
        found = str(_value(row, path) or "")
        return ((found.lower() if blind else found) in values) != operator.startswith("!")

    return test


def _columns(query: Query, text: str) -> Iterator[Column]:
    for part in _split(text, ","):
        found = _COLUMN.match(part)
        if found is None:
            raise _invalid(part)
        alias, convert, inner, plain = found.groups()
        path = _known(query, inner or plain)
        yield Column(alias or path.replace(".", "_"), path, convert or "")


def _known(query: Query, path: str) -> str:
    """The path, if the stages so far have left a column of that name."""
    if path.split(".", 1)[0] not in query.columns:
        raise _invalid(path)
    return path


def _value(row: Json, path: str) -> Any:
    value: Any = row
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _sortable(value: Any) -> tuple[bool, bool, Any]:
    """Nulls first, then numbers, then text."""
    number = isinstance(value, int | float)
    return value is not None, not number, value if number else str(value)


def _split(text: str, separator: str) -> list[str]:
    """What is between the separators that are not within a quoted string."""
    masked = _QUOTED.sub(lambda found: "'" + "x" * (len(found[0]) - 2) + "'", text)
    parts, start = [], 0
    for found in re.finditer(separator, masked, re.IGNORECASE):
        parts.append(text[start : found.start()].strip())
        start = found.end()
    return [*parts, text[start:].strip()]


def _unquoted(literal: str) -> str:
    return re.sub(r"\\(.)", r"\1", literal[1:-1])


def _invalid(token: str) -> ArmError:
    return bad_request(
        "InvalidQuery",
        "Query validation error",
        details=[
            {
                "code": "ParserFailure",
                "message": "Parser failure (or not simulated)",
                "token": token,
            }
        ],
    )
