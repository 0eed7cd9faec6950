"""The file format of an image definition: one model per section, one description per field."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

NAME_PATTERN = r"^[a-z][a-z0-9-]{1,39}$"
GALLERY_PATTERN = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?$"
MARKETPLACE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
VM_SIZE_PATTERN = r"^[A-Z][A-Za-z0-9]*_[A-Za-z0-9_-]+$"

PATTERNS: dict[str, str] = {
    NAME_PATTERN: "must be 2 to 40 lower-case letters, digits and hyphens, a letter first",
    GALLERY_PATTERN: "must be 1 to 64 letters, digits, dots, underscores and hyphens, "
    "with a letter or digit first and no dot last",
    MARKETPLACE_PATTERN: "must be letters, digits, dots, underscores and hyphens",
    VM_SIZE_PATTERN: "must be a VM size such as Standard_D2s_v5",
}
"""What each pattern asks for, in words."""

MAX_CHECKS = 20
"""Azure allows 25 run commands on one VM (Azure docs: Run scripts by using managed Run Commands);
one reads the tattoo, the others are left free for a person who looks into a failure."""

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
GalleryName = Annotated[str, Field(pattern=GALLERY_PATTERN)]
MarketplaceName = Annotated[str, Field(pattern=MARKETPLACE_PATTERN, max_length=128)]
VmSize = Annotated[str, Field(pattern=VM_SIZE_PATTERN)]
ScriptPath = Annotated[str, Field(min_length=1, max_length=255)]


def _without_default(schema: dict[str, Any]) -> None:
    """An empty default means that the field was left out: no editor should offer it."""
    del schema["default"]


class Section(BaseModel):
    """Base of every section: unknown fields are refused and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


_MARKETPLACE, _PARENT = ("publisher", "offer", "sku"), ("image", "channel")


