"""The one table of what follows what: message, queue, step, and what the step may send.

Triggers, queues, poison handlers and docs/messages.md are checked against it.
"""

from dataclasses import dataclass

from shared import messages as m


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row: *command* waits in a queue for the step of the same name."""

    command: type[m.Command]
    flow: str
    """`publish` or `track`."""
    sends: tuple[type[m.Command], ...] = ()
    announces: tuple[str, ...] = ()
    """Names of the `Assay.*` events the step may publish."""

    @property
    def name(self) -> str:
        """The verb phrase that names message, step, module and Azure function."""
        return self.command.kind

    @property
    def queue(self) -> str:
        """Queue the message waits in."""
        return self.command.kind.replace("_", "-")

    @property
    def poison_queue(self) -> str:
        """Queue the host moves a message to when it has failed too often."""
        return f"{self.queue}-poison"


STEPS: tuple[Step, ...] = (
    Step(
        command=m.DetectSource,
        flow="publish",
        sends=(m.StartBuild,),
        announces=("SourceVersionPublished",),
    ),
    Step(
        command=m.StartBuild,
        flow="publish",
        sends=(m.VerifySource, m.StartAttempt),
        announces=("DefinitionResumed",),
    ),
    Step(
        command=m.VerifySource,
        flow="publish",
        sends=(m.VerifySource, m.StartAttempt, m.CleanUpBuild, m.RecordOutcome),
        announces=("ImageRejected",),
    ),
    Step(
        command=m.StartAttempt,
        flow="publish",
        sends=(m.StartAttempt, m.WatchBuild, m.RepairImage, m.CleanUpBuild, m.RecordOutcome),
        announces=("BuildFailed",),
    ),
    Step(
        command=m.WatchBuild,
        flow="publish",
        sends=(m.WatchBuild, m.TattooImage, m.RepairImage),
    ),
    Step(command=m.HurryBuild, flow="publish", sends=(m.WatchBuild,)),
    Step(
        command=m.TattooImage, flow="publish", sends=(m.TattooImage, m.VerifyImage, m.RepairImage)
    ),
    Step(
        command=m.VerifyImage,
        flow="publish",
        sends=(m.VerifyImage, m.AttestImage, m.RepairImage),
    ),
    Step(command=m.AttestImage, flow="publish", sends=(m.AttestImage, m.PublishImage)),
    Step(
        command=m.RepairImage,
        flow="publish",
        sends=(m.RepairImage, m.StartAttempt, m.CleanUpBuild, m.RecordOutcome),
        announces=("ImageRejected", "BuildFailed"),
    ),
    Step(
        command=m.PublishImage,
        flow="publish",
        sends=(
            m.PublishImage,
            m.CleanUpBuild,
            m.RecordOutcome,
            m.JudgeImageUsers,
            m.RebuildChildren,
            m.PromoteImage,
        ),
        announces=("ImagePublished", "BuildFailed"),
    ),
    Step(
        command=m.PromoteImage,
        flow="publish",
        sends=(m.PromoteImage, m.RevokeVersion, m.JudgeImageUsers, m.RebuildChildren),
        announces=("ImagePromoted", "ImageRolledBack", "ImageAged"),
    ),
    Step(command=m.MoveChannel, flow="publish", sends=(m.PromoteImage,)),
    Step(command=m.ApproveImage, flow="publish", sends=(m.PromoteImage,)),
    Step(
        command=m.RevokeVersion,
        flow="publish",
        sends=(m.RevokeVersion, m.PromoteImage, m.JudgeImageUsers),
        announces=("ImageRevoked",),
    ),
    Step(
        command=m.RestoreVersion,
        flow="publish",
        sends=(m.RestoreVersion, m.PromoteImage, m.JudgeImageUsers),
        announces=("ImageRestored",),
    ),
    Step(command=m.RetireVersion, flow="publish", announces=("ImageRetiring",)),
    Step(
        command=m.RetireImages,
        flow="publish",
        sends=(m.JudgeImageUsers,),
        announces=("ImageRetiring", "ImageRetired"),
    ),
    Step(command=m.WatchGallery, flow="publish", announces=("GalleryNearLimit",)),
    Step(command=m.CleanUpBuild, flow="publish", sends=(m.CleanUpBuild,)),
    Step(command=m.RecordOutcome, flow="publish", announces=("DefinitionPaused",)),
    Step(command=m.PauseDefinition, flow="publish", announces=("DefinitionPaused",)),
    Step(command=m.ResumeDefinition, flow="publish", announces=("DefinitionResumed",)),
    Step(command=m.RebuildChildren, flow="publish", sends=(m.StartBuild,)),
    Step(
        command=m.CancelBuild,
        flow="publish",
        sends=(m.StopBuild, m.CleanUpBuild),
        announces=("BuildCancelled",),
    ),
    Step(command=m.StopBuild, flow="publish", sends=(m.StopBuild,)),
    Step(command=m.NotifyPeople, flow="publish"),
    Step(
        command=m.TrackImageVersion,
        flow="track",
        sends=(m.TrackImageVersion, m.PromoteImage, m.JudgeImageUsers),
    ),
    Step(
        command=m.TrackVm,
        flow="track",
        sends=(m.AttestVm, m.ReadTattoo),
        announces=("VmVerdictChanged",),
    ),
    Step(command=m.RecordPolicyState, flow="track", sends=(m.AttestVm,)),
    Step(command=m.JudgeImageUsers, flow="track", sends=(m.JudgeImageUsers, m.JudgeVm)),
    Step(
        command=m.JudgeVm,
        flow="track",
        sends=(m.AttestVm,),
        announces=("VmVerdictChanged",),
    ),
    Step(command=m.AttestVm, flow="track"),
    Step(
        command=m.ReadTattoo,
        flow="track",
        sends=(m.ReadTattoo,),
        announces=("TattooMismatch",),
    ),
    Step(command=m.SweepFleet, flow="track", sends=(m.SweepSubscriptions,)),
    Step(
        command=m.SweepSubscriptions,
        flow="track",
        sends=(m.SweepSubscriptions, m.SettleDrift, m.AttestVm, m.ReadTattoo),
        announces=("VmVerdictChanged",),
    ),
    Step(
        command=m.SettleDrift,
        flow="track",
        sends=(m.SettleDrift, m.AttestVm, m.ReadTattoo),
        announces=("VmVerdictChanged",),
    ),
    Step(command=m.TakeSnapshot, flow="track", sends=(m.TakeSnapshot,)),
    Step(command=m.WriteExport, flow="track", sends=(m.WriteExport,)),
    Step(command=m.RemoveExports, flow="track", sends=(m.RemoveExports,)),
    Step(command=m.SweepPolicy, flow="track", sends=(m.SweepPolicy, m.SweepPolicyStates)),
    Step(command=m.SweepPolicyStates, flow="track", sends=(m.SweepPolicyStates,)),
    Step(command=m.FindOldHistory, flow="track", sends=(m.FindOldHistory, m.TrimHistory)),
    Step(command=m.TrimHistory, flow="track"),
)

STEP_BY_NAME: dict[str, Step] = {s.name: s for s in STEPS}
