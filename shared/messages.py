"""Every message between steps, and the envelope it travels in.

A queue holds UTF-8 JSON: `{"kind", "version", "correlation_id", "tries", "body"}`. The host copies
top-level keys of a message over its own trigger metadata whatever their case, so the envelope uses
none of the host's names (`id`, `dequeueCount`, `insertionTime` …), and all else is under `body`.

Readers ignore fields they do not know and refuse a version newer than theirs; writers are strict.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, ClassVar

from pydantic import TypeAdapter, ValidationError

from shared.domain.identifiers import digest
from shared.errors import BadMessageError

_CORRELATION_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""What we write into logs as it came; anything else is dropped, for anyone may send messages."""

MAX_BYTES = 48 * 1024
"""Largest message we write: 64 KiB less base64's third
(https://learn.microsoft.com/azure/storage/queues/storage-queues-introduction)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Base of every message; a subclass names the step it is for."""

    kind: ClassVar[str]
    version: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectSource(Command):
    """Look whether the Marketplace has a newer version of the source of *definition*."""

    kind: ClassVar[str] = "detect_source"
    definition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartBuild(Command):
    """Build *definition* from *source_version*, unless that build exists."""

    kind: ClassVar[str] = "start_build"
    definition: str
    source_version: str
    requested_by: str
    force: str = ""
    """Token of a request that wants a build of its own; empty means none does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildCommand(Command):
    """Base of the messages that carry one build from phase to phase; see `Build.admit`."""

    build_id: str
    turn: int
    guard: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifySource(BuildCommand):
    """Bring the verification of the bare source version one look further."""

    kind: ClassVar[str] = "verify_source"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartAttempt(BuildCommand):
    """Make the Image Builder template of the build's present attempt."""

    kind: ClassVar[str] = "start_attempt"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchBuild(BuildCommand):
    """Look how far Image Builder is."""

    kind: ClassVar[str] = "watch_build"


@dataclass(frozen=True, slots=True, kw_only=True)
class HurryBuild(Command):
    """An event says that the run of *template* ended: look now, not when due."""

    kind: ClassVar[str] = "hurry_build"
    template: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TattooImage(BuildCommand):
    """Stamp the captured version and cross-check what it was made from."""

    kind: ClassVar[str] = "tattoo_image"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyImage(BuildCommand):
    """Bring the verification of the candidate one look further."""

    kind: ClassVar[str] = "verify_image"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestImage(BuildCommand):
    """Write down and sign what is known of the verified version."""

    kind: ClassVar[str] = "attest_image"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairImage(BuildCommand):
    """Decide what follows a failed attempt."""

    kind: ClassVar[str] = "repair_image"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishImage(BuildCommand):
    """Bring the release of the verified version one look further."""

    kind: ClassVar[str] = "publish_image"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteImage(Command):
    """Bring the channels of *definition* one look further."""

    kind: ClassVar[str] = "promote_image"
    definition: str
    turn: int | None = None
    """The turn it was sent for; None looks when no other look is due. See `ImageChannels`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveChannel(Command):
    """Move *channel* to *image_version* as a person asks, or else back to the one before."""

    kind: ClassVar[str] = "move_channel"
    definition: str
    channel: str
    by: str
    """Object id of who asks, or `function-key`."""
    because: str
    request: str
    """Token of the request; the same one never moves the channel twice."""
    image_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveImage(Command):
    """Keep a person's word that *image_version* may enter *channel*."""

    kind: ClassVar[str] = "approve_image"
    definition: str
    channel: str
    image_version: str
    by: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeVersion(Command):
    """Let *image_version* be used no more, now or *at* a time."""

    kind: ClassVar[str] = "revoke_version"
    definition: str
    image_version: str
    by: str
    because: str
    request: str
    at: datetime | None = None
    inherit: bool = True
    """Whether versions built from it are revoked too."""
    force: bool = False
    """Whether it is done even where no good version is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreVersion(Command):
    """Undo the revocation of *image_version*, and of versions revoked because of it."""

    kind: ClassVar[str] = "restore_version"
    definition: str
    image_version: str
    by: str
    because: str
    request: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireVersion(Command):
    """Announce that *image_version* is to be deleted as a person asks; it goes after the notice."""

    kind: ClassVar[str] = "retire_version"
    definition: str
    image_version: str
    by: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireImages(Command):
    """Announce or delete the versions of *definition* whose time has come."""

    kind: ClassVar[str] = "retire_images"
    definition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchGallery(Command):
    """Say so when the gallery comes near a limit of Azure."""

    kind: ClassVar[str] = "watch_gallery"


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanUpBuild(Command):
    """Remove what a finished build left in Azure."""

    kind: ClassVar[str] = "clean_up_build"
    build_id: str
    looks: int = 0
    """How often it was looked at before."""
    guard: bool = False
    """Marks a repeat that comes back to see that the clean-up went on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildChildren(Command):
    """The channels of *definition* may have moved: build what is built from them."""

    kind: ClassVar[str] = "rebuild_children"
    definition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelBuild(Command):
    """End *build_id* because a person asks for it."""

    kind: ClassVar[str] = "cancel_build"
    build_id: str
    by: str
    """Object id of who asks, or `function-key`."""
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopBuild(Command):
    """End what Image Builder still does for a cancelled build."""

    kind: ClassVar[str] = "stop_build"
    build_id: str
    looks: int = 0
    """How often it was looked at already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyPeople(Command):
    """Tell people in their chat channel of an event Assay announced."""

    kind: ClassVar[str] = "notify_people"
    event_id: str
    event: str
    """Its name without `Assay.`."""
    subject: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOutcome(Command):
    """Count how a finished build ended, and pause its definition after too many failures."""

    kind: ClassVar[str] = "record_outcome"
    build_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseDefinition(Command):
    """Start no more builds of *definition* by themselves: a person says so."""

    kind: ClassVar[str] = "pause_definition"
    definition: str
    by: str
    """Who asks: an object id, `function-key` … never a name."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeDefinition(Command):
    """Let builds of *definition* start by themselves again: a person says so."""

    kind: ClassVar[str] = "resume_definition"
    definition: str
    by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackImageVersion(Command):
    """A gallery image version changed or went: read it and write what is true."""

    kind: ClassVar[str] = "track_image_version"
    resource_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackVm(Command):
    """A VM, scale-set instance or scale set changed or went: read it and write what is true."""

    kind: ClassVar[str] = "track_vm"
    resource_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPolicyState(Command):
    """Azure Policy spoke about a VM; *timestamp* orders what it said."""

    kind: ClassVar[str] = "record_policy_state"
    resource_id: str
    assignment_id: str
    definition_id: str
    reference_id: str
    state: str
    """Compliance state as sent; empty for a deletion."""
    timestamp: datetime
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeImageUsers(Command):
    """Judge again every VM that runs *image_id*, a page at a time."""

    kind: ClassVar[str] = "judge_image_users"
    image_id: str
    because: str
    cursor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeVm(Command):
    """Judge again the VMs under *vm_keys*, at most a page of them."""

    kind: ClassVar[str] = "judge_vm"
    vm_keys: tuple[str, ...]
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delayed:
    """A command to be delivered no sooner than after *delay*."""

    command: Command
    delay: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What Assay tells the world: a CloudEvent of type `Assay.<name>`.

    The same fact has the same *key*, so its event id is the same however often it is sent, and
    subscribers can drop repeats.
    """

    name: str
    subject: str
    key: str
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def event_id(self) -> str:
        """The CloudEvent's id, derived from what is announced."""
        return digest(self.name, self.subject, self.key)


