"""The messages that start a build, carry it from phase to phase and end it."""

from dataclasses import dataclass
from typing import ClassVar

from shared.messages.base import Command

BY_EVENT = "source-version"
"""`requested_by` of builds that an upstream release asked for."""


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
class CleanUpBuild(Command):
    """Remove what a finished build left in Azure."""

    kind: ClassVar[str] = "clean_up_build"
    build_id: str
    looks: int = 0
    """How often it was looked at before."""
    guard: bool = False
    """Marks a repeat that comes back to see that the clean-up went on."""


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
