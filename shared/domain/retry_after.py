"""How long another service asks us to wait: the header `Retry-After`."""

from collections.abc import Mapping
from datetime import timedelta


def retry_after(headers: Mapping[str, str] | None) -> timedelta | None:
    """Return the seconds the header gives (RFC 9110, section 10.2.3); None where it gives none.

    Names are compared as *headers* compare them. A date, which the RFC allows too, counts as
    nothing: Azure gives seconds.
    """
    said = str((headers or {}).get("Retry-After", "")).strip()
    return timedelta(seconds=int(said)) if said.isascii() and said.isdigit() else None
