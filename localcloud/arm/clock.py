"""The time dial: what time it is in the simulated cloud, and how long things take there."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from localcloud.arm.errors import SimulatorStateError

# How long Azure takes, in seconds. Recorded in Azure CLI, PowerShell and SDK test recordings
# unless the line says otherwise.
DURATIONS: dict[str, float] = {
    "template_create": 34,  # 11 s (failing) to 63 s
    "template_update": 1,  # 0 to 4 s
    "template_delete": 110,  # 78 to 140 s
    # One run: 58 recorded, median 903 s. The shares of the phases are an estimate.
    "run_queued": 30,
    "run_building": 260,
    "run_customizing": 260,
    "run_optimizing": 120,  # only where the template asks for it
    "run_validating": 90,  # only where the template asks for it
    "run_distributing": 353,
    "run_canceling": 60,  # estimate
    "gallery": 1,
    "gallery_image": 1,
    "version_write": 420,  # 150 to 421 s
    "version_delete": 91,
    "replication": 240,  # estimate: a region is done within the version's own write
    "vm_write": 40,  # estimate
    "vm_update": 10,  # estimate
    "vm_delete": 60,  # estimate
    "vm_action": 30,  # estimate
    "disk": 5,  # estimate
    "managed_image": 30,  # estimate
    "run_command_start": 5,  # estimate
    "run_command": 10,  # estimate
    "scale_set": 427,
    "scale_set_action": 60,  # estimate
    "policy_scan": 570,
}


class Dial(StrEnum):
    """How simulated time passes."""

    IMMEDIATE = "immediate"  # real time, but everything asynchronous is done by the next look
    SCALED = "scaled"  # real time, and everything takes its duration divided by a factor
    MANUAL = "manual"  # time stands still until it is advanced


class Clock:
    """The one source of time; `factor` says how much quicker than in Azure things happen.

    Except on the manual dial, `now` is the time everybody else has: clients compare the times they
    are told with clocks of their own.
    """

    def __init__(
        self, dial: Dial = Dial.IMMEDIATE, *, factor: float = 1.0, start: datetime | None = None
    ) -> None:
        if factor <= 0:
            raise SimulatorStateError(f"The time factor must be above 0, not {factor}.")
        self.dial = dial
        self.factor = factor if dial is Dial.SCALED else 1.0
        self._real_start = datetime.now(UTC)
        self._start = start or self._real_start
        self._offset = timedelta(0)

    def now(self) -> datetime:
        """The time in the simulated cloud, aware (UTC)."""
        if self.dial is Dial.MANUAL:
            return self._start + self._offset
        return self._start + (datetime.now(UTC) - self._real_start) + self._offset

    def jump(self, step: timedelta) -> None:
        """Move the clock forward; raises SimulatorStateError for a step backwards."""
        if step < timedelta(0):
            raise SimulatorStateError("Simulated time cannot run backwards.")
        self._offset += step

    def duration(self, name: str) -> timedelta:
        """How long the named thing takes on this dial (zero where all is immediate)."""
        if self.dial is Dial.IMMEDIATE:
            return timedelta(0)
        return self.span(DURATIONS[name])

    def span(self, seconds: float) -> timedelta:
        """How long something that takes *seconds* in Azure takes on this dial."""
        return timedelta(seconds=seconds / self.factor)

    def real_seconds_until(self, moment: datetime) -> float | None:
        """Real seconds until a simulated moment; None when only advancing can bring it."""
        if self.dial is Dial.MANUAL:
            return 0.0 if moment <= self.now() else None
        return max(0.0, (moment - self.now()).total_seconds())
