"""The few words of Kusto that the simulated Resource Graph understands."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from localcloud.arm.errors import bad_request
from localcloud.arm.store import Json

_TABLES = {"resources", "computeresources"}
_IDENT = r"[A-Za-z_][\w.]*"
_EQUALS = re.compile(rf"^({_IDENT})\s*(=~|==|!=|!~)\s*'([^']*)'$")
_IN = re.compile(rf"^({_IDENT})\s+(in~?)\s*\(\s*('[^']*'(?:\s*,\s*'[^']*')*)\s*\)$", re.IGNORECASE)
_EMPTY = re.compile(rf"^(isnotempty|isempty)\(({_IDENT})\)$", re.IGNORECASE)
_COLUMN = re.compile(rf"^(?:(\w+)\s*=\s*)?(?:(tostring|tolower)\(({_IDENT})\)|({_IDENT}))$")
_ORDER = re.compile(rf"^(?:order|sort)\s+by\s+({_IDENT})(?:\s+(asc|desc))?$", re.IGNORECASE)
_LIMIT = re.compile(r"^(?:limit|take)\s+(\d+)$", re.IGNORECASE)
_AND = re.compile(r"\s+and\s+", re.IGNORECASE)

type Test = Callable[[Json], bool]


@dataclass(frozen=True)
class Column:
    """One projected column: its name, where its value is, and what is done to it."""

    name: str
    path: str
    convert: str = ""


@dataclass
class Query:
    """A parsed query."""

    table: str = "resources"
    tests: list[Test] = field(default_factory=list)
    columns: list[Column] | None = None
    order: tuple[str, bool] | None = None
    limit: int | None = None

    def run(self, rows: list[Json]) -> list[Json]:
        """The rows that pass, ordered, cut and projected."""
        found = [row for row in rows if all(test(row) for test in self.tests)]
        if self.order is not None:
            path, descending = self.order
            found.sort(key=lambda row: str(_value(row, path)).lower(), reverse=descending)
        found = found[: self.limit]
        if self.columns is None:
            return found
        return [{c.name: _converted(row, c) for c in self.columns} for row in found]


def parse(text: str) -> Query:
    """A query from text; raises ArmError (400 InvalidQuery) for what is not understood."""
    first, *rest = [stage.strip() for stage in text.strip().split("|")]
    query = Query()
    if first.lower() in _TABLES:
        query.table = first.lower()
    else:
        rest.insert(0, first)
    for stage in rest:
        _apply(query, stage)
    return query


def _apply(query: Query, stage: str) -> None:
    word, _, tail = stage.partition(" ")
    if word.lower() == "where":
        query.tests += [_test(part.strip()) for part in _AND.split(tail.strip())]
    elif word.lower() == "project":
        query.columns = [_column(part.strip()) for part in tail.split(",")]
    elif found := _ORDER.match(stage):
        query.order = (found[1], (found[2] or "desc").lower() == "desc")
    elif found := _LIMIT.match(stage):
        query.limit = int(found[1])
    else:
        raise _invalid(stage)


def _test(text: str) -> Test:
    if found := _EQUALS.match(text):
        path, operator, wanted = found.groups()
        return _comparison(path, operator, [wanted])
    if found := _IN.match(text):
        path, operator, listed = found.groups()
        return _comparison(path, "=~" if "~" in operator else "==", re.findall("'([^']*)'", listed))
    if found := _EMPTY.match(text):
        wanted_empty, path = found[1].lower() == "isempty", found[2]
        return lambda row: (_value(row, path) in (None, "")) == wanted_empty
    raise _invalid(text)


def _comparison(path: str, operator: str, wanted: list[str]) -> Test:
    blind = "~" in operator
    values = {value.lower() if blind else value for value in wanted}

    def test(row: Json) -> bool:
        found = str(_value(row, path) or "")
        return ((found.lower() if blind else found) in values) != operator.startswith("!")

    return test


def _column(text: str) -> Column:
    found = _COLUMN.match(text)
    if found is None:
        raise _invalid(text)
    alias, convert, inner, plain = found.groups()
    path = inner or plain
    return Column(alias or path.replace(".", "_"), path, convert or "")


def _value(row: Json, path: str) -> Any:
    value: Any = row
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _converted(row: Json, column: Column) -> Any:
    value = _value(row, column.path)
    if not column.convert:
        return value
    text = "" if value is None else str(value)
    return text.lower() if column.convert == "tolower" else text


def _invalid(token: str) -> Exception:
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
