"""What we know of one VM or scale-set instance."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """Pets are looked after one by one, cattle are replaced."""

    PET = "pet"
    CATTLE = "cattle"


class Verdict(StrEnum):
    """How the image a VM runs stands today."""

    CURRENT = "current"
    AGED = "aged"
    RETIRED = "retired"
    REVOKED = "revoked"
    UNAPPROVED = "unapproved"
    """Not a golden image, or a version that was never released."""
    UNKNOWN = "unknown"
    """Lineage lost."""


class LineageSource(StrEnum):
    """Which fact told us the image."""

    IMAGE_REFERENCE = "image-reference"
    SHARED_GALLERY = "shared-gallery"
    DISK = "disk"
    SNAPSHOT = "snapshot"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """Which image a VM runs; empty texts where it is not known."""

    image_id: str = ""
    """Normalised id of the gallery image definition, or `publisher:offer:sku` in lower case."""
    version: str = ""
    """Exact version."""
    source: LineageSource = LineageSource.NONE
    mismatch: bool = False
    """The VM and its OS disk name different images: the disk may have been swapped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VmFacts:
    """One VM as Azure describes it now; ids normalised, tag names lower case."""

    resource_id: str
    name: str
    region: str
    image: Image
    tags: dict[str, str]
    scale_set_id: str = ""
    created_at: datetime | None = None
    os: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyState:
    """What Azure Policy last said about one VM under one assignment and definition."""

    assignment_id: str
    definition_id: str
    reference_id: str
    state: str
    """Lower case, as Azure spells it: `compliant`, `noncompliant`, `exempt` …"""
    timestamp: datetime
    deleted: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What makes a state the same state: assignment and definition reference."""
        return (self.assignment_id, self.reference_id or self.definition_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class VmRecord:
    """The register's row of one VM; kept, marked deleted, when the VM is gone."""

    key: str
    resource_id: str
    name: str
    subscription_id: str
    resource_group: str
    region: str
    image: Image
    definition: str
    """Name of our image definition; empty when the image is not one of ours."""
    team: str
    kind: Kind
    verdict: Verdict
    reason: str
    """Why the verdict, in one sentence."""
    policy: str
    """Roll-up of its policy states; empty when Azure Policy has said nothing."""
    first_seen_at: datetime
    changed_at: datetime
    as_of: datetime
    """When Azure or the register was last read with another answer than before."""
    scale_set_id: str = ""
    created_at: datetime | None = None
    deleted_at: datetime | None = None
    os: str = ""
    transitions: int = 0
    """How many lines its history has."""
