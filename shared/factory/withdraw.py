"""Withdraw a candidate: out of sight in the gallery, rejected in the register."""

from dataclasses import replace
from datetime import datetime

from shared.domain.build import Build
from shared.domain.image_version import ImageVersion, VersionState
from shared.ports import Gallery, ImageVersions, Publishing, Stored

STATE_TAG = "assay-state"
"""Tag of a gallery version that says what the register says of it."""


async def withdraw(
    build: Build, *, image_versions: ImageVersions, gallery: Gallery, because: str, now: datetime
) -> None:
    """Reject every version the build reserved or captured and did not release.

    The gallery comes first, so that a repeat after a crash finds the row still to be rejected. The
    version stays there, excluded from latest, so that a person can look at it.
    """
    for row in await unreleased(build, image_versions):
        await _hide(row.value, gallery)
        await reject(row, image_versions=image_versions, because=because, now=now)


async def unreleased(build: Build, image_versions: ImageVersions) -> list[Stored[ImageVersion]]:
    """Return the rows of the versions the build reserved or captured, and nothing became of."""
    return [
        row
        for row in await image_versions.list(build.definition)
        if row.value.build_id == build.id
        and row.value.state in (VersionState.RESERVED, VersionState.CANDIDATE)
    ]


async def reject(
    row: Stored[ImageVersion], *, image_versions: ImageVersions, because: str, now: datetime
) -> None:
    """Mark a version rejected in the register."""
    rejected = row.value.become(VersionState.REJECTED, now=now, because=because[:1000])
    await image_versions.save(replace(row, value=rejected))


async def _hide(version: ImageVersion, gallery: Gallery) -> None:
    held = await gallery.version(version.image_id, version.version)
    if held is None:
        return
    if not held.excluded_from_latest:
        hidden = Publishing(regions=held.regions, excluded_from_latest=True)
        await gallery.set_publishing(version.image_id, version.version, hidden)
    elif held.provisioning_state.lower() == "succeeded":
        tags = {STATE_TAG: str(VersionState.REJECTED)}
        await gallery.tag(version.image_id, version.version, tags)