type Message = Command | Delayed | Announcement
"""What a step returns: what follows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A command as it travels; *tries* counts how often it was put off."""

    command: Command
    correlation_id: str
    tries: int = 0


COMMANDS: dict[str, type[Command]] = {
    c.kind: c
    for c in (
        DetectSource, StartBuild, VerifySource, RecordOutcome, PauseDefinition, ResumeDefinition,
        StartAttempt, WatchBuild, HurryBuild, TattooImage, VerifyImage,
        AttestImage, RepairImage, PublishImage, PromoteImage, MoveChannel,
        ApproveImage, RevokeVersion, RestoreVersion, RetireVersion, RetireImages, WatchGallery,
        CleanUpBuild, CancelBuild, StopBuild, NotifyPeople,
        RebuildChildren, TrackImageVersion, TrackVm,
        RecordPolicyState, JudgeImageUsers, JudgeVm,
    )
}  # fmt: skip


@cache
def _adapter(kind: str) -> TypeAdapter[Command]:
    return TypeAdapter(COMMANDS[kind])


def encode(envelope: Envelope) -> str:
    """Return *envelope* as the text of a queue message.

    Raises BadMessageError when it is larger than a queue takes.
    """
    command = envelope.command
    text = json.dumps(
        {
            "kind": command.kind,
            "version": command.version,
            "correlation_id": envelope.correlation_id,
            "tries": envelope.tries,
            "body": _adapter(command.kind).dump_python(command, mode="json"),
        },
        separators=(",", ":"),
    )
    if len(text.encode()) > MAX_BYTES:
        raise BadMessageError(
            f"a {command.kind} message is larger than {MAX_BYTES} bytes and no queue takes it; "
            "send fewer things in one message"
        )
    return text


def load_json(text: str) -> Any:
    """Read the text of a queue message: JSON, plain or in base64.

    Event Grid has written both into storage queues, and `messageEncoding` is one setting for a
    whole app, so the reader tells them apart.

    Raises BadMessageError when it is neither.
    """
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return json.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise BadMessageError(
            f"a message that starts {text[:40]!r} is neither JSON nor base64 of JSON; "
            "find out who sent it"
        ) from error


def is_envelope(payload: Any) -> bool:
    """Tell whether *payload* claims to be one of our messages."""
    return isinstance(payload, dict) and "kind" in payload and "body" in payload


def decode(payload: dict[str, Any]) -> Envelope:
    """Read one of our messages out of its parsed JSON.

    Raises BadMessageError for an unknown kind, a newer version or a malformed body.
    """
    kind, version = payload.get("kind"), payload.get("version")
    command = COMMANDS.get(kind) if isinstance(kind, str) else None
    if command is None:
        raise BadMessageError(f"no step answers to message kind {kind!r}; see docs/messages.md")
    if not isinstance(version, int) or not 1 <= version <= command.version:
        raise BadMessageError(
            f"message {kind} has version {version!r}, and this release reads 1 to "
            f"{command.version}; upgrade Assay, then replay the message"
        )
    try:
        body = _adapter(command.kind).validate_python(payload.get("body"))
        tries = TypeAdapter(int).validate_python(payload.get("tries", 0))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadMessageError(f"message {kind} is malformed: {faults}") from error
    correlation_id = str(payload.get("correlation_id", ""))
    known = correlation_id if _CORRELATION_ID.fullmatch(correlation_id) else ""
    return Envelope(command=body, correlation_id=known, tries=tries)
