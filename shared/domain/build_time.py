"""How long Image Builder may take for one attempt."""

from shared.domain.build import Build
from shared.domain.failure import FailureClass
from shared.domain.image_definition import ImageDefinition

MOST_MINUTES = 960
"""Image Builder takes no more (Azure docs: Create a Bicep or ARM template with Image Builder)."""
GROWTH = 1.5


def minutes_for(build: Build, definition: ImageDefinition) -> int:
    """Return the minutes of the next attempt: half as much again for each one that timed out."""
    timeouts = sum(
        1 for a in build.attempts if a.failure and a.failure.failure_class is FailureClass.TIMEOUT
    )
    return min(MOST_MINUTES, round(definition.build_timeout_minutes * GROWTH**timeouts))
