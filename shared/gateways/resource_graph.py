"""Azure Resource Graph: what a sweep lists, page by page, under Azure's quota."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, cast

from azure.core.exceptions import HttpResponseError

from shared.domain.retry_after import retry_after
from shared.errors import ThrottledError
from shared.gateways.clients import AzureClients
from shared.gateways.errors import translated
from shared.gateways.graph_query import graph_query
from shared.gateways.graph_rows import QUERIES, SUBSCRIPTIONS, Row, row_facts, shown_subscription
from shared.ports import MachinesPage, ShownSubscription, ShownSubscriptions

PAGE = 1000
"""Rows Resource Graph answers at most for one query
(https://learn.microsoft.com/azure/governance/resource-graph/concepts/work-with-data)."""

_REMAINING = "x-ms-user-quota-remaining"
_RESETS_AFTER = "x-ms-user-quota-resets-after"
_CUT = "x-ms-tenant-subscription-limit-hit"
"""Headers of every answer
(https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests
and https://learn.microsoft.com/azure/governance/resource-graph/overview)."""
_NOTHING_READABLE = "NoValidSubscriptionsInQueryRequest"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    rows: tuple[Row, ...] = ()
    token: str = ""
    wait: timedelta = timedelta()
    cut: bool = False


class ResourceGraphGateway:
    """Implements `shared.ports.ResourceGraph`; *page* is how many rows are asked for at once."""

    def __init__(self, clients: AzureClients, *, page: int = PAGE) -> None:
        self._clients = clients
        self._page = page

    async def subscriptions(self) -> ShownSubscriptions:
        """List the subscriptions we may read; others are left out without a word.

        Raises ThrottledError when the quota ends before the list does.
        """
        shown: list[ShownSubscription] = []
        token, whole = "", True
        while True:
            with translated("list the subscriptions"):
                answer = await self._ask(SUBSCRIPTIONS, (), token)
            shown += [shown_subscription(row) for row in answer.rows]
            whole, token = whole and not answer.cut, answer.token
            if not token:
                return ShownSubscriptions(subscriptions=tuple(shown), whole=whole)
            if answer.wait:
                raise ThrottledError(
                    "Resource Graph has no query left to list the subscriptions with; it is tried "
                    "again later",
                    after=answer.wait,
                )

    async def machines(
        self, subscription_ids: tuple[str, ...], rank: int, *, token: str = ""
    ) -> MachinesPage | None:
        """List up to a page of the machines run in one of `RANKS[rank]`, by id.

        None when Azure no longer takes *token*. Where none of the subscriptions may be read the
        page is empty, as it lacks those of any one that may not.
        """
        with translated("list machines in Resource Graph"):
            try:
                answer = await self._ask(QUERIES[rank], subscription_ids, token)
            except HttpResponseError as error:
                if token and error.status_code == HTTPStatus.BAD_REQUEST:
                    return None
                raise
        return MachinesPage(
            machines=tuple(row_facts(row, rank) for row in answer.rows),
            token=answer.token,
            wait=answer.wait,
        )

    async def _ask(self, query: str, subscription_ids: tuple[str, ...], token: str) -> _Answer:
        request = graph_query(query, subscriptions=subscription_ids, top=self._page, token=token)
        try:
            both: Any = await self._clients.resource_graph().resources(
                request, cls=lambda sent, body, _: (body, sent.http_response.headers)
            )
        except HttpResponseError as error:
            if _NOTHING_READABLE in _codes(error):
                return _Answer()
            raise _throttled(error) or error from error
        answer, headers = both
        return _Answer(
            rows=tuple(cast("list[Row]", answer.data)),
            token=answer.skip_token or "",
            wait=_wait(headers),
            cut=str(headers.get(_CUT, "")).lower() == "true",
        )


def _throttled(error: HttpResponseError) -> ThrottledError | None:
    """Return our error for a 429: Resource Graph says in a header of its own how long to wait."""
    if error.status_code != HTTPStatus.TOO_MANY_REQUESTS:
        return None
    headers: Mapping[str, str] = getattr(error.response, "headers", None) or {}
    said = retry_after(headers) or timedelta()
    return ThrottledError(
        "Resource Graph has no query left for us (429); it is asked again later",
        after=max(said, _duration(str(headers.get(_RESETS_AFTER, "")))) or None,
    )


def _wait(headers: Mapping[str, str]) -> timedelta:
    """Return how long to let Resource Graph be: nothing while queries are left."""
    if str(headers.get(_REMAINING, "")).strip() != "0":
        return timedelta()
    return _duration(str(headers.get(_RESETS_AFTER, "")))


def _duration(text: str) -> timedelta:
    """Read `hh:mm:ss`; nothing for another text."""
    parts = text.strip().split(":")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):  # noqa: PLR2004 - hh:mm:ss
        return timedelta()
    hours, minutes, seconds = map(int, parts)
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _codes(error: HttpResponseError) -> set[str]:
    details: list[Any] = list(getattr(error.error, "details", None) or [])
    return {str(getattr(detail, "code", "")) for detail in details}
