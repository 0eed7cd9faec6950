"""How single values are written in answers."""

from collections.abc import Iterable

from shared.domain.history import Transition
from shared.domain.instants import instant, instant_or_none
from shared.web.exchange import Json

__all__ = ["history_view", "instant", "instant_or_none"]


def history_view(transitions: Iterable[Transition]) -> list[Json]:
    """Return transitions as they are answered, in their order."""
    return [
        {"what": t.what, "from": t.old, "to": t.new, "at": instant(t.at), "because": t.because}
        for t in transitions
    ]
