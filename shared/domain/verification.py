"""A verification: one run of all checks on a VM booted from the captured version."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.failure import Failure
from shared.domain.image_definition import Severity

BOOT = "boot"
"""Ready-made check: the VM is provisioned and its agent ready within the definition's time."""
AGENT = "vm-agent"
"""Ready-made check: the VM agent, which Azure needs to act in the guest, is there and answers."""
TATTOO = "tattoo"
"""Ready-made check: the tattoo read back in the guest says what the register says."""
SOFTWARE = "software"
"""Ready-made check: the guest can say what is installed in it."""


class Outcome(StrEnum):
    """How one check ended."""

    PASSED = "passed"
    FAILED = "failed"
    FLAKY = "flaky"
    """It passed, but not at the first run."""
    ERRORED = "errored"
    """It could not be judged: timed out, or printed what cannot be read."""


class Stage(StrEnum):
    """Where a verification stands."""

    BOOTING = "booting"
    CHECKING = "checking"
    REMOVING = "removing"
    """Every result is in; the VM is being deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """How one check ended; *detail* is at most 1,000 characters of what it said."""

    name: str
    outcome: Outcome
    severity: Severity = Severity.BLOCK
    detail: str = ""
    seconds: float | None = None
    runs: int = 1
    """How often it was run until it ended like this."""

    @property
    def blocks(self) -> bool:
        """Whether this result stops the release."""
        passed = self.outcome in (Outcome.PASSED, Outcome.FLAKY)
        return not passed and self.severity is Severity.BLOCK


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The state of one verification; *deadline* ends the wait for boot and checks."""

    vm_name: str
    started_at: datetime
    deadline: datetime
    stage: Stage = Stage.BOOTING
    results: tuple[CheckResult, ...] = ()
    reruns: tuple[CheckResult, ...] = ()
    """Results of runs after which the check was run once more, in order."""
    failure: Failure | None = None
    """Why nothing could be verified, when that is no fault of the image."""

    def runs_of(self, check: str) -> int:
        """Return how often *check* was started, the first time included."""
        return 1 + sum(1 for r in self.reruns if r.name == check)

    def with_results(self, *results: CheckResult) -> "Verification":
        """Return this verification with *results* added, replacing those of the same name."""
        names = {r.name for r in results}
        kept = tuple(r for r in self.results if r.name not in names)
        return replace(self, results=(*kept, *results))

    @property
    def failed_checks(self) -> tuple[str, ...]:
        """Names of the checks that stop the release, in the order they ended."""
        return tuple(r.name for r in self.results if r.blocks)
