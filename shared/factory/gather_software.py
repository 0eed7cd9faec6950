"""Gathering the software report from a verification VM: started and read, part by part.

Nothing is remembered between two looks: every part is a run command of the VM, which keeps what it
printed for as long as the VM lives.
"""

import base64
import binascii
import zlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.domain.evidence import sha256
from shared.domain.image_definition import ImageDefinition
from shared.domain.software import SoftwareReport, read_listing
from shared.errors import NotFoundError
from shared.factory.software_reader import MARK, PART, TIMEOUT_SECONDS, software_reader
from shared.ports import RunCommandStatus, VerificationVms

MAX_PARTS = 40
"""150,000 characters, a list of some 10,000 packages."""
MAX_LISTING = 8 * 1024 * 1024
"""Bytes a list may unpack to."""
_HEADER_FIELDS = 3


@dataclass(frozen=True, slots=True)
class _Part:
    characters: int
    digest: str
    text: str
    ended_at: datetime | None

    @property
    def parts(self) -> int:
        """How many parts the whole has."""
        return -(-self.characters // PART)


def part_name(part: int) -> str:
    """Return the name of the run command that prints a part."""
    return f"software-{part}"


async def start_software_report(
    vms: VerificationVms, vm_name: str, definition: ImageDefinition
) -> None:
    """Ask for the first part; it says how many there are."""
    await _start(vms, vm_name, definition, 1)


async def gather_software(
    vms: VerificationVms, vm_name: str, definition: ImageDefinition
) -> SoftwareReport | None:
    """Return the report; None while parts of it are still to come, which are asked for.

    Raises ValueError, with a sentence, when the guest's answer cannot be read.
    """
    first = await _read(vms, vm_name, definition, 1)
    if first is None:
        return None
    others = [await _read(vms, vm_name, definition, n) for n in range(2, first.parts + 1)]
    parts = [first, *(part for part in others if part)]
    return _report(parts) if len(parts) == first.parts else None


async def _start(
    vms: VerificationVms, vm_name: str, definition: ImageDefinition, part: int
) -> None:
    script = software_reader(definition.os, part)
    with suppress(NotFoundError):  # a VM that has just gone is the next look's matter
        await vms.start_command(
            vm_name, part_name(part), script, definition, timeout_seconds=TIMEOUT_SECONDS
        )


async def _read(
    vms: VerificationVms, vm_name: str, definition: ImageDefinition, part: int
) -> _Part | None:
    status = await vms.command_status(vm_name, part_name(part))
    if status is None:
        await _start(vms, vm_name, definition, part)
        return None
    return _part(status) if status.finished else None


def _part(status: RunCommandStatus) -> _Part:
    if status.failure or status.timed_out or status.exit_code != 0:
        ended = "it did not end in time" if status.timed_out else f"exit code {status.exit_code}"
        said = status.failure or f"{ended}: {status.error.strip()[-300:]}"
        raise ValueError(f"the list of software could not be made ({said})")
    header, _, text = status.output.partition("\n")
    words = header.split()
    if len(words) != _HEADER_FIELDS or words[0] != MARK or not words[1].isdigit():
        raise ValueError(f"the guest printed no list of software but {status.output[:80]!r}")
    part = _Part(int(words[1]), words[2], "".join(text.split()), status.ended_at)
    if not 0 < part.parts <= MAX_PARTS:
        raise ValueError(f"the list of software has {part.characters} characters")
    return part


def _report(parts: list[_Part]) -> SoftwareReport:
    first, text = parts[0], "".join(p.text for p in parts)
    if any(p.digest != first.digest for p in parts) or sha256(text.encode()) != first.digest:
        raise ValueError("the parts of the list of software do not fit together")
    try:
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)  # 16: with a gzip header
        listing = unpacker.decompress(base64.b64decode(text, validate=True), MAX_LISTING)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"the list of software cannot be unpacked ({error})") from error
    if not unpacker.eof:
        raise ValueError(f"the list of software is longer than {MAX_LISTING:,} bytes, or cut off")
    at = first.ended_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if first.ended_at else ""
    return read_listing(listing.decode(errors="replace"), collected_at=at)
