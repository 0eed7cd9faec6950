"""An image version: what a build put in the gallery, and what became of it."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.evidence import VersionEvidence
from shared.domain.history import Transition
from shared.domain.parentage import ParentVersion
from shared.domain.versions import version_key


class VersionState(StrEnum):
    """The life of an image version.

    reserved -> candidate -> released -> aged -> retired, or rejected / revoked on the way.
    """

    RESERVED = "reserved"
    CANDIDATE = "candidate"
    RELEASED = "released"
    AGED = "aged"
    RETIRED = "retired"
    REJECTED = "rejected"
    REVOKED = "revoked"


ALLOWED: dict[VersionState, frozenset[VersionState]] = {
    VersionState.RESERVED: frozenset({VersionState.CANDIDATE, VersionState.REJECTED}),
    VersionState.CANDIDATE: frozenset({VersionState.RELEASED, VersionState.REJECTED}),
    VersionState.RELEASED: frozenset(
        {VersionState.AGED, VersionState.RETIRED, VersionState.REVOKED}
    ),
    VersionState.AGED: frozenset(
        {VersionState.RELEASED, VersionState.RETIRED, VersionState.REVOKED}
    ),
    VersionState.RETIRED: frozenset({VersionState.REVOKED}),
    VersionState.REJECTED: frozenset(),
    VersionState.REVOKED: frozenset(
        {VersionState.RELEASED, VersionState.AGED, VersionState.RETIRED}
    ),
}
"""Which state may follow which; every state may also follow itself (a repeated delivery)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """The deletion of a version that was announced; it is looked at again before it is done."""

    marked_at: datetime
    delete_after: datetime
    because: str
    by: str
    """Object id of who asked, `function-key`, or `assay`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageVersion:
    """The register's row of one version; it outlives the image in the gallery."""

    definition: str
    version: str
    image_id: str
    """Normalised id of the gallery image definition."""
    state: VersionState
    build_id: str
    attempt: int
    source_urn: str
    source_version: str
    customization_digest: str
    created_at: datetime
    tattoo: dict[str, str]
    """The facts stamped into the version, as they were when its number was reserved."""
    regions: tuple[str, ...] = ()
    """Regions it is replicated to, short names, as Azure last said."""
    excluded_from_latest: bool = True
    published_at: datetime | None = None
    deleted_at: datetime | None = None
    history: tuple[Transition, ...] = ()
    parent: ParentVersion | None = None
    """The golden image version it was built from; None when that was a Marketplace image."""
    evidence: VersionEvidence = field(default_factory=VersionEvidence)
    withdrawn: str = ""
    """Why a rollback took it out of the last channel; empty when none did."""
    end_of_life: datetime | None = None
    aligned_with: str = ""
    """Digest of how the gallery was last seen to publish it."""
    retirement: Retirement | None = None

    @property
    def resource_id(self) -> str:
        """Normalised id of the gallery image version."""
        return f"{self.image_id}/versions/{self.version}"

    def become(self, state: VersionState, *, now: datetime, because: str) -> "ImageVersion":
        """Return this version in *state*; unchanged when it is there already.

        Raises ValueError when the state may not follow the present one.
        """
        if state is self.state:
            return self
        if state not in ALLOWED[self.state]:
            raise ValueError(
                f"version {self.version} of {self.definition} is {self.state} and cannot "
                f"become {state}"
            )
        step = Transition(what="state", old=self.state, new=state, at=now, because=because)
        return replace(self, state=state, history=(*self.history, step))


def newest_in_region(versions: list[ImageVersion], region: str) -> ImageVersion | None:
    """Return what "latest" means in *region*: the highest released number replicated there.

    Azure resolves a gallery image to the highest version that is not excluded from latest and is
    replicated in the caller's region, by number and not by date
    (https://learn.microsoft.com/azure/virtual-machines/shared-image-galleries).
    """
    usable = [
        v
        for v in versions
        if v.state in (VersionState.RELEASED, VersionState.AGED)
        and not v.excluded_from_latest
        and v.deleted_at is None
        and region in v.regions
    ]
    return max(usable, key=lambda v: version_key(v.version), default=None)
