"""Withdraw a candidate: out of sight in the gallery, rejected in the register."""

import logging
from dataclasses import replace
from datetime import datetime

from shared.domain.build import Build
from shared.domain.image_version import ImageVersion, VersionState
from shared.ports import Definitions, Gallery, ImageVersions

_log = logging.getLogger(__name__)

STATE_TAG = "assay-state"
"""Tag of a gallery version that says what the register says of it."""


async def withdraw(
    build: Build,
    *,
    definitions: Definitions,
    image_versions: ImageVersions,
    gallery: Gallery,
    because: str,
    now: datetime,
) -> None:
    """Reject every version the build reserved or captured and did not release.

    The gallery comes first, so that a repeat after a crash finds the row still to be rejected. The
    version stays there, excluded from latest, so that a person can look at it.
    """
    for row in await image_versions.list(build.definition):
        version = row.value
        open_still = version.state in (VersionState.RESERVED, VersionState.CANDIDATE)
        if version.build_id == build.id and open_still:
            await _hide(version, definitions, gallery)
            rejected = version.become(VersionState.REJECTED, now=now, because=because[:1000])
            await image_versions.save(replace(row, value=rejected))


async def _hide(version: ImageVersion, definitions: Definitions, gallery: Gallery) -> None:
    held = await gallery.version(version.image_id, version.version)
    if held is None:
        return
    definition = definitions.get(version.definition)
    if not held.excluded_from_latest and definition:
        await gallery.set_publishing(definition, version.version, excluded_from_latest=True)
    elif not held.excluded_from_latest:
        _log.error("%s is rejected and still latest: exclude it by hand", version.resource_id)
    elif held.provisioning_state.lower() == "succeeded":
        tags = {STATE_TAG: str(VersionState.REJECTED)}
        await gallery.tag(version.image_id, version.version, tags)
