"""Whether builds of an image start by themselves, as the API answers it."""

from shared.domain.definition_state import DefinitionState
from shared.web.exchange import Json
from shared.web.views.values import instant_or_none


def pause_view(state: DefinitionState | None) -> Json:
    """Return whether an image is paused, and if so since when, by whom and why."""
    return {
        "paused": bool(state and state.paused),
        "paused_at": instant_or_none(state.paused_at if state else None),
        "paused_by": (state.paused_by or None) if state else None,
        "paused_why": (state.paused_why or None) if state else None,
        "failures": state.failures if state else 0,
    }
