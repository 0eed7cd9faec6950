"""How the gallery is to publish each version, as the channels say; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.domain.channel import open_regions
from shared.domain.channel_moves import Releases
from shared.domain.identifiers import digest
from shared.domain.image_definition import ImageDefinition
from shared.domain.image_version import ImageVersion, VersionState
from shared.domain.versions import version_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a version is to be published."""

    excluded_from_latest: bool
    excluded_regions: frozenset[str]
    """Regions that do not offer it yet, though others do."""
    regions: tuple[tuple[str, int], ...]
    """Regions and replicas it must have; what it has besides is left alone."""
    end_of_life: datetime | None
    block_deletion: bool
    state: VersionState

    @property
    def key(self) -> str:
        """What tells one wish from another."""
        return digest(
            str(self.excluded_from_latest),
            " ".join(sorted(self.excluded_regions)),
            " ".join(f"{name}={count}" for name, count in self.regions),
            self.end_of_life.isoformat() if self.end_of_life else "",
            str(self.block_deletion),
            self.state.value,
        )


def wish_for(version: ImageVersion, releases: Releases, definition: ImageDefinition) -> Wish:
    """Return how *version* is to be published.

    What the last channel shows is offered, in the regions whose wave is open, and so is what it
    showed before: should the newest be missing somewhere, Azure falls back by itself. What was
    taken back, revoked, or never got that far is hidden from `latest` everywhere.
    """
    last = releases.last
    offered = (
        releases.good(version.version)
        and version.version in last.served
        and version.version not in last.withdrawn
        and bool(last.version)
        and version_key(version.version) <= version_key(last.version)
    )
    names = [r.name for r in definition.regions]
    closed: frozenset[str] = frozenset()
    if offered and version.version == last.version:
        closed = frozenset(names) - open_regions(releases.rules[-1], last, names)
    return Wish(
        excluded_from_latest=not offered,
        excluded_regions=closed,
        regions=_regions(version, releases, definition),
        end_of_life=version.end_of_life,
        block_deletion=definition.block_deletion and version.end_of_life is not None,
        state=version.state,
    )


def _regions(
    version: ImageVersion, releases: Releases, definition: ImageDefinition
) -> tuple[tuple[str, int], ...]:
    """Versions a channel shows have every region of the definition, the others keep theirs."""
    shown = {releases.channels.channel(rule.name).version for rule in releases.rules}
    if version.version not in shown:
        return ()
    return tuple(sorted(replicas(definition, releases.channels.replicas).items()))


def replicas(definition: ImageDefinition, following: Mapping[str, int]) -> dict[str, int]:
    """Return the replicas per region: those that follow the fleet, else the definition's."""
    return {
        r.name: following.get(r.name, r.replicas) if r.max_replicas else r.replicas
        for r in definition.regions
    }


def state_for(version: ImageVersion, releases: Releases) -> VersionState:
    """Return the state of a version by what the channels say.

    Revoked is who was revoked; aged is who is older than the last channel and shown by none.
    """
    if releases.channels.revoked(version.version, now=releases.now):
        return VersionState.REVOKED
    if version.state is VersionState.REVOKED and version.deleted_at is not None:
        return VersionState.RETIRED
    if version.state not in (VersionState.RELEASED, VersionState.AGED, VersionState.REVOKED):
        return version.state
    newest = releases.last.version
    shown = {releases.channels.channel(rule.name).version for rule in releases.rules}
    older = newest and version_key(version.version) < version_key(newest)
    if version.version in shown or not older:
        return VersionState.RELEASED
    return VersionState.AGED