class SourceSection(Section):
    """What to build from: a Marketplace image, or a channel of another definition's image."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": list(_MARKETPLACE)}, {"required": list(_PARENT)}],
        }
    )

    publisher: MarketplaceName = Field(
        default="",
        json_schema_extra=_without_default,
        description="Publisher in the Marketplace, for example Canonical.",
    )
    offer: MarketplaceName = Field(
        default="",
        json_schema_extra=_without_default,
        description="Offer of the publisher, for example 0001-com-ubuntu-server-jammy.",
    )
    sku: MarketplaceName = Field(
        default="",
        json_schema_extra=_without_default,
        description="SKU (plan) of the offer, for example 22_04-lts-gen2; in quotes when it looks "
        "like a number.",
    )
    image: Name = Field(
        default="",
        json_schema_extra=_without_default,
        description="Name of another definition whose image to build from, instead of the three "
        "above.",
    )
    channel: Name = Field(
        default="",
        json_schema_extra=_without_default,
        description="Channel of that image; when it shows another version, this image is built "
        "again.",
    )

    @property
    def given(self) -> tuple[list[str], list[str]]:
        """The fields given, of the Marketplace and of a parent: never both in a right file."""
        return (
            [name for name in _MARKETPLACE if getattr(self, name)],
            [name for name in _PARENT if getattr(self, name)],
        )

    @property
    def missing(self) -> list[str]:
        """The fields the kind of source that was begun still needs."""
        wanted = _PARENT if self.image or self.channel else _MARKETPLACE
        return [name for name in wanted if not getattr(self, name)]


class GalleryImageSection(Section):
    """The image definition in the Compute Gallery that versions are published to.

    The lengths and characters are those of the gallery (Azure docs: Store and share images in an
    Azure Compute Gallery).
    """

    publisher: GalleryName = Field(description="Publisher people see: usually your organisation.")
    offer: GalleryName = Field(description="Offer people see, for example linux.")
    sku: GalleryName = Field(
        description="SKU people see, for example ubuntu-22-04. Publisher, offer and SKU together "
        "must be unique in the gallery."
    )
    hyper_v_generation: Literal["V1", "V2"] = Field(
        default="V2", description="Generation of the source image; V2 boots with UEFI."
    )
    architecture: Literal["x64", "Arm64"] = Field(
        default="x64", description="Processor architecture of the source image."
    )
    security_type: (
        Literal[
            "TrustedLaunchSupported",
            "ConfidentialVmSupported",
            "TrustedLaunchAndConfidentialVmSupported",
        ]
        | None
    ) = Field(
        default=None,
        description="What VMs made from the image may switch on; needs generation V2 and must be "
        "the same as that of the source image. Leave it out for standard security.",
    )


class RegionSection(Section):
    """A region the image is replicated to."""

    name: str = Field(
        min_length=1,
        description="Region, for example westeurope; `West Europe` is read as the same.",
    )
    replicas: int = Field(
        default=1,
        ge=1,
        le=100,
        description="Copies kept in the region; more copies let more VMs be made at once.",
    )
    max_replicas: int | None = Field(
        default=None,
        ge=1,
        le=100,
        description="Up to so many copies when the fleet needs them: one for 20 VMs made at once, "
        "at least 3. Left out: the number of copies stays as it is.",
    )


class BuildSection(Section):
    """How an attempt is built."""

    vm_size: VmSize = Field(
        default="Standard_D2s_v5", description="Size of the VM the image is customized on."
    )
    timeout_minutes: int = Field(
        default=240,
        ge=6,
        le=960,
        description="Time for one run of Image Builder: customizers and replication together.",
    )
    max_attempts: int = Field(
        default=3,
        ge=1,
        le=10,
        description="How many times a build is tried, with repairs, before it is rejected.",
    )
    pause_after: int = Field(
        default=3,
        ge=0,
        le=20,
        description="This many builds in a row that end without a release pause the image; 0 never "
        "does.",
    )


class VerifySection(Section):
    """How a candidate is verified."""

    vm_size: VmSize = Field(
        default="Standard_D2s_v5", description="Size of the VM the checks run in."
    )
    timeout_minutes: int = Field(
        default=60, ge=5, le=480, description="Time for booting the VM and running every check."
    )
    boot_seconds: int = Field(
        default=600,
        ge=30,
        le=3600,
        description="Time within which the VM agent must be ready, or the ready-made check `boot` "
        "fails.",
    )
    source: bool = Field(
        default=False,
        description="true: boot the bare source version first and run the checks marked `source` "
        "in it; nothing is built from one that fails.",
    )


class ChannelSection(Section):
    """A named pointer to a released version; a release goes through the channels in order."""

    name: Name = Field(description="Name of the channel, for example canary.")
    soak_minutes: int | None = Field(
        default=None,
        ge=0,
        le=129_600,
        description="How long a version stays in this channel before it may enter the next; left "
        "out: as long as the setting ASSAY_SOAK_SECONDS says.",
    )
    approval: bool = Field(
        default=False,
        description="true: a person approves a version before it enters this channel.",
    )
    waves: list[list[str]] = Field(
        default_factory=list,
        description="Only for the last channel: regions in the order in which `latest` moves "
        "there, wave by wave. Left out: everywhere at once.",
    )
    wave_minutes: int = Field(
        default=60, ge=0, le=129_600, description="Between two waves of the channel."
    )


class RetentionSection(Section):
    """When versions leave the gallery; without this section none ever does."""

    keep: int = Field(
        default=3, ge=1, le=1000, description="So many of the newest versions stay, however old."
    )
    max_age_days: int | None = Field(
        default=None, ge=1, le=3650, description="Aged versions older than this go."
    )
    after_end_of_life: bool = Field(
        default=True, description="Aged versions go when their life has ended."
    )
    rejected_days: int | None = Field(
        default=14,
        ge=1,
        le=3650,
        description="Rejected versions go after so many days; null keeps them.",
    )
    notice_days: int = Field(
        default=7, ge=0, le=365, description="Between telling the teams and deleting."
    )
    dry_run: bool = Field(
        default=True, description="true: only say what would go; set it to false to delete."
    )


_ACTIONS = ("shell", "powershell", "windows_restart", "windows_update")


class CustomizerSection(Section):
    """One change made to the image: a name and exactly one of the four actions."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": [action]} for action in _ACTIONS]}
    )

    name: Name = Field(description="Name of the customizer, unique in the file.")
    shell: ScriptPath | None = Field(
        default=None, description="Bash script to run as root (Linux), relative to the folder."
    )
    powershell: ScriptPath | None = Field(
        default=None,
        description="PowerShell script to run as administrator (Windows), relative to the folder.",
    )
    windows_restart: Literal[True] | None = Field(
        default=None, description="true: restart Windows and wait until it is back."
    )
    windows_update: Literal[True] | None = Field(
        default=None, description="true: install the Windows updates there are."
    )

    @property
    def actions(self) -> list[str]:
        """The actions given: exactly one in a correct file."""
        return [action for action in _ACTIONS if getattr(self, action) is not None]


