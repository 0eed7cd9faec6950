"""What of OData's `$filter` and `$orderby` policy queries understand."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from localcloud.arm.errors import ArmError, bad_request
from localcloud.arm.store import Json

_TOKEN = re.compile(r"\s*([()]|'(?:[^']|'')*'|[^\s()']+)")
_OPERATORS = ("eq", "ne")
_COLUMN = re.compile(r"^(\w+)(?:\s+(asc|desc))?$", re.IGNORECASE)

type Test = Callable[[Json], bool]


def parse_filter(text: str) -> Test:
    """The filter, made of `eq`, `ne`, `and`, `or` and parentheses; no text lets everything pass.

    Text is compared whatever its case. Raises ArmError (400) for anything else, and the filter
    raises it for a property that a row does not have.
    """
    return _Parser(text).parse() if text.strip() else lambda _: True


def ordered(rows: list[Json], text: str) -> list[Json]:
    """The rows in the order of `$orderby`; no text leaves them as they are.

    Descending is the default, as Microsoft's specification of policy states says.
    """
    for part in reversed([part.strip() for part in text.split(",")] if text.strip() else []):
        found = _COLUMN.match(part)
        if found is None:
            raise bad_request("InvalidOrderBy", f"The order '{part}' is not simulated.")
        name, direction = found[1], (found[2] or "desc").lower()
        rows = sorted(
            rows, key=lambda row: str(_property(row, name)).lower(), reverse=direction == "desc"
        )
    return rows


class _Parser:
    """Recursive descent; `and` binds closer than `or`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._cut())

    def parse(self) -> Test:
        test = self._either()
        if self._tokens:
            raise self._invalid()
        return test

    def _cut(self) -> Iterator[str]:
        position, text = 0, self._text.strip()
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None:
                raise self._invalid()
            position = found.end()
            yield found[1]

    def _either(self) -> Test:
        tests = [self._all()]
        while self._take("or"):
            tests.append(self._all())
        return lambda row: any(test(row) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._take("and"):
            tests.append(self._one())
        return lambda row: all(test(row) for test in tests)

    def _one(self) -> Test:
        if not self._take("("):
            return self._term()
        test = self._either()
        if not self._take(")"):
            raise self._invalid()
        return test

    def _term(self) -> Test:
        if len(self._tokens) < len(("name", "operator", "value")):
            raise self._invalid()
        name, operator, value = (self._tokens.pop(0) for _ in range(3))
        quoted = value.startswith("'")
        if operator.lower() not in _OPERATORS or not (quoted or value.lower() in {"true", "false"}):
            raise self._invalid()
        wanted = (value[1:-1].replace("''", "'") if quoted else value).lower()
        equal = operator.lower() == "eq"
        return lambda row: (str(_property(row, name)).lower() == wanted) == equal

    def _take(self, token: str) -> bool:
        if self._tokens and self._tokens[0].lower() == token:
            self._tokens.pop(0)
            return True
        return False

    def _invalid(self) -> ArmError:
        return bad_request("InvalidFilter", f"The filter '{self._text}' is not simulated.")


def _property(row: Json, name: str) -> Any:
    field = {key.lower(): key for key in row}.get(name.lower())
    if field is None:
        raise bad_request("InvalidFilter", f"There is no property '{name}' to filter or order by.")
    return row[field]
