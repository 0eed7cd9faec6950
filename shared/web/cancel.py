"""POST builds/{id}/cancel: end a build."""

from shared.domain.build import Build
from shared.messages import CancelBuild
from shared.web.api import build_asked, links
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse, Json
from shared.web.moves import Move, carry_out, image_scope, running
from shared.web.principal import caller
from shared.web.schema import NoQuery, ReasonBody, read_body, read_query
from shared.web.views.builds import build_summary


async def cancel_build(request: ApiRequest, app: App) -> ApiResponse:
    """End a build that has not ended; 200 with the build, also when it was cancelled before.

    409 with its phase when it ended otherwise or is being published.
    """
    read_query(request, NoQuery)
    body = read_body(request, ReasonBody)
    build = await build_asked(request, app)

    async def view() -> Json:
        return build_summary(await build_asked(request, app), links(request, app))

    async def look() -> Json:
        return _state(await build_asked(request, app))

    command = CancelBuild(build_id=build.id, by=caller(request, app), because=body.reason)
    move = Move(
        what="cancel",
        scope=image_scope(build.definition),
        subject=f"builds/{build.id}",
        why=body.reason,
        look=look,
        act=running(command, view, request, app),
    )
    return await carry_out(move, request, app)


def _state(build: Build) -> Json:
    attempt = build.attempts[-1] if build.attempts else None
    return {
        "phase": build.phase.value,
        "attempt": attempt.number if attempt else None,
        "version": attempt.version if attempt else None,
    }
