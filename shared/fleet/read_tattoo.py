"""read_tattoo: read the tattoo in the guest of a VM that opted in, look by look, and compare it."""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.fleet_policy import FleetPolicy
from shared.domain.image_definition import OperatingSystem
from shared.domain.tattoo_reading import (
    BY_COMMAND,
    BY_CONFIGURATION,
    Found,
    Held,
    from_command,
    from_configuration,
    is_fresh,
    is_news,
    may_read,
    reading_of,
)
from shared.domain.vm_record import Machine, VmRecord
from shared.errors import NotFoundError, NotReadyError, RefusedError
from shared.fleet.record import tattoo_read
from shared.messages import Announcement, Delayed, Message, ReadTattoo
from shared.ports import (
    Gallery,
    GuestCommand,
    GuestTattoos,
    ImageVersions,
    Pace,
    RunCommandStatus,
    Vms,
)

MOST_LOOKS = 6
"""How often a run command is looked at again. Each wait is twice the last, from `Pace.look` on: one
that never ends costs seven reads in about an hour, few enough even where messages come twice."""


async def read_tattoo(
    command: ReadTattoo,
    *,
    vms: Vms,
    image_versions: ImageVersions,
    gallery: Gallery,
    guest_tattoos: GuestTattoos,
    fleet_policy: FleetPolicy,
    pace: Pace,
    now: datetime,
) -> list[Message]:
    """Take what machine configuration reported, else run a command in the guest and read it later.

    The command is removed before the reading is saved, so none is left behind; who dies between
    the two reads once more. A VM that cannot be read is written down as that, with the reason, and
    is tried again when it is next due.
    """
    stored = await vms.get(command.vm_key)
    record = stored.value.record
    if record is None or record.deleted_at is not None:
        return []
    if not may_read(record, fleet_policy):
        await guest_tattoos.remove(record.resource_id)  # it opted out on the way
        return []
    if record.tattoo and record.tattoo.read_at >= command.started_at:
        # Another delivery was faster: it removed the command, which ours may have started anew.
        if await guest_tattoos.result(record.resource_id):
            await guest_tattoos.remove(record.resource_id)
        return _news(record)
    look = _Look(record, guest_tattoos, fleet_policy, pace, now)
    try:
        seen = await look.take(last=command.looks >= MOST_LOOKS)
    except NotFoundError:
        return []  # the VM has just gone: its own event tells
    except (RefusedError, NotReadyError) as error:
        seen = _Seen(Found(unreadable=str(error)), BY_COMMAND, now)
    if seen is None:
        again = replace(command, looks=command.looks + 1)
        return [Delayed(command=again, delay=pace.look * 2**command.looks)]
    held = await _held(record, image_versions, gallery) if seen.found.facts else Held()
    reading = reading_of(record, seen.found, held, by=seen.by, at=seen.at)
    change = tattoo_read(stored.value, reading, now=now)
    await vms.save(stored, change.entry, change.lines)
    return _news(change.entry.record or record)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look brought, how, and when the guest was looked into."""

    found: Found
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at the tattoo of one VM."""

    record: VmRecord
    tattoos: GuestTattoos
    policy: FleetPolicy
    pace: Pace
    now: datetime

    async def take(self, *, last: bool) -> _Seen | None:
        """Return what is found; None while the guest is at it, unless this is the *last* look."""
        running = await self.tattoos.result(self.record.resource_id)
        found: Found | None = None
        if running is None and not last:
            return await self._reported() or await self._start()
        if running and self._counts(running) and running.status.finished:
            found = _read(running.status)
        elif last:
            found = Found(
                unreadable=f"the guest did not answer in {self.pace.look * 2**MOST_LOOKS}: it has "
                "no VM agent, or the agent does not run"
            )
        if running and (found or not self._counts(running)):
            await self.tattoos.remove(self.record.resource_id)
        return _Seen(found, BY_COMMAND, self.now) if found else None

    def _counts(self, running: GuestCommand) -> bool:
        """Tell whether a command is of this reading, or of one just as good.

        One that was left behind long ago, or was started in the image before, is not.
        """
        oldest = self.now - self.pace.look * 2 ** (MOST_LOOKS + 1)
        began = self.record.runs_since or self.record.first_seen_at
        return running.started_at is not None and running.started_at >= max(oldest, began)

    async def _reported(self) -> _Seen | None:
        """Return what machine configuration says, if that is of now and says enough.

        Instances of Uniform scale sets share one assignment, which tells nothing of each.
        """
        if self.record.machine is Machine.UNIFORM:
            return None
        report = await self.tattoos.machine_configuration(self.record.resource_id)
        if report is None or not is_fresh(self.record, report.checked_at, self.now, self.policy):
            return None
        found = from_configuration(report.reasons)
        return _Seen(found, BY_CONFIGURATION, report.checked_at) if found else None

    async def _start(self) -> _Seen | None:
        try:
            os = OperatingSystem(self.record.os)
        except ValueError:
            unknown = Found(unreadable="Azure does not say which operating system the VM has")
            return _Seen(unknown, BY_COMMAND, self.now)
        await self.tattoos.start(
            self.record.resource_id, os=os, region=self.record.region, now=self.now
        )
        return None


def _read(status: RunCommandStatus) -> Found:
    if status.timed_out:
        return Found(unreadable="the script did not end in its time")
    if status.failure:
        return Found(unreadable=f"Azure could not run the script: {status.failure}")
    return from_command(status.exit_code, status.output, status.error)


async def _held(record: VmRecord, image_versions: ImageVersions, gallery: Gallery) -> Held:
    """Return what register and gallery hold on the version a VM runs."""
    if not record.definition or not record.image.version:
        return Held()
    row = await image_versions.get(record.definition, record.image.version)
    if row is None:
        return Held()
    version = await gallery.version(record.image.image_id, record.image.version)
    return Held(register=row.value.tattoo, tags=version.tags if version else None)


def _news(record: VmRecord) -> list[Message]:
    """Return what is to be announced of the reading; again when it was, under the same id."""
    reading = record.tattoo
    if reading is None or not is_news(reading):
        return []
    return [
        Announcement(
            name="TattooMismatch",
            subject=f"vms/{record.key}",
            key=f"{record.key}/{reading.read_at.isoformat()}",
            data={
                "vm": record.resource_id,
                "team": record.team,
                "state": str(reading.state),
                "image": record.image.image_id,
                "version": reading.version,
                "differences": list(reading.differences),
                "by": reading.by,
                "asOf": reading.read_at.isoformat(),
            },
        )
    ]
