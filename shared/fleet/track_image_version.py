"""track_image_version: a gallery image version, or a whole image, changed or went; look at it."""

from dataclasses import replace
from datetime import datetime

from shared.domain.history import Transition
from shared.domain.identifiers import parse_gallery_image
from shared.domain.image_version import ImageVersion, VersionState
from shared.errors import BadMessageError
from shared.fleet.catalog import definition_of
from shared.messages import JudgeImageUsers, Message, PromoteImage, TrackImageVersion
from shared.ports import Definitions, Gallery, GalleryVersion, ImageVersions

_IN_THE_MAKING = frozenset({VersionState.RESERVED, VersionState.CANDIDATE})
"""The factory itself writes these rows, and no VM of a user runs them."""


async def track_image_version(
    command: TrackImageVersion,
    *,
    image_versions: ImageVersions,
    gallery: Gallery,
    definitions: Definitions,
    now: datetime,
) -> list[Message]:
    """Bring the register's row into line with the gallery and have the image's users judged.

    They are judged whether or not the row changed: a delivery that died after it saved the row
    leaves no other trace of the judging it owes. That costs little. Most writes of a version
    happen while it is in the making, where nothing follows, and judging an unchanged VM only reads.
    """
    named = parse_gallery_image(command.resource_id)
    if named is None:
        raise BadMessageError(
            f"track_image_version cannot be done: {command.resource_id!r} is no gallery image"
        )
    definition = definition_of(named.image_id, definitions, gallery)
    if named.version is None:
        return await _gone_with_their_image(definition, named.image_id, image_versions, gallery)
    stored = await image_versions.get(definition, named.version) if definition else None
    if stored is None or stored.value.state in _IN_THE_MAKING:
        return []
    found = await gallery.version(named.image_id, named.version)
    row = _row(stored.value, found, now)
    if row != stored.value:
        await image_versions.save(replace(stored, value=row))
    if row.state is VersionState.REJECTED:
        return []
    change = "changed in the gallery" if found else "was deleted from the gallery"
    because = f"version {named.version} {change}"
    messages: list[Message] = []
    if row != stored.value and row.aligned_with and definition in definitions:
        # It is published in another way than the channels left it: they look again, as their timer
        # does where this delivery dies.
        messages.append(PromoteImage(definition=definition))
    # In a region it left, everybody hears of it: there it may have been the only one offered.
    changed = named.version if row.regions == stored.value.regions else ""
    judging = JudgeImageUsers(image_id=named.image_id, image_version=changed, because=because)
    return [*messages, judging]


async def _gone_with_their_image(
    definition: str, image_id: str, image_versions: ImageVersions, gallery: Gallery
) -> list[Message]:
    """Return a look at every version the register holds and the gallery does not, any more."""
    rows = [s.value for s in await image_versions.list(definition)] if definition else []
    left = set(await gallery.versions(image_id)) if rows else set[str]()
    return [
        TrackImageVersion(resource_id=row.resource_id)
        for row in rows
        if row.deleted_at is None and row.version not in left and row.state not in _IN_THE_MAKING
    ]


def _row(row: ImageVersion, found: GalleryVersion | None, now: datetime) -> ImageVersion:
    """Return *row* as the gallery says it is, with a line of history for its going.

    While Azure works on the version its regions come and go: the row waits for the event that
    says the work is done.
    """
    if found is not None and found.provisioning_state.lower() == "succeeded":
        offered = found.replicated - found.excluded_regions
        return replace(
            row,
            regions=tuple(sorted(offered)),
            excluded_from_latest=found.excluded_from_latest,
            deleted_at=None,
        )
    if found is not None:
        return replace(row, deleted_at=None)
    if row.deleted_at is not None:
        return row
    line = Transition(
        what="deleted", old="", new=now.isoformat(), at=now, because="gone from the gallery"
    )
    return replace(row, deleted_at=now, history=(*row.history, line))
