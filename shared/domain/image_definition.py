"""The image definition: one golden image we make, as data."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

from shared.domain.identifiers import digest
from shared.domain.release_rules import DEFAULT_CHANNELS, ChannelRule, RetentionRule

CUSTOMIZE = "customize"
"""What a repair answers when not a check but Image Builder's customization failed."""
VERIFY = "verify"
"""What a repair answers when it is for any check that failed."""


class OperatingSystem(StrEnum):
    """What the image runs."""

    LINUX = "linux"
    WINDOWS = "windows"


class CustomizerKind(StrEnum):
    """What Image Builder offers to change an image with."""

    SHELL = "shell"
    POWERSHELL = "powershell"
    WINDOWS_RESTART = "windows-restart"
    WINDOWS_UPDATE = "windows-update"


class ResultFormat(StrEnum):
    """How a check reports: by its exit code alone, or by what it prints."""

    EXIT_CODE = "exit-code"
    TAP = "tap"
    JUNIT = "junit"


class Severity(StrEnum):
    """Whether a failing check stops the release."""

    BLOCK = "block"
    WARN = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketplaceSource:
    """The Marketplace image a golden image is built from."""

    publisher: str
    offer: str
    sku: str

    @property
    def urn(self) -> str:
        """`publisher:offer:sku` in lower case: the key of this source everywhere."""
        return f"{self.publisher}:{self.offer}:{self.sku}".lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentSource:
    """Another golden image, as one of its channels shows it, to build this one from."""

    image: str
    """Name of the parent's definition."""
    channel: str

    @property
    def urn(self) -> str:
        """`image@channel`: the key of this source everywhere; no Marketplace URN holds an @."""
        return f"{self.image}@{self.channel}"


type Source = MarketplaceSource | ParentSource
"""What a golden image is built from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRegion:
    """A region the image version is replicated to."""

    name: str
    """Short name, for example `westeurope`."""
    replicas: int = 1
    max_replicas: int = 0
    """Up to so many when the fleet needs them; 0 means that the count stays as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customizer:
    """One change made to the image; *script* is the whole text, empty for built-in kinds."""

    name: str
    kind: CustomizerKind
    script: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One automated test of a candidate, run in a VM booted from the captured version."""

    name: str
    script: str
    results: ResultFormat = ResultFormat.EXIT_CODE
    severity: Severity = Severity.BLOCK
    timeout_seconds: int = 300
    retries: int = 0
    """How often it is run again when it did not pass; a pass after that counts as flaky."""
    source: bool = False
    """Whether it is also run in a VM of the bare source version, before anything is built."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """Extra customizers for the next attempt when one of the checks in *answers* failed."""

    name: str
    answers: tuple[str, ...]
    customizers: tuple[Customizer, ...]
    attempts: int = 1
    """In how many attempts it is tried before it counts as no help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageDefinition:
    """One golden image we make; a YAML file in `images/`, one gallery image definition."""

    name: str
    description: str
    os: OperatingSystem
    major: int
    source: Source
    publisher: str
    """Publisher, offer and sku of our own gallery image definition."""
    offer: str
    sku: str
    hyper_v_generation: str
    architecture: str
    security_type: str | None
    regions: tuple[TargetRegion, ...]
    customizers: tuple[Customizer, ...]
    checks: tuple[Check, ...]
    repairs: tuple[Repair, ...]
    boot_seconds: int
    """A candidate must have a ready VM agent within this time."""
    max_attempts: int
    build_vm_size: str
    verify_vm_size: str
    build_timeout_minutes: int
    verify_timeout_minutes: int
    channels: tuple[ChannelRule, ...] = DEFAULT_CHANNELS
    """In the order a release goes through them; the last one is what Azure's `latest` means."""
    end_of_life_days: int = 90
    """From the day a version is aged to its end of life."""
    block_deletion: bool = True
    """Whether Azure refuses to delete a version before its end of life."""
    retention: RetentionRule | None = None
    """None: no version is ever deleted."""
    pause_after: int = 3
    """This many builds in a row without a release pause the definition; 0 never does."""
    verify_source: bool = False
    """Whether the bare source version is booted and checked before anything is built from it."""

    @property
    def parent(self) -> ParentSource | None:
        """The golden image this one is built from; None when that is a Marketplace image."""
        return self.source if isinstance(self.source, ParentSource) else None

    def repairs_named(self, names: tuple[str, ...]) -> tuple[Repair, ...]:
        """Return the repairs called *names*, in the order of the definition."""
        return tuple(r for r in self.repairs if r.name in names)

    def customizers_with(self, repairs: tuple[str, ...]) -> tuple[Customizer, ...]:
        """Return every customizer of an attempt: the definition's, then those of *repairs*.

        A repair that answers a failed customization goes first: behind the customizer that
        failed it would never run.
        """
        named = self.repairs_named(repairs)
        first = (c for r in named if CUSTOMIZE in r.answers for c in r.customizers)
        last = (c for r in named if CUSTOMIZE not in r.answers for c in r.customizers)
        return (*first, *self.customizers, *last)


def customization_digest(definition: ImageDefinition, repairs: tuple[str, ...] = ()) -> str:
    """Return the digest over customizers, checks and the *repairs* in force.

    Whatever changes what ends up in the image, or how it is judged, changes the digest.
    """
    parts = {
        "customizers": [asdict(c) for c in definition.customizers_with(repairs)],
        "checks": [asdict(c) for c in definition.checks],
        "boot_seconds": definition.boot_seconds,
        "generation": [definition.hyper_v_generation, definition.architecture],
        "major": definition.major,
    }
    return digest(json.dumps(parts, sort_keys=True))


_LATER = {
    "description", "regions", "channels", "end_of_life_days", "block_deletion", "retention",
    "pause_after",
}  # fmt: skip
"""What of a definition bears on no build."""


def definition_digest(definition: ImageDefinition) -> str:
    """Return the digest over all that *definition* says, scripts and repairs too.

    Whatever changes in what an image is, or how it is made and judged, makes another build. What
    is done with a version after its release, and the description, is left out.
    """
    parts = {name: value for name, value in asdict(definition).items() if name not in _LATER}
    return digest(json.dumps(parts, sort_keys=True, default=str))


def build_id(definition: ImageDefinition, source_version: str, *, force: str = "") -> str:
    """Return the identity of a build: the same inputs are the same build.

    *force* is the token of a request that wants a build of its own; empty means none does.
    The id is at most 53 characters, so that Azure names made from it stay under 64.
    """
    key = digest(
        definition.name, definition.source.urn, source_version, definition_digest(definition),
        force,
    )  # fmt: skip
    return f"{definition.name}-{key[:12]}"
