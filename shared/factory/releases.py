"""The channels of an image with its versions: loaded together, saved, and brought into step."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.channel import ImageChannels
from shared.domain.channel_moves import Releases, adopt
from shared.domain.image_definition import ImageDefinition
from shared.domain.image_version import ImageVersion, VersionState
from shared.domain.publishing import state_for
from shared.ports import Channels, ImageVersions, Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The record of the channels as stored, and what moves are decided by."""

    stored: Stored[ImageChannels]
    rows: Sequence[Stored[ImageVersion]]
    releases: Releases

    def replaced(self, row: Stored[ImageVersion]) -> "Loaded":
        """Return the same with *row* in the place of the one of that version."""
        number = row.value.version
        rows = tuple(row if r.value.version == number else r for r in self.rows)
        releases = replace(self.releases, versions=[r.value for r in rows])
        return replace(self, rows=rows, releases=releases)


async def load(
    definition: ImageDefinition,
    *,
    channels: Channels,
    image_versions: ImageVersions,
    now: datetime,
) -> Loaded:
    """Load the channels and the versions of *definition*; a first record adopts what there is.

    The channels are loaded first: whoever moved them by newer versions than ours wrote them after
    we loaded them, and our own writing is then refused.
    """
    stored = await channels.get(definition.name)
    stored = stored or Stored(ImageChannels(definition=definition.name))
    rows = await image_versions.list(definition.name)
    releases = Releases(
        channels=stored.value,
        rules=definition.channels,
        versions=[r.value for r in rows],
        now=now,
    )
    return Loaded(stored=stored, rows=tuple(rows), releases=releases.with_channels(adopt(releases)))


async def save(loaded: Loaded, decided: ImageChannels, *, channels: Channels) -> Loaded:
    """Save what was *decided*, where it differs from what is stored.

    Raises ConflictError when another delivery decided in the meantime.
    """
    stored = loaded.stored
    if decided != stored.value:
        stored = await channels.save(replace(stored, value=decided))
    return replace(loaded, stored=stored, releases=loaded.releases.with_channels(decided))


async def follow_channels(
    loaded: Loaded,
    definition: ImageDefinition,
    *,
    image_versions: ImageVersions,
    revoking: bool = False,
) -> Loaded:
    """Bring the register's rows into step with the channels: their states, and what was withdrawn.

    Only the step that is *revoking* marks a row revoked, for only it sees to what follows.

    Raises ConflictError when another delivery wrote a row in the meantime.
    """
    for row in loaded.rows:
        new = followed(row.value, loaded.releases, definition, revoking=revoking)
        if new != row.value:
            loaded = loaded.replaced(await image_versions.save(replace(row, value=new)))
    return loaded


def followed(
    version: ImageVersion, releases: Releases, definition: ImageDefinition, *, revoking: bool
) -> ImageVersion:
    """Return the row of *version* as the channels say it is now."""
    withdrawn = releases.last.withdrawn.get(version.version, "")
    new = version if version.withdrawn == withdrawn else replace(version, withdrawn=withdrawn)
    state = state_for(version, releases)
    if state is version.state or (state is VersionState.REVOKED and not revoking):
        return new
    new = new.become(state, now=releases.now, because=_because(version, state, releases))
    if state is VersionState.AGED:
        lasting = timedelta(days=definition.end_of_life_days)
        return replace(new, end_of_life=releases.now + lasting)
    if state is VersionState.RELEASED:
        return replace(new, end_of_life=None, retirement=None)
    return new


def _because(version: ImageVersion, state: VersionState, releases: Releases) -> str:
    last = releases.last
    if state is VersionState.REVOKED:
        revocation = releases.channels.revocation(version.version)
        return revocation.because if revocation else ""
    if version.state is VersionState.REVOKED:
        return "its revocation was undone"
    if state is VersionState.AGED:
        return f"channel {last.name} shows {last.version}"
    return f"a channel shows it, and {last.name} shows {last.version}"
