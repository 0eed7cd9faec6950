"""Moments in a query: RFC 3339 with a zone, never in the future."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from shared.web.problems import bad_request
from shared.web.views.values import instant

_RFC_3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?P<zone>[Zz]|[+-]\d{2}:\d{2})?", re.ASCII
)


def _moment(text: object) -> datetime:
    found = _RFC_3339.fullmatch(str(text))
    if found is None:
        raise PydanticCustomError(
            "moment", "it must be a time as in RFC 3339, for example 2026-11-22T12:00:00Z"
        )
    if found["zone"] is None:
        raise PydanticCustomError(
            "zone", "it has no time zone: end it with Z, or with +01:00 (in an address %2B01:00)"
        )
    try:
        return datetime.fromisoformat(found[0].upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise PydanticCustomError("moment", "there is no such day or time") from error


type Moment = Annotated[datetime, BeforeValidator(_moment)]
"""A moment, in UTC."""


def check_moments(now: datetime, given: Mapping[str, datetime | None]) -> None:
    """Raise ProblemError (400) for a moment after *now*, or a `from` that comes after `to`.

    *given* holds the moments by their names in the query, None where there is none.
    """
    faults = [
        (name, f"it lies in the future: it is {instant(now)} now")
        for name, moment in given.items()
        if moment is not None and moment > now
    ]
    since, until = given.get("from"), given.get("to")
    if not faults and since is not None and until is not None and since > until:
        faults = [("from", "it comes after to")]
    if faults:
        raise bad_request(*faults)
