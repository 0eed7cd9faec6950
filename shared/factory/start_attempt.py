"""start_attempt: reserve an image version and make the attempt's Image Builder template."""

from dataclasses import replace
from datetime import date, datetime

from shared.domain.build import Attempt, Build, Phase
from shared.domain.build_time import minutes_for
from shared.domain.chain import root_of_build
from shared.domain.failure import Failure, FailureClass, classify
from shared.domain.image_definition import ImageDefinition, customization_digest
from shared.domain.image_version import ImageVersion, VersionState
from shared.domain.tattoo import Tattoo, tags
from shared.domain.versions import next_image_version, version_key
from shared.errors import RefusedError
from shared.factory.build_places import take_place
from shared.factory.definitions import definition_named
from shared.factory.parents import parent_problem
from shared.factory.sealing import keep_build_statement
from shared.factory.tattoo_customizer import tattoo_customizer
from shared.factory.turns import Repeat, give_up_attempt, go, take_turn
from shared.messages import BY_EVENT, Message, StartAttempt
from shared.ports import (
    BuildCapacity,
    Builds,
    BuildSlots,
    Definitions,
    Evidence,
    Gallery,
    ImageBuilder,
    ImageVersions,
    Pace,
    Signer,
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
    evidence: Evidence,
    signer: Signer,
    build_slots: BuildSlots,
    build_capacity: BuildCapacity,
    pace: Pace,
    build_region: str,
    now: datetime,
) -> list[Message]:
    """Ask Image Builder for the template of the next attempt, one template per attempt.

    A template cannot be changed and keeps only its last run, so each attempt has its own, pinned
    to the exact source version. While every place to build is taken, the build stands in line.
    """
    stored = await take_turn(command, builds=builds, pace=pace, now=now)
    if isinstance(stored, Repeat):
        return stored.messages
    build = stored.value
    definition = definition_named(definitions, build.definition)
    rows = [row.value for row in await image_versions.list(definition.name)]
    problem = _obstacle(build, definition, rows) or await parent_problem(
        build, image_versions=image_versions, gallery=gallery, build_region=build_region
    )
    if problem:
        return await go(stored, Phase.FAILED, builds=builds, now=now, because=problem)
    if waiting := await take_place(
        build, builds=builds, build_slots=build_slots, build_capacity=build_capacity, now=now
    ):
        return await go(
            stored, Phase.QUEUED, builds=builds, now=now, wait=pace.look, waiting=waiting
        )
    await gallery.ensure_image(definition)
    row = await _reserve(build, definition, rows, image_versions, gallery, now=now)
    attempt = Attempt(
        number=row.attempt,
        version=row.version,
        template=f"{build.id}-a{row.attempt}",
        started_at=now,
        repairs=build.repairs,
        applied=build.applied,
        timeout_minutes=minutes_for(build, definition),
    )
    statement = await keep_build_statement(
        build, attempt, definition, row, evidence=evidence, signer=signer
    )
    attempt = replace(attempt, statement=statement)
    attempt = replace(attempt, tattoo=_tattoo(build, attempt, definition).facts())
    try:
        await image_builder.create(_spec(build, attempt, definition))
    except RefusedError as error:
        failure = _refusal(error)
        return await give_up_attempt(stored, failure, builds=builds, now=now, attempt=attempt)
    return await go(
        stored,
        Phase.BUILDING,
        builds=builds,
        now=now,
        because=f"attempt {attempt.number} makes version {attempt.version}",
        wait=pace.look,
        attempt=attempt,
        applied=(),
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
        and row.state not in (VersionState.REJECTED, VersionState.REVOKED)
        and version_key(row.source_version) > version_key(build.source_version)
    ]
    if build.requested_by != BY_EVENT or not newer:
        return ""
    return f"superseded: version {newer[0].version} is made from {newer[0].source_version}"


def _spec(build: Build, attempt: Attempt, definition: ImageDefinition) -> TemplateSpec:
    return TemplateSpec(
        name=attempt.template,
        build_id=build.id,
        attempt=attempt.number,
        definition=replace(definition, build_timeout_minutes=attempt.timeout_minutes),
        source_version=build.source_version,
        version=attempt.version,
        customizers=(
            *definition.customizers_with(attempt.repairs),
            tattoo_customizer(definition.os, attempt.tattoo),
        ),
        tags=tags(attempt.tattoo),
        parent_id=build.parent.resource_id if build.parent else "",
    )


def _tattoo(build: Build, attempt: Attempt, definition: ImageDefinition) -> Tattoo:
    """Return what is stamped into the version of *attempt*."""
    _, day, _ = attempt.version.split(".")
    root, parent = root_of_build(build, definition), build.parent
    return Tattoo(
        definition=definition.name,
        version=attempt.version,
        source_publisher=root.publisher,
        source_offer=root.offer,
        source_sku=root.sku,
        source_version=root.version,
        source_image=parent.definition if parent else "",
        source_image_version=parent.version if parent else "",
        os=definition.os,
        build_id=build.id,
        attempt=attempt.number,
        customization_digest=customization_digest(definition, attempt.repairs),
        publish_date=date.fromisoformat(day),
        statement_digest=attempt.statement,
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
    row = ImageVersion(
        definition=definition.name,
        version=next_image_version(definition.major, taken, now=now),
        image_id=build.image_id,
        state=VersionState.RESERVED,
        build_id=build.id,
        attempt=number,
        source_urn=build.source_urn,
        source_version=build.source_version,
        customization_digest=customization_digest(definition, build.repairs),
        created_at=now,
        tattoo={},
        parent=build.parent,
    )
    await image_versions.save(Stored(row))
    return row


def _refusal(error: RefusedError) -> Failure:
    failure = classify("", str(error))
    if failure.failure_class is FailureClass.SERVICE:
        return Failure(failure_class=FailureClass.CONFIGURATION, message=failure.message)
    return failure
