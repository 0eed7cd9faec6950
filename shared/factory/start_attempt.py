"""start_attempt: reserve an image version and make the attempt's Image Builder template."""

from datetime import date, datetime

from shared.domain.build import Attempt, Build, Phase
from shared.domain.failure import Failure, FailureClass, classify
from shared.domain.image_definition import ImageDefinition, customization_digest
from shared.domain.image_version import ImageVersion, VersionState
from shared.domain.tattoo import Tattoo, tags
from shared.domain.versions import next_image_version, version_key
from shared.errors import RefusedError
from shared.factory.definitions import definition_named
from shared.factory.start_build import BY_EVENT
from shared.factory.tattoo_customizer import tattoo_customizer
from shared.factory.turns import Repeat, give_up_attempt, go, take_turn
from shared.messages import Message, StartAttempt
from shared.ports import (
    Builds,
    Definitions,
    Gallery,
    ImageBuilder,
    ImageVersions,
    Pace,
    Stored,
    TemplateSpec,
)


async def start_attempt(
    command: StartAttempt,
    *,
    definitions: Definitions,
    builds: Builds,
    image_versions: ImageVersions,
    image_builder: ImageBuilder,
    gallery: Gallery,
    pace: Pace,
    now: datetime,
) -> list[Message]:
    """Ask Image Builder for the template of the next attempt, one template per attempt.

    A template cannot be changed and keeps only its last run, so each attempt has its own, pinned
    to the exact source version.
    """
    stored = await take_turn(command, builds=builds, pace=pace, now=now)
    if isinstance(stored, Repeat):
        return stored.messages
    build = stored.value
    definition = definition_named(definitions, build.definition)
    rows = [row.value for row in await image_versions.list(definition.name)]
    if obstacle := _obstacle(build, definition, rows):
        return await go(stored, Phase.FAILED, builds=builds, now=now, because=obstacle)
    await gallery.ensure_image(definition)
    row = await _reserve(build, definition, rows, image_versions, gallery, now=now)
    attempt = Attempt(
        number=row.attempt,
        version=row.version,
        template=f"{build.id}-a{row.attempt}",
        started_at=now,
        repairs=build.repairs,
    )
    try:
        await image_builder.create(_spec(build, attempt, definition, row))
    except RefusedError as error:
        failure = _refusal(error)
        return await give_up_attempt(stored, failure, builds=builds, now=now, attempt=attempt)
    because = f"attempt {attempt.number} makes version {attempt.version}"
    wait = pace.look
    return await go(
        stored, Phase.BUILDING, builds=builds, now=now, because=because, wait=wait, attempt=attempt
    )


def _obstacle(build: Build, definition: ImageDefinition, rows: list[ImageVersion]) -> str:
    """Return why the build must not go on; empty when it may.

    Time has passed since it was asked for, in the queue or between attempts. Numbers are given
    when an attempt starts, so an old source built now would outrank a newer one; only a person
    may ask for that.
    """
    if customization_digest(definition) != build.customization_digest:
        return "the definition was changed meanwhile; in its new form it is another build"
    newer = [
        row
        for row in rows
        if row.source_urn == build.source_urn
        and row.state is not VersionState.REJECTED
        and version_key(row.source_version) > version_key(build.source_version)
    ]
    if build.requested_by != BY_EVENT or not newer:
        return ""
    return f"superseded: version {newer[0].version} is made from {newer[0].source_version}"


def _spec(
    build: Build, attempt: Attempt, definition: ImageDefinition, row: ImageVersion
) -> TemplateSpec:
    return TemplateSpec(
        name=attempt.template,
        build_id=build.id,
        attempt=attempt.number,
        definition=definition,
        source_version=build.source_version,
        version=attempt.version,
        customizers=(
            *definition.customizers_with(attempt.repairs),
            tattoo_customizer(definition.os, row.tattoo),
        ),
        tags=tags(row.tattoo),
    )


async def _reserve(
    build: Build,
    definition: ImageDefinition,
    rows: list[ImageVersion],
    image_versions: ImageVersions,
    gallery: Gallery,
    *,
    now: datetime,
) -> ImageVersion:
    """Reserve the version number of the next attempt; a repeat finds the one it reserved."""
    number = len(build.attempts) + 1
    for row in rows:
        if (row.build_id, row.attempt) == (build.id, number):
            return row
    taken = {row.version for row in rows} | set(await gallery.versions(build.image_id))
    version = next_image_version(definition.major, taken, now=now)
    row = ImageVersion(
        definition=definition.name,
        version=version,
        image_id=build.image_id,
        state=VersionState.RESERVED,
        build_id=build.id,
        attempt=number,
        source_urn=build.source_urn,
        source_version=build.source_version,
        customization_digest=customization_digest(definition, build.repairs),
        created_at=now,
        tattoo=_tattoo(build, number, version, definition).facts(),
    )
    await image_versions.save(Stored(row))
    return row


def _tattoo(build: Build, attempt: int, version: str, definition: ImageDefinition) -> Tattoo:
    _, day, _ = version.split(".")
    return Tattoo(
        definition=definition.name,
        version=version,
        source_publisher=definition.source.publisher,
        source_offer=definition.source.offer,
        source_sku=definition.source.sku,
        source_version=build.source_version,
        os=definition.os,
        build_id=build.id,
        attempt=attempt,
        customization_digest=customization_digest(definition, build.repairs),
        publish_date=date.fromisoformat(day),
    )


def _refusal(error: RefusedError) -> Failure:
    failure = classify("", str(error))
    if failure.failure_class is FailureClass.SERVICE:
        return Failure(failure_class=FailureClass.CONFIGURATION, message=failure.message)
    return failure
