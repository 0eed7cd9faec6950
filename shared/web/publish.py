"""POST images/{name}/publish: start a build now, or say which one there is already."""

import uuid
from datetime import timedelta

from shared.domain.build import Build, Phase
from shared.domain.definition_state import FAILURES
from shared.domain.image_definition import ImageDefinition, build_id, definition_digest
from shared.messages import StartBuild
from shared.web.api import definition_asked, links
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse, Json
from shared.web.moves import Move, carry_out, image_scope
from shared.web.principal import FUNCTION_KEY, caller
from shared.web.problems import conflict
from shared.web.schema import (
    NoQuery,
    PublishBody,
    read_idempotency_key,
    read_publish_body,
    read_query,
)
from shared.web.source_versions import must_exist, newest_version
from shared.web.views.values import instant

SAFETY_SECONDS = 10
"""By then the build has been started here, and its message in the queue finds it so."""
BY_HTTP = "http"
"""`requested_by` of builds that came in here with a key alone; else the caller's object id."""


async def publish_image(request: ApiRequest, app: App) -> ApiResponse:
    """Start the build of an image.

    202 for a build that is new or under way, 200 for one that is released already. `force` asks
    for a new one; under the same `Idempotency-Key` it is the same new one.
    """
    read_query(request, NoQuery)
    definition = definition_asked(request, app)
    body = read_publish_body(request)
    move = Move(
        what="publish",
        scope=image_scope(definition.name),
        subject=f"images/{definition.name}",
        why=body.reason or "",
        look=lambda: _newest_build(definition.name, app),
        act=lambda: _publish(definition, body, request, app),
    )
    return await carry_out(move, request, app)


async def _newest_build(definition: str, app: App) -> Json:
    builds = (await app.builds.list(definition=definition, limit=1)).items
    newest = builds[0] if builds else None
    return {
        "newest_build": newest.id if newest else None,
        "phase": newest.phase.value if newest else None,
    }


async def _publish(
    definition: ImageDefinition, body: PublishBody, request: ApiRequest, app: App
) -> ApiResponse:
    who = caller(request, app)
    force = _force_token(request, body, who)
    version = body.source_version or await newest_version(definition, app)
    identity = build_id(definition, version, force=force)
    known = await app.builds.get(identity)
    if known and known.value.finished:
        return _finished(known.value, request, app)
    if known is None:
        await _must_not_be_paused(definition, version, app, forced=bool(force))
    if known is None and body.source_version:
        await must_exist(definition, version, app)
    command = StartBuild(
        definition=definition.name,
        source_version=version,
        requested_by=BY_HTTP if who == FUNCTION_KEY else who,
        force=force,
    )
    # First into the queue: should we die in the next line, the build starts all the same.
    await app.outbox.send(
        command, correlation_id=request.correlation_id, delay=timedelta(seconds=SAFETY_SECONDS)
    )
    await app.run(command, correlation_id=request.correlation_id)
    return _started(identity, command, request, app, reused=known is not None)


async def _must_not_be_paused(
    definition: ImageDefinition, version: str, app: App, *, forced: bool
) -> None:
    """Refuse what `start_build` would not build; what ends a pause for failures may pass."""
    stored = await app.definition_states.get(definition.name)
    if stored is None or not stored.value.paused:
        return
    if stored.value.resumes_for(version, definition_digest(definition), forced=forced):
        return
    raise conflict(
        "image-paused",
        "Image is paused",
        f"{definition.name} is paused: {stored.value.paused_why}. Resume it first"
        + (", or ask with force." if stored.value.paused_by == FAILURES else "."),
        paused_by=stored.value.paused_by,
        failures=stored.value.failures,
    )


def _force_token(request: ApiRequest, body: PublishBody, who: str) -> str:
    """Return what makes a forced build one of its own: the key of the request, per caller."""
    if not body.force:
        return ""
    key = read_idempotency_key(request)
    if key is None:
        return uuid.uuid4().hex
    return key if who == FUNCTION_KEY else f"{who} {key}"


def _started(
    identity: str, command: StartBuild, request: ApiRequest, app: App, *, reused: bool
) -> ApiResponse:
    url = links(request, app).to("builds", identity)
    return ApiResponse(
        status=202,
        body={
            "build": identity,
            "url": url,
            "reused": reused,
            "definition": command.definition,
            "source_version": command.source_version,
            "finished": False,
            "as_of": instant(app.now()),
        },
        headers={"Location": url},
    )


def _finished(build: Build, request: ApiRequest, app: App) -> ApiResponse:
    url = links(request, app).to("builds", build.id)
    if build.phase is not Phase.RELEASED:
        raise conflict(
            "build-ended",
            "The same build ended without a release",
            f"Build {build.id} of the same definition and source version was {build.phase}. "
            "See why at its url; then change the definition, or ask again with force.",
            build=build.id,
            url=url,
            phase=build.phase.value,
        )
    return ApiResponse(
        status=200,
        body={
            "build": build.id,
            "url": url,
            "reused": True,
            "definition": build.definition,
            "source_version": build.source_version,
            "finished": True,
            "as_of": instant(app.now()),
        },
        headers={"Location": url},
    )
