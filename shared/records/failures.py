"""What Table Storage's refusals mean to us, said in one place."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from azure.core.exceptions import AzureError, HttpResponseError

from shared.domain.retry_after import retry_after
from shared.errors import (
    AssayError,
    ConflictError,
    NotReadyError,
    RefusedError,
    ThrottledError,
    UnavailableError,
)

_SLOW_DOWN = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_LATER = (HTTPStatus.REQUEST_TIMEOUT, *(s for s in HTTPStatus if s.is_server_error))
_NO_RIGHT = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_RACE_LOST = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED)
_TABLE_TROUBLE = ("TableNotFound", "TableBeingDeleted")


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise our errors in place of the SDK's; *what* names the row for the message."""
    try:
        yield
    except AzureError as error:
        raise translate(error, what) from error


def translate(error: AzureError, what: str) -> AssayError:
    """Return our error for one of the SDK's.

    Status and error codes are those of "Table Storage error codes", Microsoft Learn. A 404 here is
    a row that went between read and write: also a lost race.
    """
    status = error.status_code if isinstance(error, HttpResponseError) else None
    said = str(error.message).split("\n", 1)[0][:500]
    if table_is_missing(error):
        return UnavailableError(
            f"there is no table for {what}; restart Assay, it makes its tables at start: {said}"
        )
    if status in _RACE_LOST:
        return ConflictError(f"{what} was changed by someone else: {said}")
    if status in _SLOW_DOWN:
        after = retry_after(getattr(getattr(error, "response", None), "headers", None))
        return ThrottledError(f"Table Storage is busy with {what}: {said}", after=after)
    if status is None or status in _LATER or status < HTTPStatus.BAD_REQUEST:
        return UnavailableError(f"Table Storage cannot be reached for {what}: {said}")
    if status in _NO_RIGHT:
        return NotReadyError(
            f"Table Storage does not let us at {what} (status {status}): {said}; give the identity "
            "Assay runs as the role Storage Table Data Contributor"
        )
    return RefusedError(f"Table Storage refuses {what} (status {status}): {said}")


def table_is_missing(error: AzureError) -> bool:
    """Tell whether the table, and not a row, is missing or being deleted.

    The SDK's insert leaves the error code in the text alone, so it is looked for there.
    """
    return any(code in str(error.message) for code in _TABLE_TROUBLE)
