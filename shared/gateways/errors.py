"""What the Azure SDKs raise, translated once into the errors of Assay."""

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from http import HTTPStatus

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceNotFoundError,
)

from shared.domain.failure import FailureClass, classify
from shared.domain.retry_after import retry_after
from shared.errors import (
    AssayError,
    NotFoundError,
    NotReadyError,
    RefusedError,
    ThrottledError,
    UnavailableError,
)

_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_LONGEST = 500
"""Characters of Azure's own words in a message of ours."""
_FINAL_CONFLICTS = {
    "PropertyChangeNotAllowed",
    "DeleteGalleryImageVersionBlockedBeforeEndOfLife",
    "MissingSubscriptionRegistration",
    "ScopeLocked",
}
"""Codes of 409 that no waiting cures; any other means that the resource is busy."""
_BLIND = "This is a generic error"
"""Image Builder says this for up to half an hour of a good build
(https://github.com/danielsollondon/azvmimagebuilder/issues/129)."""
NO_ACCESS = {"SubscriptionNotFound", "InvalidSubscriptionId"}
"""Codes of 404 that tell of a missing right, not of a missing resource."""
_NO_HOME = {"ParentResourceNotFound", "ResourceGroupNotFound"}
"""Codes of 404 that tell of set-up not yet done, such as a gallery that is still to be deployed."""
_POLICY = "RequestDisallowedByPolicy"


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Translate what the SDKs raise inside; *doing* completes `Azure did not …`.

    Raises ThrottledError for 429 and 503; UnavailableError for other 5xx, timeouts, broken
    connections, busy resources and want of capacity; NotReadyError for missing rights and set-up;
    NotFoundError for 404; RefusedError for everything else.
    """
    try:
        yield
    except HttpResponseError as error:
        raise translate(error, doing) from error
    except (AzureError, TimeoutError) as error:
        raise UnavailableError(
            f"Azure did not {doing}: it could not be reached ({str(error)[:_LONGEST]}); "
            "it is tried again"
        ) from error


async def found[T](call: Awaitable[T], doing: str) -> T | None:
    """Await *call* under `translated`; None when what it asks for does not exist."""
    with translated(doing):
        try:
            return await call
        except ResourceNotFoundError as error:
            if code_and_message(error)[0] in NO_ACCESS:
                raise
            return None


def translate(error: HttpResponseError, doing: str) -> AssayError:
    """Return our error for an HTTP answer; see `translated`."""
    code, message = code_and_message(error)
    status = error.status_code
    said = f"{code}: {message}"[:_LONGEST] if code else message[:_LONGEST]
    text = f"Azure did not {doing} and said {status or 'nothing'} ({said})"
    after = retry_after(getattr(error.response, "headers", None))
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return ThrottledError(f"{text}; it is tried again later", after=after)
    if _is_passing(status, code, message):
        return UnavailableError(f"{text}; it is tried again later", after=after)
    if code in _NO_HOME:
        return NotReadyError(f"{text}; deploy what is missing")
    if (status in _REFUSED and code != _POLICY) or code in NO_ACCESS:
        return NotReadyError(f"{text}; give the identity Assay runs as the right")
    if status == HTTPStatus.NOT_FOUND:
        return NotFoundError(f"{text}; check that it exists")
    return RefusedError(f"{text}; {_advice(code, message)}")


def code_and_message(error: HttpResponseError) -> tuple[str, str]:
    """Return Azure's error code and message; the code is empty when it gave none."""
    inner = error.error
    code = str(getattr(inner, "code", None) or getattr(error, "error_code", None) or "")
    message = str(getattr(inner, "message", None) or error.message or error.reason or "")
    return code, " ".join(message.split())


def _is_passing(status: int | None, code: str, message: str) -> bool:
    if status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR or _BLIND in message:
        return True
    if status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.PRECONDITION_FAILED):
        return True
    if status == HTTPStatus.CONFLICT and code not in _FINAL_CONFLICTS:
        return True
    return classify(code, message).failure_class is FailureClass.CAPACITY


def _advice(code: str, message: str) -> str:
    if classify(code, message).failure_class is FailureClass.ACCESS:
        return "give the identity Assay runs as the right, or have the policy changed"
    if code == "MissingSubscriptionRegistration":
        return "register the resource provider in the subscription"
    return "correct the image definition or the settings"
