"""Every command by its kind."""

from shared.messages.attestation_commands import AttestVm
from shared.messages.base import Command
from shared.messages.build_commands import (
    AttestImage,
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

COMMANDS: dict[str, type[Command]] = {
    c.kind: c
    for c in (
        DetectSource, StartBuild, VerifySource, RecordOutcome, PauseDefinition, ResumeDefinition,
        StartAttempt, WatchBuild, HurryBuild, TattooImage, VerifyImage,
        AttestImage, RepairImage, PublishImage, PromoteImage, MoveChannel,
        ApproveImage, RevokeVersion, RestoreVersion, RetireVersion, RetireImages, WatchGallery,
        CleanUpBuild, CancelBuild, StopBuild, NotifyPeople,
        RebuildChildren, TrackImageVersion, TrackVm,
        RecordPolicyState, JudgeImageUsers, JudgeVm, AttestVm, ReadTattoo,
        SweepFleet, SweepSubscriptions, SettleDrift,
        TakeSnapshot, WriteExport, RemoveExports,
        SweepPolicy, SweepPolicyStates,
        FindOldHistory, TrimHistory,
    )
}  # fmt: skip
