"""What the steps need of the outside, as narrow protocols.

Azure adapters are in `gateways/`, Table Storage in `records/`; the tests' memory versions pass the
same contract suites. Every method may raise `RetryableError` or `RefusedError` besides what its
docstring names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from shared.domain.build import Build
from shared.domain.channel import ImageChannels
from shared.domain.definition_state import DefinitionState
from shared.domain.dsse import Signature
from shared.domain.failure import Failure
from shared.domain.history import Transition
from shared.domain.image_definition import Customizer, ImageDefinition, MarketplaceSource
from shared.domain.image_version import ImageVersion
from shared.domain.slots import Slots
from shared.domain.vm_record import PolicyState, VmFacts, VmRecord
from shared.messages import Announcement, Command

type Definitions = Mapping[str, ImageDefinition]
"""Every image definition by its name, read once at start."""


@dataclass(frozen=True, slots=True)
class Stored[T]:
    """A record as loaded, with the ETag it is to be saved under; empty for one not yet stored."""

    value: T
    etag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page[T]:
    """Some of many; *cursor* asks for the rest and is empty on the last page.

    A page may hold fewer items than asked for, or none, and still have a cursor.
    """

    items: tuple[T, ...]
    cursor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How patient the steps are."""

    look: timedelta
    """Between two looks at something Azure is doing."""
    grace: timedelta
    """How long after its due time a repeated delivery checks that the build went on."""
    retry: timedelta
    """Before a new attempt when Azure failed or had no room."""
    blind: timedelta
    """How long a status that cannot be read is put up with, beyond the build's own timeout."""
    soak: timedelta = timedelta(days=1)
    """How long a version stays in a channel whose definition does not say."""


# --- records --------------------------------------------------------------------------------------


class Builds(Protocol):
    """The builds, by id."""

    async def get(self, build_id: str) -> Stored[Build] | None:
        """Load a build."""

    async def save(self, build: Stored[Build]) -> Stored[Build]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""

    async def list(self, *, definition: str = "", limit: int = 50, cursor: str = "") -> Page[Build]:
        """List builds, newest first, of one definition or of all."""


