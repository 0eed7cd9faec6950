"""Every message between steps, and the envelope it travels in.

A queue holds UTF-8 JSON: `{"kind", "version", "correlation_id", "tries", "body"}`. The host copies
top-level keys of a message over its own trigger metadata whatever their case, so the envelope uses
none of the host's names (`id`, `dequeueCount`, `insertionTime` …), and all else is under `body`.

Readers ignore fields they do not know and refuse a version newer than theirs; writers are strict.
"""

from shared.messages.attestation_commands import AttestVm
from shared.messages.base import Announcement, Command, Delayed, Message
from shared.messages.build_commands import (
    BY_EVENT,
    AttestImage,
    BuildCommand,
    CancelBuild,
    CleanUpBuild,
    DetectSource,
    HurryBuild,
    PublishImage,
    RepairImage,
    StartAttempt,
    StartBuild,
    StopBuild,
    TattooImage,
    VerifyImage,
    VerifySource,
    WatchBuild,
)
from shared.messages.catalog import COMMANDS
from shared.messages.channel_commands import (
    ApproveImage,
    MoveChannel,
    PromoteImage,
    RestoreVersion,
    RetireImages,
    RetireVersion,
    RevokeVersion,
    WatchGallery,
)
from shared.messages.definition_commands import (
    PauseDefinition,
    RebuildChildren,
    RecordOutcome,
    ResumeDefinition,
)
from shared.messages.envelope import MAX_BYTES, Envelope, decode, encode, is_envelope, load_json
from shared.messages.fleet_commands import (
    JudgeImageUsers,
    JudgeVm,
    RecordPolicyState,
    TrackImageVersion,
    TrackVm,
)
from shared.messages.history_commands import FindOldHistory, TrimHistory
from shared.messages.people_commands import NotifyPeople
from shared.messages.policy_commands import SweepPolicy, SweepPolicyStates
from shared.messages.report_commands import RemoveExports, TakeSnapshot, WriteExport
from shared.messages.sweep_commands import SettleDrift, SweepFleet, SweepSubscriptions
from shared.messages.tattoo_commands import ReadTattoo

__all__ = [
    "BY_EVENT",
    "COMMANDS",
    "MAX_BYTES",
    "Announcement",
    "ApproveImage",
    "AttestImage",
    "AttestVm",
    "BuildCommand",
    "CancelBuild",
    "CleanUpBuild",
    "Command",
    "Delayed",
    "DetectSource",
    "Envelope",
    "FindOldHistory",
    "HurryBuild",
    "JudgeImageUsers",
    "JudgeVm",
    "Message",
    "MoveChannel",
    "NotifyPeople",
    "PauseDefinition",
    "PromoteImage",
    "PublishImage",
    "ReadTattoo",
    "RebuildChildren",
    "RecordOutcome",
    "RecordPolicyState",
    "RemoveExports",
    "RepairImage",
    "RestoreVersion",
    "ResumeDefinition",
    "RetireImages",
    "RetireVersion",
    "RevokeVersion",
    "SettleDrift",
    "StartAttempt",
    "StartBuild",
    "StopBuild",
    "SweepFleet",
    "SweepPolicy",
    "SweepPolicyStates",
    "SweepSubscriptions",
    "TakeSnapshot",
    "TattooImage",
    "TrackImageVersion",
    "TrackVm",
    "TrimHistory",
    "VerifyImage",
    "VerifySource",
    "WatchBuild",
    "WatchGallery",
    "WriteExport",
    "decode",
    "encode",
    "is_envelope",
    "load_json",
]
