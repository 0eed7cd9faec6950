"""judge_vm: judge the VMs of one page again by what the register says of their images now."""

from datetime import datetime

from shared.domain.attestation import AttestationRules
from shared.domain.fleet_policy import FleetPolicy
from shared.fleet.attesting import joined
from shared.fleet.catalog import Catalog
from shared.fleet.record import Change, Lens
from shared.fleet.register import all_of, judge_image, write
from shared.messages import JudgeVm, Message
from shared.ports import Definitions, Gallery, RecentVersions, Stored, VmEntry, Vms


async def judge_vm(
    command: JudgeVm,
    *,
    vms: Vms,
    recent_versions: RecentVersions,
    gallery: Gallery,
    definitions: Definitions,
    fleet_policy: FleetPolicy,
    attestation_rules: AttestationRules,
    now: datetime,
) -> list[Message]:
    """Judge each VM and save those that come off differently than before.

    The records are loaded before the versions: whoever judged a VM by newer versions than ours
    wrote it after we loaded it, and our own writing is then refused.
    """
    catalog = Catalog(
        definitions=definitions, gallery=gallery, recent_versions=recent_versions, sure=True
    )
    lens = Lens(policy=fleet_policy)
    entries = await all_of(vms.get(key) for key in command.vm_keys)

    async def one(stored: Stored[VmEntry]) -> list[Message]:
        change = await judged_anew(stored.value, catalog, lens, now=now, because=command.because)
        return await write(
            stored,
            change,
            vms=vms,
            attestation_rules=attestation_rules,
            now=now,
            because=command.because,
        )

    return joined(await all_of(one(stored) for stored in entries))


async def judged_anew(
    entry: VmEntry, catalog: Catalog, lens: Lens, *, now: datetime, because: str
) -> Change:
    """Return what becomes of *entry* when its image is judged by what the catalog says."""
    if entry.record is None:
        return Change(entry)
    record = entry.record
    judged = await judge_image(record.image, record.region, catalog, record.machine)
    return lens.judged_again(entry, judged, now=now, because=because)
