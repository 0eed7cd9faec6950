"""What we know of one VM or scale-set instance."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """Pets are looked after one by one, cattle are replaced."""

    PET = "pet"
    CATTLE = "cattle"


class Machine(StrEnum):
    """How a machine is run."""

    VM = "vm"
    """On its own."""
    FLEXIBLE = "flexible-instance"
    """An ordinary VM that belongs to a Flexible scale set."""
    UNIFORM = "uniform-instance"
    """An instance of a Uniform scale set; Azure raises no event of its own for it."""
    SCALE_SET = "scale-set"
    """No machine but the model of a scale set: the wish, what its next instances are made of."""


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


class Rule(StrEnum):
    """Which rule led to a verdict; docs/tracking.md explains each."""

    NEWEST = "newest-in-region"
    AHEAD = "newer-than-latest"
    ALONE = "no-other-version"
    FOLLOWS_LATEST = "follows-latest"
    BEHIND = "newer-version-offered"
    WITHDRAWN = "version-withdrawn"
    RETIRED = "version-retired"
    DELETED = "version-deleted"
    NOTHING_OFFERED = "nothing-offered"
    REVOKED = "version-revoked"
    NEVER_RELEASED = "version-never-released"
    NOT_REGISTERED = "version-not-registered"
    FOREIGN = "image-not-ours"
    NO_VERSION = "version-unknown"
    NO_LINEAGE = "lineage-lost"


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


class ImageKind(StrEnum):
    """Where an image is kept."""

    GALLERY = "gallery"
    SHARED_GALLERY = "shared-gallery"
    COMMUNITY_GALLERY = "community-gallery"
    MARKETPLACE = "marketplace"
    MANAGED_IMAGE = "managed-image"
    NONE = "none"


def kind_of_image(image_id: str) -> ImageKind:
    """Return where the image with the normalised *image_id* is kept."""
    if not image_id:
        return ImageKind.NONE
    if not image_id.startswith("/"):
        return ImageKind.MARKETPLACE
    if image_id.startswith("/sharedgalleries/"):
        return ImageKind.SHARED_GALLERY
    if image_id.startswith("/communitygalleries/"):
        return ImageKind.COMMUNITY_GALLERY
    return ImageKind.GALLERY if "/galleries/" in image_id else ImageKind.MANAGED_IMAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """What a VM boots, as far as the VM itself tells: while it stays, so does the image."""

    reference: str = ""
    """Its `imageReference` in one normalised text, with the exact version; empty for none."""
    os_disk_id: str = ""
    """Normalised id of its OS disk; empty where there is none of its own (an ephemeral disk)."""


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
    machine: Machine = Machine.VM
    boot: Boot = field(default_factory=Boot)
    specialised: bool = False
    """Made from an image that was not generalised: it has no OS profile."""
    capacity: int = 0
    """Instances a scale set is to have; 0 for anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyState:
    """What Azure Policy last said about one VM under one assignment and definition."""

    assignment_id: str
    definition_id: str
    reference_id: str
    state: str
    """Lower case, as Azure spells it: `compliant`, `noncompliant`, `exempt` …"""
    timestamp: datetime
    """When Azure Policy evaluated it."""
    deleted: bool = False
    about: str = ""
    """Name of the guest configuration assignment it is about; empty for the VM itself."""
    reason_code: str = ""
    """Azure's `complianceReasonCode`, as it is spelled there; empty where it gave none."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes a state the same state: assignment, definition reference, what it is about."""
        return (self.assignment_id, self.reference_id or self.definition_id, self.about)


class TattooState(StrEnum):
    """What a look at the tattoo inside the guest found."""

    MATCH = "match"
    MISMATCH = "mismatch"
    """The guest, the register and the gallery do not say the same: somebody changed one."""
    ABSENT = "absent"
    UNREADABLE = "unreadable"
    """The VM is off, has no agent, or took no run command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TattooReading:
    """The last look at the tattoo inside the guest of a VM that opted in."""

    state: TattooState
    read_at: datetime
    by: str
    """`run-command` or `machine-configuration`."""
    version: str = ""
    """The image version the VM ran by the register when it was read."""
    differences: tuple[str, ...] = ()
    """One sentence per fact that differs, or why it cannot be read."""
    since: datetime | None = None
    """When a look first found the same, for this version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """What Azure Policy was last told of a VM."""

    state: str
    """`Compliant` or `NonCompliant`; `Unknown` when it could not be told yet."""
    said_at: datetime
    expires_at: datetime
    """When it lapses; of what could not be told, when it may be tried again."""
    about: str
    """Digest of verdict, image version and due date it was made from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VmRecord:
    """The register's row of one VM; kept, marked deleted, when the VM is gone.

    The model of a scale set has a row too: its image is the wish, without a version where it takes
    the latest.
    """

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
    """Why the verdict and what to do, in one sentence."""
    policy: str
    """Roll-up of its policy states; empty when Azure Policy has said nothing."""
    first_seen_at: datetime
    changed_at: datetime
    as_of: datetime
    """When Azure or the register was last read with another answer than before."""
    machine: Machine = Machine.VM
    rule: Rule = Rule.NO_LINEAGE
    since: datetime | None = None
    """Since when the verdict holds; None where only the VM's own time tells (`runs_since`)."""
    behind: int = 0
    """How many newer versions its region offers."""
    newest: str = ""
    """The version to redeploy from; empty where its region offers none."""
    image_published_at: datetime | None = None
    """When its image version was published; None for images that are not ours."""
    runs_since: datetime | None = None
    """Since when it runs its image, as far as we know."""
    due_at: datetime | None = None
    """By when it is to be redeployed for its verdict; None when nothing is due."""
    plan_due_at: datetime | None = None
    """By when its kind's plan wants it rebuilt (a pet) or refreshed (cattle); None for no plan."""
    policy_as_of: datetime | None = None
    """The oldest evaluation among the policy states that count."""
    scale_set_id: str = ""
    created_at: datetime | None = None
    deleted_at: datetime | None = None
    os: str = ""
    specialised: bool = False
    capacity: int = 0
    """Instances a scale set is to have; 0 for anything else."""
    boot: Boot = field(default_factory=Boot)
    labels: dict[str, str] = field(default_factory=dict)
    """The tags our rules ask for, names in lower case; no others are kept."""
    tattoo: TattooReading | None = None
    attestation: Attestation | None = None
    transitions: int = 0
    """How many lines its history has had."""
    history_from: datetime | None = None
    """From when on every line is kept; None while all of them are."""
