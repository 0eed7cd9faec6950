"""tattoo_image: stamp the captured version, and cross-check what it was made from."""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.build import Attempt, Build, Phase
from shared.domain.failure import Failure, FailureClass
from shared.domain.image_version import VersionState
from shared.domain.tattoo import tags
from shared.errors import NotFoundError
from shared.factory.turns import Repeat, give_up_attempt, go, take_turn
from shared.messages import Message, TattooImage
from shared.ports import (
    Builds,
    Gallery,
    GalleryVersion,
    ImageBuilder,
    ImageVersions,
    Pace,
    TemplateStatus,
)

CAPTURE_LIMIT = timedelta(hours=6)
"""A distributed version is ready within this time. Replication of a version commonly takes minutes
and goes on after Image Builder's own timeout; six hours is our bound, not Azure's."""

SOURCE_TAG = "vmimagebuildersource"
"""Tag Image Builder puts on a version: `PlatformImage Publisher::Offer::Sku::version (exact)`."""


async def tattoo_image(
    command: TattooImage,
    *,
    builds: Builds,
    image_versions: ImageVersions,
    image_builder: ImageBuilder,
    gallery: Gallery,
    pace: Pace,
    now: datetime,
) -> list[Message]:
    """Tag the gallery version and make it a candidate in the register.

    What Image Builder says it used (template and tag) must be what the build was for.

    Raises UnavailableError while Image Builder is blind; the message then comes back.
    """
    stored = await take_turn(command, builds=builds, pace=pace, now=now)
    if isinstance(stored, Repeat):
        return stored.messages
    build, attempt = stored.value, stored.value.attempt
    version = await gallery.version(build.image_id, attempt.version)
    if version is None or version.provisioning_state.lower() in {"creating", "updating"}:
        if now > build.phase_since + CAPTURE_LIMIT:
            return await give_up_attempt(stored, _late(attempt), builds=builds, now=now)
        return await go(stored, Phase.TATTOOING, builds=builds, now=now, wait=pace.look)
    status = await image_builder.status(attempt.template)
    if failure := _contradiction(build, version, status):
        return await give_up_attempt(stored, failure, builds=builds, now=now)
    row = await image_versions.get(build.definition, attempt.version)
    if row is None:
        raise NotFoundError(
            f"version {attempt.version} of {build.definition} is not in the register though the "
            "build reserved it; the row was deleted, start the build again with force"
        )
    await gallery.tag(build.image_id, attempt.version, tags(attempt.tattoo))
    candidate = replace(
        row.value,
        tattoo=attempt.tattoo,
        regions=tuple(sorted(version.replicated - version.excluded_regions)),
        excluded_from_latest=version.excluded_from_latest,
        evidence=replace(row.value.evidence, statement=attempt.statement),
    ).become(VersionState.CANDIDATE, now=now, because=f"captured by build {build.id}")
    if candidate != row.value:
        await image_versions.save(replace(row, value=candidate))
    because = f"version {attempt.version} is tattooed"
    return await go(stored, Phase.VERIFYING, builds=builds, now=now, because=because)


def _late(attempt: Attempt) -> Failure:
    return Failure(
        failure_class=FailureClass.TIMEOUT,
        message=f"version {attempt.version} did not become ready in the gallery in {CAPTURE_LIMIT}",
    )


def _parent_id(build: Build) -> str:
    return build.parent.resource_id if build.parent else ""


def _contradiction(
    build: Build, version: GalleryVersion, status: TemplateStatus | None
) -> Failure | None:
    """Return what the gallery or Image Builder says against the build; None when all agree."""
    pinned = build.source_version
    tags = {name.lower(): value for name, value in version.tags.items()}
    says = tags.get(SOURCE_TAG)
    if version.provisioning_state.lower() != "succeeded":
        return Failure(
            failure_class=FailureClass.SERVICE,
            message=f"gallery version {version.resource_id} is {version.provisioning_state}",
        )
    if says is not None and pinned not in says:
        used = f"the gallery version's tag says {says}"
    elif status and status.source_version not in ("", pinned, _parent_id(build)):
        used = f"Image Builder says it used {status.source_version}"
    else:
        return None
    return Failure(
        failure_class=FailureClass.CONFIGURATION,
        message=f"the build was for source version {pinned}, but {used}",
    )
