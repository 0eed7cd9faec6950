"""What the steps need of the outside, as narrow protocols.

Azure adapters are in `gateways/`, Table Storage in `records/`; the tests' memory versions pass the
same contract suites. Every method may raise `RetryableError` or `RefusedError` besides what its
docstring names.
"""

from shared.domain.fleet_row import FleetRow
from shared.ports.attestations import Attestations, Reception
from shared.ports.build_records import BuildCapacity, Builds, BuildSlots, DefinitionStates
from shared.ports.evidence import Evidence, Signer
from shared.ports.exports import (
    Export,
    ExportFiles,
    ExportForm,
    Exports,
    ExportWhat,
    FileState,
    PageMark,
)
from shared.ports.fleet import Fleet, ScaleSet, ScaleSetModel
from shared.ports.gallery import Gallery, GalleryVersion, Publishing
from shared.ports.guest_tattoos import ConfigurationReport, GuestCommand, GuestTattoos
from shared.ports.image_building import (
    BuildLogs,
    CopiedLogs,
    ImageBuilder,
    Marketplace,
    TemplateSpec,
    TemplateStatus,
)
from shared.ports.image_records import (
    Channels,
    ImageVersions,
    Reading,
    RecentVersions,
    SourceRecord,
    Sources,
)
from shared.ports.operation_records import (
    RECEIPT_LIFE,
    Audit,
    AuditEntry,
    Parked,
    ParkedMessage,
    Receipt,
    Receipts,
)
from shared.ports.outlets import Note, Notifier, Outbox
from shared.ports.policy_states import PolicyPage, PolicyRow, PolicyStates, PolicySweeps
from shared.ports.snapshots import Progress, Snapshots
from shared.ports.subscriptions import Subscriptions
from shared.ports.sweeps import (
    MachinesPage,
    ResourceGraph,
    ShownSubscription,
    ShownSubscriptions,
    SweepReport,
    Sweeps,
)
from shared.ports.values import Definitions, Pace, Page, Stored, every
from shared.ports.verification_vms import MachineStatus, RunCommandStatus, VerificationVms
from shared.ports.vm_records import (
    MACHINES,
    RANKS,
    LinesPage,
    VmEntry,
    VmFilter,
    Vms,
)

__all__ = [
    "MACHINES",
    "RANKS",
    "RECEIPT_LIFE",
    "Attestations",
    "Audit",
    "AuditEntry",
    "BuildCapacity",
    "BuildLogs",
    "BuildSlots",
    "Builds",
    "Channels",
    "ConfigurationReport",
    "CopiedLogs",
    "DefinitionStates",
    "Definitions",
    "Evidence",
    "Export",
    "ExportFiles",
    "ExportForm",
    "ExportWhat",
    "Exports",
    "FileState",
    "Fleet",
    "FleetRow",
    "Gallery",
    "GalleryVersion",
    "GuestCommand",
    "GuestTattoos",
    "ImageBuilder",
    "ImageVersions",
    "LinesPage",
    "MachineStatus",
    "MachinesPage",
    "Marketplace",
    "Note",
    "Notifier",
    "Outbox",
    "Pace",
    "Page",
    "PageMark",
    "Parked",
    "ParkedMessage",
    "PolicyPage",
    "PolicyRow",
    "PolicyStates",
    "PolicySweeps",
    "Progress",
    "Publishing",
    "Reading",
    "Receipt",
    "Receipts",
    "RecentVersions",
    "Reception",
    "ResourceGraph",
    "RunCommandStatus",
    "ScaleSet",
    "ScaleSetModel",
    "ShownSubscription",
    "ShownSubscriptions",
    "Signer",
    "Snapshots",
    "SourceRecord",
    "Sources",
    "Stored",
    "Subscriptions",
    "SweepReport",
    "Sweeps",
    "TemplateSpec",
    "TemplateStatus",
    "VerificationVms",
    "VmEntry",
    "VmFilter",
    "Vms",
    "every",
]
