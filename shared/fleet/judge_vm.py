"""judge_vm: judge the VMs of one page again by what the register says of their images now."""

from datetime import datetime

from shared.fleet.catalog import Catalog
from shared.fleet.record import Change, judged_again
from shared.fleet.register import all_of, judge_image, write
from shared.messages import JudgeVm, Message
from shared.ports import Definitions, Gallery, ImageVersions, Stored, VmEntry, Vms


async def judge_vm(
    command: JudgeVm,
    *,
    vms: Vms,
    image_versions: ImageVersions,
    gallery: Gallery,
    definitions: Definitions,
    now: datetime,
) -> list[Message]:
    """Judge each VM and save those that come off differently than before.

    The records are loaded before the versions: whoever judged a VM by newer versions than ours
    wrote it after we loaded it, and our own writing is then refused.
    """
    catalog = Catalog(definitions=definitions, gallery=gallery, image_versions=image_versions)
    entries = await all_of(vms.get(key) for key in command.vm_keys)

    async def one(stored: Stored[VmEntry]) -> list[Message]:
        change = await _change(stored.value, catalog, now=now, because=command.because)
        return await write(stored, change, vms=vms, now=now, because=command.because)

    said = await all_of(one(stored) for stored in entries)
    return [message for messages in said for message in messages]


async def _change(entry: VmEntry, catalog: Catalog, *, now: datetime, because: str) -> Change:
    if entry.record is None:
        return Change(entry)
    judged = await judge_image(entry.record.image, entry.record.region, catalog)
    return judged_again(entry, judged, now=now, because=because)
