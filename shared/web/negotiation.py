"""In which of the forms we have is an answer wanted?

The query says so with `format`, or else the header `Accept` (RFC 9110, section 12.5.1). Werkzeug
reads the header: it comes with azure-functions, which every request is loaded by anyway.
"""

from collections.abc import Iterable, Mapping, Sequence

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from shared.fleet.sheets import Value, csv_text
from shared.web.exchange import ApiRequest, ApiResponse
from shared.web.problems import Problem, ProblemError

JSON = "application/json"
CSV = "text/csv"
TEXT = "text/plain"
VARY = {"Vary": "Accept"}
"""Header of every answer that depends on `Accept`."""

type Forms = Mapping[str, str]
"""Media types by what `format` calls them; the first is for who does not care."""

TABLE: Forms = {"json": JSON, "csv": CSV}


def negotiate(request: ApiRequest, named: str | None, forms: Forms = TABLE) -> str:
    """Return the media type of the form *named* in the query, or else what `Accept` likes best.

    Of equals it is the first. Without `Accept` anything goes. Parameters of a media type, such as
    `charset`, are passed over.

    Raises ProblemError (406) when `Accept` takes none of them.
    """
    if named:
        return forms[named]
    offers = list(forms.values())
    header = request.headers.get("accept", "").strip()
    if not header:
        return offers[0]
    ranges = parse_accept_header(header, MIMEAccept)
    bare = MIMEAccept([(name.partition(";")[0].strip(), quality) for name, quality in ranges])
    best = max(offers, key=bare.quality)
    if bare.quality(best) > 0:
        return best
    raise ProblemError(
        Problem(
            kind="not-acceptable",
            title="No such form",
            status=406,
            detail=f"This answer can be had as {' or '.join(offers)}, and Accept takes none of "
            f"them; leave the header out, name one, or ask with format={'|'.join(forms)}.",
            more={"offers": offers},
            headers=VARY,
        )
    )


def csv_answer(
    columns: Sequence[str],
    rows: Iterable[Mapping[str, Value]],
    *,
    following: str | None = None,
) -> ApiResponse:
    """Answer *rows* as CSV with a header row; *following* is the address of the next page."""
    link = {"Link": f'<{following}>; rel="next"'} if following else {}
    cells = ([row[column] for column in columns] for row in rows)
    return ApiResponse(
        status=200,
        text=csv_text([list(columns), *cells]),
        media_type=CSV,
        headers={**VARY, **link},
    )
