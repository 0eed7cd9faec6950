"""hurry_build: an event says a run ended, so look now and not when the next look is due."""

import re

from shared.domain.build import Phase
from shared.messages import HurryBuild, Message, WatchBuild
from shared.ports import Builds

_TEMPLATE = re.compile(r"^(?P<build>.+)-a\d+$")


async def hurry_build(command: HurryBuild, *, builds: Builds) -> list[Message]:
    """Bring the next look of the build that owns the template forward; others are not ours.

    The look that was waiting arrives later as a repeat, and does nothing.
    """
    match = _TEMPLATE.match(command.template.lower())
    stored = await builds.get(match["build"]) if match else None
    if stored is None or stored.value.phase is not Phase.BUILDING:
        return []
    build = stored.value
    if build.attempt.template != command.template.lower():
        return []
    return [WatchBuild(build_id=build.id, turn=build.turn)]