class ImageVersions(Protocol):
    """The register of image versions, by definition and version."""

    async def get(self, definition: str, version: str) -> Stored[ImageVersion] | None:
        """Load a version."""

    async def save(self, version: Stored[ImageVersion]) -> Stored[ImageVersion]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""

    async def list(self, definition: str) -> list[Stored[ImageVersion]]:
        """List every version of a definition, highest number first."""

    async def children(
        self, definition: str, version: str, *, limit: int
    ) -> Sequence[ImageVersion]:
        """List versions built right from this one, by definition and number, at most *limit*."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildCapacity:
    """How many attempts Image Builder may work on at once, and where that counts."""

    scope: str
    """`<subscription>/<region>`."""
    limit: int


class BuildSlots(Protocol):
    """Who builds and who waits for a place to, by `BuildCapacity.scope`."""

    async def get(self, scope: str) -> Stored[Slots] | None:
        """Load the seats and the line of *scope*."""

    async def save(self, slots: Stored[Slots]) -> Stored[Slots]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""


class DefinitionStates(Protocol):
    """How the builds of each definition go, and whether it is paused, by definition."""

    async def get(self, definition: str) -> Stored[DefinitionState] | None:
        """Load the state; None as long as no build of the definition has ended."""

    async def save(self, state: Stored[DefinitionState]) -> Stored[DefinitionState]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""


class Channels(Protocol):
    """The channels of every image: one record per definition."""

    async def get(self, definition: str) -> Stored[ImageChannels] | None:
        """Load the channels of a definition."""

    async def save(self, channels: Stored[ImageChannels]) -> Stored[ImageChannels]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """The newest version of one Marketplace source that was announced, and how looking went."""

    urn: str
    version: str
    announced_at: datetime | None
    checked_at: datetime
    """When the last look gave another answer than the one before."""
    problem: str = ""
    """Why the last look found nothing; empty when it found something."""


class Sources(Protocol):
    """What was last seen of each Marketplace source, by URN."""

    async def get(self, urn: str) -> Stored[SourceRecord] | None:
        """Load what was last seen."""

    async def save(self, record: Stored[SourceRecord]) -> Stored[SourceRecord]:
        """Insert (no ETag) or replace under its ETag; ConflictError when the race is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VmEntry:
    """Everything the register holds on one VM but its history: record and policy states."""

    key: str
    record: VmRecord | None = None
    policy_states: tuple[PolicyState, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VmFilter:
    """Which VMs to list; empty texts do not filter."""

    team: str = ""
    """Whatever its case."""
    image: str = ""
    """Name of an image definition, or the id of any image."""
    version: str = ""
    """Only together with *image*."""
    verdict: str = ""
    subscription_id: str = ""
    scale_set_id: str = ""
    """Normalised id of a scale set: only its members; together with its *subscription_id*."""
    deleted: bool = False
    """Also list VMs that are gone."""


class Vms(Protocol):
    """The VM records with their policy states and history, by VM key."""

    async def get(self, key: str) -> Stored[VmEntry]:
        """Load what is held on a VM; an entry without a record when nothing is."""

    async def save(
        self,
        old: Stored[VmEntry],
        new: VmEntry,
        transitions: Sequence[Transition] = (),
    ) -> None:
        """Write what differs from *old*, with its history lines, in one transaction.

        Then brings the index by team and by image into line; a repeat after a crash does too.
        Raises ConflictError when *old* is no longer what is stored.
        """

    async def history(self, key: str) -> list[Transition]:
        """List the transitions of a VM, oldest first."""

    async def list(self, wanted: VmFilter, *, limit: int = 100, cursor: str = "") -> Page[VmRecord]:
        """List VM records in the order of their keys, those of one image by version first.

        Raises BadMessageError when *cursor* is not one we gave.
        """

    async def keys_of_image(self, image_id: str, *, limit: int, cursor: str = "") -> Page[str]:
        """List the keys of the VMs (not deleted) that run any version of an image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedMessage:
    """A message no step could do, kept for an operator."""

    id: str
    queue: str
    text: str
    """The message as it arrived."""
    reason: str
    tries: int
    parked_at: datetime
    kind: str = ""
    correlation_id: str = ""


class Parked(Protocol):
    """Messages that could not be done, until an operator replays or discards them."""

    async def park(self, message: ParkedMessage) -> None:
        """Keep *message*; keeping it again under the same id replaces it."""

    async def get(self, message_id: str) -> ParkedMessage | None:
        """Load one."""

    async def list(self, *, limit: int = 50, cursor: str = "") -> Page[ParkedMessage]:
        """List them, in the order of their ids."""

    async def remove(self, message_id: str) -> None:
        """Forget one; no error when it is gone already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing a person or a pipeline asked for: who, what, why, and what it changed."""

    id: str
    scope: str
    """What the entry is listed under: `images/<definition>` or `messages`."""
    subject: str
    """What was acted on: `images/<definition>/versions/<version>`, `builds/<id>` …"""
    what: str
    who: str
    """Object id of the caller, or `function-key`; never a name."""
    why: str
    before: dict[str, Any]
    at: datetime
    correlation_id: str
    outcome: str = "asked"
    """`asked` until it is known, then `done`, `refused` or `failed`."""
    after: dict[str, Any] | None = None
    detail: str = ""
    """Why it was refused or failed."""


class Audit(Protocol):
    """What was asked for through the API, by whom and why."""

    async def write(self, entry: AuditEntry) -> None:
        """Keep *entry*; writing it again under the same id replaces it."""

    async def list(
        self, scope: str, *, subject: str = "", limit: int = 50, cursor: str = ""
    ) -> Page[AuditEntry]:
        """List the entries of *scope*, of one *subject* or of all, newest first.

        Raises BadMessageError when *cursor* is not one we gave for this list.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Proof that something was done under a key, with the answer that was given."""

    key: str
    fingerprint: str
    """Of what was asked; the same key with another fingerprint asks for something else."""
    at: datetime
    status: int = 0
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


RECEIPT_LIFE = timedelta(hours=24)
"""How long a receipt is kept."""


class Receipts(Protocol):
    """What was done under which key, for `RECEIPT_LIFE`."""

    async def get(self, key: str, *, now: datetime) -> Receipt | None:
        """Return the receipt under *key*; None when there is none or it is too old."""

    async def keep(self, receipt: Receipt) -> Receipt:
        """Keep *receipt*, and return the one that is kept: the first under its key."""


# --- gateways -------------------------------------------------------------------------------------


class Marketplace(Protocol):
    """Marketplace VM images."""

    async def versions(self, source: MarketplaceSource) -> list[str]:
        """List the versions of a source in our region, in no order to rely on.

        Raises NotFoundError when publisher, offer or SKU does not exist.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateSpec:
    """What one Image Builder template is made of."""

    name: str
    build_id: str
    attempt: int
    definition: ImageDefinition
    source_version: str
    version: str
    """Image version to distribute, excluded from latest."""
    customizers: tuple[Customizer, ...]
    tags: dict[str, str]
    """Tags of the image version."""
    parent_id: str = ""
    """Id of the gallery image version to build from; empty for the Marketplace image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateStatus:
    """An Image Builder template as Azure describes it now."""

    provisioning_state: str
    """`Creating`, `Updating`, `Succeeded`, `Failed`, `Deleting`, `Canceled`."""
    provisioning_failure: Failure | None = None
    source_version: str = ""
    """The exact version Image Builder says it uses, of a gallery image its id, normalised; empty
    until the template is created."""
    run_state: str = ""
    """Empty before the first run."""
    run_sub_state: str = ""
    run_message: str = ""
    run_started_at: datetime | None = None
    run_ended_at: datetime | None = None
    run_failure: Failure | None = None
    """Why the run failed, when its state is `Failed`, `PartiallySucceeded` or `Canceled`."""
    staging_group: str = ""
    """Id of the resource group Image Builder works in; it goes when the template goes."""


class ImageBuilder(Protocol):
    """Azure Image Builder: one template per attempt."""

    async def create(self, spec: TemplateSpec) -> None:
        """Ask for the template; no error when it exists already."""

    async def status(self, template: str) -> TemplateStatus | None:
        """Read a template; None when it does not exist.

        Raises UnavailableError while Image Builder is blind, which may last half an hour.
        """

    async def run(self, template: str) -> None:
        """Ask for the run; no error when it is running already."""

    async def cancel(self, template: str) -> None:
        """Ask for the end of the run; no error when none is under way."""

    async def output(self, template: str) -> str | None:
        """Return the id of the image version the run distributed; None when there is none."""

    async def delete(self, template: str) -> None:
        """Ask for the template's deletion; no error when it is gone or going."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryVersion:
    """A gallery image version as Azure describes it now; regions by short name."""

    resource_id: str
    provisioning_state: str
    excluded_from_latest: bool
    regions: dict[str, int]
    """Target regions and their replica counts."""
    excluded_regions: frozenset[str] = frozenset()
    """Regions that exclude it from latest on their own."""
    replicated: frozenset[str] = frozenset()
    """Regions whose replication is complete."""
    failed_regions: frozenset[str] = frozenset()
    tags: dict[str, str] = field(default_factory=dict)
    end_of_life: datetime | None = None
    deletion_blocked: bool = False
    """Whether Azure refuses to delete it before its end of life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing:
    """How a gallery version is published: what one update of it says."""

    regions: dict[str, int]
    """Every region and its replicas: Azure takes a region left out as an order to remove it."""
    excluded_from_latest: bool
    excluded_regions: frozenset[str] = frozenset()
    """Regions that exclude it from latest on their own."""
    end_of_life: datetime | None = None
    """In the future; None leaves the date as it is."""
    block_deletion: bool | None = None
    """Whether deletion before the end of life is refused; None leaves that as it is."""
    tags: dict[str, str] | None = None
    """Every tag it is to have; None leaves them as they are."""


class Gallery(Protocol):
    """Our Compute Gallery."""

    def image_id(self, definition: ImageDefinition) -> str:
        """Return the normalised id of the gallery image definition of *definition*."""

    async def ensure_image(self, definition: ImageDefinition) -> None:
        """Create the gallery image definition where it is missing."""

    async def version(self, image_id: str, version: str) -> GalleryVersion | None:
        """Read a version with its replication; None when it does not exist."""

    async def versions(self, image_id: str) -> list[str]:
        """List the version numbers the gallery holds."""

    async def tag(self, image_id: str, version: str, tags: dict[str, str]) -> None:
        """Add *tags* to those of a version; no call when it has them already."""

    async def set_publishing(self, image_id: str, version: str, publishing: Publishing) -> None:
        """Ask for *publishing*, with the full list of regions.

        Raises NotFoundError when the version does not exist.
        """

    async def delete(self, image_id: str, version: str) -> None:
        """Ask for the deletion of a version; no error when it is gone or going.

        Raises RefusedError before its end of life, when deletion is blocked until then.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineStatus:
    """A verification VM as Azure describes it now."""

    provisioning_state: str
    """`Creating`, `Succeeded`, `Failed`, `Deleting` …"""
    agent_ready: bool
    failure: str = ""
    """What Azure says is wrong, when the state is `Failed`."""
    created_at: datetime | None = None
    provisioned_at: datetime | None = None
    """When Azure was done with the VM, its operating system included, by Azure's own clock."""
    agent_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCommandStatus:
    """A managed run command as Azure describes it now."""

    finished: bool
    exit_code: int | None = None
    output: str = ""
    """At most the last 4,096 bytes the script printed."""
    error: str = ""
    timed_out: bool = False
    failure: str = ""
    """Why Azure could not run the script at all; empty when it ran."""
    started_at: datetime | None = None
    ended_at: datetime | None = None


class VerificationVms(Protocol):
    """The VMs candidates are booted in; each lives for one verification."""

    async def create(
        self, vm_name: str, definition: ImageDefinition, version: str, *, build_id: str
    ) -> None:
        """Ask for a VM of the image version; no error when it exists already."""

    async def create_from_source(
        self, vm_name: str, definition: ImageDefinition, source_version: str, *, build_id: str
    ) -> None:
        """Ask for a VM of the bare Marketplace version; no error when it exists already."""

    async def status(self, vm_name: str) -> MachineStatus | None:
        """Read the VM; None when it does not exist."""

    async def start_command(
        self, vm_name: str, name: str, script: str, definition: ImageDefinition,
        *, timeout_seconds: int,
    ) -> None:  # fmt: skip
        """Run *script* in the guest under *name*; no second run when it was started before."""

    async def command_status(self, vm_name: str, name: str) -> RunCommandStatus | None:
        """Read a run command; None when it was never started."""

    async def delete(self, vm_name: str) -> None:
        """Ask for the VM's deletion, disk and network interface too; no error when it is gone."""


class Evidence(Protocol):
    """The documents that prove what an image version is; names are in `domain/evidence.py`."""

    async def put(self, definition: str, version: str, name: str, content: bytes) -> None:
        """Keep a document; keeping it again replaces it."""

    async def get(self, definition: str, version: str, name: str) -> bytes | None:
        """Return a document; None when there is none."""


class Signer(Protocol):
    """The key that signs evidence, if one is set up."""

    async def sign(self, message: bytes) -> Signature | None:
        """Sign *message*; None when no key is set up.

        Raises RefusedError when the key may not be used.
        """

    async def public_key(self) -> str:
        """Return the public key as PEM; empty when no key is set up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedLogs:
    """Logs that are ours now: the folder and the files in it."""

    location: str
    """Address of the folder."""
    files: tuple[str, ...] = ()


class BuildLogs(Protocol):
    """Image Builder's own logs of a run, and our copies of them."""

    async def copy(self, staging_group: str, folder: str) -> CopiedLogs:
        """Copy the logs in *staging_group* (a resource group's id) into *folder* of ours.

        A repeat writes the same files again. Raises NotFoundError when the group has none, and
        RefusedError when they may not be read or there is nowhere to put them.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleSetModel:
    """A scale set that makes its next instances from an image."""

    resource_id: str
    """Normalised."""
    version: str
    """Empty when it takes the latest one."""


class Fleet(Protocol):
    """The VMs of our users."""

    async def vm(self, resource_id: str) -> VmFacts | None:
        """Read a VM or a scale-set instance, its image resolved; None when it does not exist."""

    async def scale_set_instances(self, resource_id: str) -> list[VmFacts] | None:
        """Read the instances of a scale set; None when the scale set does not exist."""

    async def scale_set_models(self, image_id: str) -> list[ScaleSetModel]:
        """List the scale sets, wherever we may read, whose model names *image_id*."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something people are told, as plain text; the channel decides how it looks."""

    title: str
    text: str
    facts: tuple[tuple[str, str], ...] = ()
    """Pairs of a label and its value."""
    path: str = ""
    """The page of our API to read more on, relative to its base; empty when there is none."""


class Notifier(Protocol):
    """The chat channel people are told in."""

    async def tell(self, note: Note) -> None:
        """Post *note*; raises RetryableError or RefusedError when the channel does not take it."""


class Outbox(Protocol):
    """Where messages and announcements go."""

    async def send(
        self, command: Command, *, correlation_id: str, delay: timedelta, tries: int = 0
    ) -> None:
        """Put a command into the queue of its step, visible after *delay*."""

    async def put(self, queue: str, text: str) -> None:
        """Put *text* into a queue as it is."""

    async def announce(self, announcements: Sequence[Announcement]) -> None:
        """Publish CloudEvents to our topic."""
