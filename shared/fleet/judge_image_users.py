"""judge_image_users: have every VM judged again that a change of an image version concerns."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from itertools import batched

from shared.domain.fleet_policy import FleetPolicy
from shared.domain.identifiers import normalise_id
from shared.domain.verdict import concerned_up_to
from shared.domain.vm_record import VmRecord
from shared.fleet.catalog import Catalog
from shared.fleet.judge_vm import judged_anew
from shared.fleet.record import Lens
from shared.messages import Delayed, JudgeImageUsers, JudgeVm, Message
from shared.ports import Definitions, Gallery, Pace, RecentVersions, VmEntry, Vms

PAGE = 500
"""VMs looked at for one message: one read of the index."""
BATCH = 100
"""VMs in one message that follows: about 7 KB of keys, and a second or two of work."""


async def judge_image_users(
    command: JudgeImageUsers,
    *,
    vms: Vms,
    recent_versions: RecentVersions,
    gallery: Gallery,
    definitions: Definitions,
    fleet_policy: FleetPolicy,
    pace: Pace,
    now: datetime,
) -> list[Message]:
    """Return the judging of those VMs of one page that come off differently now.

    The index holds whole records, so nobody else costs a read or a message. The command follows
    for the pages after this one, and from its first page once more for a second look: a VM that
    was being written while the version changed may have been judged by what was before.

    Whom the change concerns is decided with the first page: a cursor is good for that list alone,
    and what changes between two pages has its own users judged.
    """
    image_id = normalise_id(command.image_id)
    definition = image_id.rpartition("/")[2]
    catalog = Catalog(
        definitions=definitions, gallery=gallery, recent_versions=recent_versions, sure=True
    )
    versions = await catalog.versions(definition)
    up_to = command.up_to
    if command.image_version and not command.cursor:
        up_to = concerned_up_to(command.image_version, versions)
    page = await vms.users_of_image(image_id, up_to=up_to, limit=PAGE, cursor=command.cursor)
    lens, messages = Lens(policy=fleet_policy), list[Message]()
    differing = [r.key for r in page.items if await _differs(r, catalog, lens, now)]
    messages += _judging(differing, command.because)
    if page.cursor:
        messages.append(replace(command, cursor=page.cursor, up_to=up_to))
    if not command.cursor and not command.second_look:
        again = replace(command, second_look=True)
        messages.append(Delayed(command=again, delay=pace.second_look))
    return messages


async def _differs(record: VmRecord, catalog: Catalog, lens: Lens, now: datetime) -> bool:
    entry = VmEntry(key=record.key, record=record)
    return (await judged_anew(entry, catalog, lens, now=now, because="")).entry != entry


def _judging(keys: Iterable[str], because: str) -> list[JudgeVm]:
    return [JudgeVm(vm_keys=some, because=because) for some in batched(keys, BATCH, strict=False)]
