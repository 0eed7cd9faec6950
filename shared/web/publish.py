"""POST images/{name}/publish: start a build now, or say which one there is already."""

import uuid
from datetime import timedelta

from shared.domain.build import Build, Phase
from shared.domain.image_definition import ImageDefinition, build_id
from shared.domain.versions import newest
from shared.errors import NotFoundError
from shared.messages import StartBuild
from shared.web.api import definition_asked, links
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse
from shared.web.problems import ProblemError, conflict
from shared.web.schema import (
    NoQuery,
    PublishBody,
    read_idempotency_key,
    read_publish_body,
    read_query,
)
from shared.web.views.values import instant

SAFETY_SECONDS = 10
"""By then the build has been started here, and its message in the queue finds it so."""
BY_HTTP = "http"
"""`requested_by` of builds that came in here."""


async def publish_image(request: ApiRequest, app: App) -> ApiResponse:
    """Start the build of an image.

    202 for a build that is new or under way, 200 for one that is released already. `force` asks
    for a new one; under the same `Idempotency-Key` it is the same new one.
    """
    read_query(request, NoQuery)
    definition = definition_asked(request, app)
    body = read_publish_body(request)
    force = _force_token(request, body)
    version = body.source_version or await _newest_version(definition, app)
    identity = build_id(definition, version, force=force)
    known = await app.builds.get(identity)
    if known and known.value.finished:
        return _finished(known.value, request, app)
    if known is None and body.source_version:
        await _must_exist(definition, version, app)
    command = StartBuild(
        definition=definition.name, source_version=version, requested_by=BY_HTTP, force=force
    )
    # First into the queue: should we die in the next line, the build starts all the same.
    await app.outbox.send(
        command, correlation_id=request.correlation_id, delay=timedelta(seconds=SAFETY_SECONDS)
    )
    await app.run(command, correlation_id=request.correlation_id)
    return _started(identity, command, request, app, reused=known is not None)


def _force_token(request: ApiRequest, body: PublishBody) -> str:
    key = read_idempotency_key(request)
    return (key or uuid.uuid4().hex) if body.force else ""


async def _newest_version(definition: ImageDefinition, app: App) -> str:
    version = newest(await _versions(definition, app))
    if version is None:
        raise _no_source(definition, "the Marketplace lists no version of it in our region")
    return version


async def _must_exist(definition: ImageDefinition, version: str, app: App) -> None:
    listed = await _versions(definition, app)
    if version not in listed:
        raise conflict(
            "source-version-not-found",
            "Source version not found",
            f"The Marketplace does not offer version {version} of {definition.source.urn}; "
            "ask for one it offers, or for none to get the newest.",
            newest=newest(listed),
        )


async def _versions(definition: ImageDefinition, app: App) -> list[str]:
    try:
        return await app.marketplace.versions(definition.source)
    except NotFoundError as error:
        raise _no_source(definition, str(error)) from error


def _no_source(definition: ImageDefinition, why: str) -> ProblemError:
    return conflict(
        "source-not-found",
        "Source image not found",
        f"There is nothing to build {definition.name!r} from: {why}. Correct `source` in its "
        "definition, or choose a region that offers the image.",
        source=definition.source.urn,
    )


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
