"""A request and an answer, free of any framework, and the links between our pages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

type Json = dict[str, Any]
"""A JSON object, ready to be written."""

ACCESS_KEY = "code"
"""Query parameter that may carry the function key
(https://learn.microsoft.com/azure/azure-functions/function-keys-how-to)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One HTTP request; header names are lower case, the query holds no access key."""

    method: str
    url: str
    correlation_id: str
    route: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)

    @property
    def path(self) -> str:
        """The path of the request, without query."""
        return urlsplit(self.url).path


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiResponse:
    """One HTTP answer; *body* is None where there is nothing to say.

    *text* is what is sent instead of a JSON body where it is not None, in its *media_type*.
    """

    status: int
    body: Json | None = None
    text: str | None = None
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of our pages, all under *base*, which ends in `/v1`."""

    base: str

    def to(self, *segments: str, **query: str | int) -> str:
        """Return the address of a page; empty query values are left out."""
        path = "/".join([self.base, *(quote(s, safe="") for s in segments)])
        asked = {name: value for name, value in query.items() if value != ""}
        return f"{path}?{urlencode(asked)}" if asked else path

    def next_page(self, request: ApiRequest, cursor: str) -> str | None:
        """Return the address of the page after this *request*'s; None when it is the last."""
        if not cursor:
            return None
        path = request.path.partition("/v1")[2]
        return f"{self.base}{path}?{urlencode({**request.query, 'cursor': cursor})}"


def links_for(request: ApiRequest, public_url: str) -> Links:
    """Return the links for an answer: under *public_url*, or else as the request was sent."""
    if public_url:
        return Links(f"{public_url}/api/v1")
    asked = urlsplit(request.url)
    prefix = asked.path.partition("/v1")[0]
    return Links(f"{asked.scheme}://{asked.netloc}{prefix}/v1")
