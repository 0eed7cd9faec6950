"""What the data of each announced event holds; see `shared/announcements.py`."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class EventData(BaseModel):
    """Base of the data of every event; names are in camel case on the wire."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, frozen=True)


class SourceVersionPublished(EventData):
    """A Marketplace image has a version no build was made from."""

    publisher: str
    offer: str
    sku: str
    version: str = Field(description="The new version, exactly.")


class BuildEnded(EventData):
    """A build came to its end."""

    build: str = Field(description="Id of the build.")
    definition: str = Field(description="Name of the image definition.")
    version: str | None = Field(description="The image version of its last attempt, if any.")
    source: str = Field(description="URN of what it was built from, or `image@channel`.")
    source_version: str
    attempts: int = Field(ge=0)
    repairs: list[str] = Field(description="Repairs in force for the last attempt.")
    failed_checks: list[str] = Field(description="Checks the last attempt failed.")
    reason: str = Field(description="Why it ended like this.")
    tried: list[str] = Field(
        default_factory=list,
        description="What each repair was tried for, in which attempt, and whether it helped.",
    )
    suggestions: list[str] = Field(
        default_factory=list, description="What that suggests to change in the definition."
    )
    at: datetime


class DefinitionPaused(EventData):
    """Builds of a definition start no more by themselves."""

    definition: str
    failures: int = Field(description="Builds in a row that ended without a release.")
    by: str = Field(description="`failures`, the object id of who asked, or `function-key`.")
    reason: str
    at: datetime


class DefinitionResumed(EventData):
    """Builds of a definition start by themselves again."""

    definition: str
    reason: str
    at: datetime


class ChannelMoved(EventData):
    """A channel of an image shows another version."""

    definition: str
    channel: str
    version: str | None = Field(description="What it shows now; null when no good one is left.")
    version_id: str | None = Field(description="Resource id of that version.")
    before: str | None = Field(description="What it showed before.")
    why: str = Field(description="Kind of the move: `promoted`, `rolled-back`, `revoked` …")
    reason: str
    by: str = Field(description="Object id of who asked, `function-key`, or `assay`.")
    latest: bool = Field(description="Whether this channel is what Azure's `latest` means.")
    at: datetime


class VersionNews(EventData):
    """Something became of one image version."""

    definition: str
    version: str
    version_id: str = Field(description="Its resource id.")
    end_of_life: datetime | None = Field(description="Its end of life, as Azure shows it.")
    at: datetime


class ImageAged(VersionNews):
    """A newer version took its place."""

    newest: str | None = Field(description="The version to use instead.")
    vms: int = Field(ge=0, description="How many VMs run it.")
    teams: list[str] = Field(description="Whose VMs these are.")


class ImageRevoked(VersionNews):
    """It must not be used any more."""

    reason: str
    by: str = Field(description="Object id of who asked, or `function-key`.")
    latest: str | None = Field(description="What `latest` means now; null when nothing is left.")
    vms: int = Field(ge=0, description="How many VMs run it.")
    teams: list[str] = Field(description="Whose VMs these are.")


class ImageRestored(VersionNews):
    """Its revocation was undone."""

    reason: str
    by: str


class ImageRetiring(VersionNews):
    """It is to be deleted from the gallery."""

    reason: str
    by: str
    delete_after: datetime
    vms: int = Field(ge=0)
    teams: list[str]


class ImageRetired(VersionNews):
    """It was deleted from the gallery; the register keeps it."""

    reason: str


class GalleryNearLimit(EventData):
    """The gallery comes near a limit of Azure."""

    what: str = Field(description="What is counted.")
    count: int
    limit: int
    at: datetime


class TattooMismatch(EventData):
    """The tattoo in a VM's guest is missing or not what register and gallery say."""

    vm: str = Field(description="Resource id of the VM.")
    team: str
    state: str = Field(description="`mismatch` or `absent`.")
    image: str = Field(description="Id of the image it runs by the register.")
    version: str
    differences: list[str] = Field(description="One sentence per fact that differs.")
    by: str = Field(description="How it was read: `run-command` or `machine-configuration`.")
    as_of: datetime


class VmVerdictChanged(EventData):
    """A VM's verdict changed."""

    vm: str = Field(description="Resource id of the VM.")
    team: str
    old: str = Field(description="The verdict before; empty when the VM is first seen.")
    new: str
    reason: str
    image: str = Field(description="Id of the image it runs.")
    version: str
    as_of: datetime
    machine: str = Field(
        default="vm",
        description="`vm`, `flexible-instance`, `uniform-instance`, or `scale-set` for the model "
        "of one: what its next instances are made of.",
    )
    rule: str = Field(default="", description="The rule that led to the verdict.")
    due_at: datetime | None = Field(
        default=None, description="By when it is to be redeployed; null when nothing is due."
    )
    newest: str | None = Field(
        default=None, description="The version to redeploy from; null when there is none."
    )
