"""The messages that keep the register of image versions and VMs true."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.messages.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackImageVersion(Command):
    """A gallery image version changed or went, or a whole image did: read what is true."""

    kind: ClassVar[str] = "track_image_version"
    resource_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackVm(Command):
    """A VM, scale-set instance or scale set changed or went: read it and write what is true."""

    kind: ClassVar[str] = "track_vm"
    resource_id: str
    because: str = "event"
    """What brought it to our attention: `event` or `sweep`."""


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
    about: str = ""
    """Name of the guest configuration assignment it is about; empty for the VM itself."""
    reason_code: str = ""
    """Azure's `complianceReasonCode`; empty where it gave none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeImageUsers(Command):
    """Judge again the VMs of *image_id* that a change of one version concerns, a page at a time."""

    kind: ClassVar[str] = "judge_image_users"
    image_id: str
    because: str
    image_version: str = ""
    """The version that changed; empty when any may have."""
    cursor: str = ""
    up_to: str = ""
    """With *cursor*: the highest version whose users are looked at; empty for all."""
    second_look: bool = False
    """Whether this is the look after the first one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeVm(Command):
    """Judge again the VMs under *vm_keys*, at most a page of them."""

    kind: ClassVar[str] = "judge_vm"
    vm_keys: tuple[str, ...]
    because: str
