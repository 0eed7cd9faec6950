"""What the caller wants an answer in: the `Accept` header (RFC 9110, section 12.5.1)."""

from collections.abc import Sequence

from shared.web.problems import Problem, ProblemError


def accepted(header: str, offers: Sequence[str]) -> str:
    """Return the one of the media types *offers* the caller likes best, the first where all do.

    Raises ProblemError (406) when the caller takes none of them.
    """
    ranges = [_read(part) for part in header.split(",") if part.strip()]
    if not ranges:
        return offers[0]
    liked = {offer: _quality(offer, ranges) for offer in offers}
    best = max(offers, key=lambda offer: liked[offer])
    if liked[best] <= 0:
        raise ProblemError(
            Problem(
                kind="not-acceptable",
                title="Not acceptable",
                status=406,
                detail=f"This page comes as {' or '.join(offers)}; ask for one of them in Accept.",
                more={"offers": list(offers)},
            )
        )
    return best


def _read(part: str) -> tuple[str, float]:
    """Return a media range and its weight; one that cannot be read counts as nothing."""
    media, *parameters = (text.strip().lower() for text in part.split(";"))
    weight = next((p.removeprefix("q=") for p in parameters if p.startswith("q=")), "1")
    try:
        return media, float(weight)
    except ValueError:
        return media, 0.0


def _quality(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Return the weight of *offer*: that of the most specific range it is in, 0 for none."""
    given = dict(reversed(ranges))
    wide = f"{offer.partition('/')[0]}/*"
    return next((given[r] for r in (offer, wide, "*/*") if r in given), 0.0)
