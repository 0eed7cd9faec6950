"""A question to Azure Resource Graph, with rows as objects in the answer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure.mgmt.resourcegraph.models import QueryRequest


def graph_query(
    text: str, *, subscriptions: Sequence[str] = (), top: int | None = None, token: str = ""
) -> "QueryRequest":
    """Return a page of the query *text*: the first, or the one *token* stands for.

    It goes to all subscriptions we may read when none is named; *top* is how many rows a page has
    at most, by default as many as Resource Graph likes.
    """
    from azure.mgmt.resourcegraph.models import (  # noqa: PLC0415 - loads on first use
        QueryRequest,
        QueryRequestOptions,
    )

    options = QueryRequestOptions(top=top, skip_token=token or None)
    options.result_format = "objectArray"
    return QueryRequest(query=text, subscriptions=list(subscriptions) or None, options=options)