class CheckSection(Section):
    """One test of a candidate: a name and one script."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["shell"]}, {"required": ["powershell"]}]}
    )

    name: Name = Field(description="Name of the check, unique in the file.")
    shell: ScriptPath | None = Field(
        default=None, description="Script to run as root (Linux), relative to the folder."
    )
    powershell: ScriptPath | None = Field(
        default=None,
        description="PowerShell script to run as SYSTEM (Windows), relative to the folder.",
    )
    results: Literal["exit-code", "tap", "junit"] = Field(
        default="exit-code",
        description="How the script reports: by its exit code alone, or by printing TAP or JUnit "
        "XML.",
    )
    severity: Literal["block", "warn"] = Field(
        default="block", description="Whether a failure stops the release or is only reported."
    )
    timeout_seconds: int = Field(
        default=300,
        ge=1,
        le=5400,
        description="Time for the script; at most the time of the whole verification.",
    )
    retries: int = Field(
        default=0,
        ge=0,
        le=3,
        description="How often the script is run again when it did not pass; a pass after that is "
        "recorded as flaky.",
    )
    source: bool = Field(
        default=False,
        description="true: run it in the bare source version too, before anything is built; needs "
        "`verify.source`.",
    )

    @property
    def actions(self) -> list[str]:
        """The scripts given: exactly one in a correct file."""
        return [a for a in ("shell", "powershell") if getattr(self, a) is not None]


class RepairSection(Section):
    """Further customizers for the next attempt when a check failed."""

    name: Name = Field(description="Name of the repair, unique in the file.")
    answers: list[str] = Field(
        min_length=1,
        description="Names of checks; when one of them failed, the repair is added. Besides the "
        "file's own checks: boot, vm-agent, tattoo, software, verify (any check at all) and "
        "customize (Image Builder's customization failed).",
    )
    attempts: int = Field(
        default=1,
        ge=1,
        le=5,
        description="In how many attempts the repair is tried before it counts as no help.",
    )
    customizers: list[CustomizerSection] = Field(
        min_length=1, description="What the next attempt does after the definition's customizers."
    )


class DefinitionFile(Section):
    """One golden image: what it is made from, how it is changed, how it is judged."""

    model_config = ConfigDict(title="Assay image definition")

    name: Name = Field(description="Name of the image, the same as that of the file.")
    description: str = Field(
        min_length=1, max_length=500, description="What the image is for, in a sentence or two."
    )
    os: Literal["linux", "windows"] = Field(description="Operating system of the image.")
    major: int = Field(
        ge=0,
        le=2_147_483_647,
        description="First number of every version: raise it for a change users must notice.",
    )
    source: SourceSection = Field(
        description="What to build from: a Marketplace image, or another golden image."
    )
    gallery_image: GalleryImageSection = Field(
        description="The image definition in the Compute Gallery that versions are published to."
    )
    regions: list[RegionSection] = Field(
        min_length=1, description="Regions the image is replicated to."
    )
    build: BuildSection = Field(
        default_factory=BuildSection, description="How an attempt is built; may be left out."
    )
    channels: list[ChannelSection] = Field(
        default_factory=lambda: [ChannelSection(name="canary"), ChannelSection(name="stable")],
        min_length=1,
        max_length=8,
        description="The way of a release, in order: the last channel is what Azure's `latest` "
        "means. Left out: canary, then stable.",
    )
    end_of_life_days: int = Field(
        default=90,
        ge=1,
        le=3650,
        description="How long an aged version lives on, as its end-of-life date says.",
    )
    block_deletion: bool = Field(
        default=True,
        description="Whether Azure refuses to delete an aged version before its end of life.",
    )
    retention: RetentionSection | None = Field(
        default=None,
        description="When versions leave the gallery; left out: never.",
    )
    verify: VerifySection = Field(
        default_factory=VerifySection, description="How a candidate is verified; may be left out."
    )
    customizers: list[CustomizerSection] = Field(
        default_factory=list,
        description="Changes made to the source image, in this order; the tattoo comes last and "
        "by itself.",
    )
    checks: list[CheckSection] = Field(
        default_factory=list,
        max_length=MAX_CHECKS,
        description="Tests of a candidate, run in a VM booted from it; the ready-made checks boot "
        "and tattoo run always.",
    )
    repairs: list[RepairSection] = Field(
        default_factory=list, description="What to change when a check failed."
    )
