"""POST images/{name}/pause and resume: whether builds of an image start by themselves."""

from shared.domain.image_definition import ImageDefinition
from shared.messages import PauseDefinition, ResumeDefinition
from shared.web.api import definition_asked, links
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse, Json
from shared.web.moves import Move, carry_out, image_scope, running
from shared.web.principal import caller
from shared.web.schema import MayReasonBody, NoQuery, ReasonBody, read_body, read_query
from shared.web.views.pausing import pause_view


async def pause_image(request: ApiRequest, app: App) -> ApiResponse:
    """Start no more builds of an image by themselves; 200, also when it is paused already."""
    definition = _asked(request, app)
    command = PauseDefinition(
        definition=definition.name,
        by=caller(request, app),
        why=read_body(request, ReasonBody).reason,
    )
    return await _carry_out("pause", command, request, app)


async def resume_image(request: ApiRequest, app: App) -> ApiResponse:
    """Let builds start by themselves again; 200, also when the image is not paused."""
    definition = _asked(request, app)
    command = ResumeDefinition(
        definition=definition.name,
        by=caller(request, app),
        why=read_body(request, MayReasonBody).reason or "",
    )
    return await _carry_out("resume", command, request, app)


def _asked(request: ApiRequest, app: App) -> ImageDefinition:
    read_query(request, NoQuery)
    return definition_asked(request, app)


async def _carry_out(
    what: str, command: PauseDefinition | ResumeDefinition, request: ApiRequest, app: App
) -> ApiResponse:
    name = command.definition

    async def look() -> Json:
        stored = await app.definition_states.get(name)
        return pause_view(stored.value if stored else None)

    async def view() -> Json:
        return {"definition": name, **await look(), "url": links(request, app).to("images", name)}

    move = Move(
        what=what,
        scope=image_scope(name),
        subject=f"images/{name}",
        why=command.why,
        look=look,
        act=running(command, view, request, app),
    )
    return await carry_out(move, request, app)
