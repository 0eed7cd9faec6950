"""Reckons what a fleet asks of one storage account, from a generated fleet and the product's keys.

    python tools/capacity.py [--vms 1000000] [--events 2000]

The figures of docs/capacity.md are what this prints.
"""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from shared.domain.history import Transition
from shared.domain.identifiers import vm_key
from shared.domain.vm_record import (
    Boot,
    Image,
    Kind,
    LineageSource,
    Rule,
    Verdict,
    VmRecord,
)
from shared.records.entities import entity_bytes, pack
from shared.records.vm_history import SHARDS, scopes_of, transition_row
from shared.records.vm_index import ADAPTER, filter_columns, row_keys
from shared.records.vm_index import SHARDS as INDEX_SHARDS
from shared.records.vm_rows import lines_of

ACCOUNT_LIMIT = 20_000
"""Requests a second one storage account takes."""
PARTITION_LIMIT = 2_000
"""Entities a second one partition takes ("Scalability and performance targets for Table storage",
Microsoft Learn); both hold for entities of 1 KiB."""
SUBSCRIPTION_WRITES = 150
"""Writes a second Azure Resource Manager takes for one subscription: 10 for each principal, fifteen
times that for all ("Understand how Azure Resource Manager throttles requests", Microsoft Learn)."""

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TEAMS, SUBSCRIPTIONS, IMAGES, VERSIONS = 200, 100, 6, 10
_GALLERY = (
    "/subscriptions/00000000-0000-4000-8000-000000000001/resourcegroups/rg-assay/providers"
    "/microsoft.compute/galleries/assay/images"
)
REQUESTS = {
    "an event that changes nothing": (1, 0),
    "a policy state": (1, 1),
    "a changed verdict": (1, 7),
    "a new VM": (1, 7),
    "a VM with another team and image": (1, 11),
}
"""Reads and writes of tables; tests/contract/records/test_vm_index.py counts the writes."""


def a_machine(number: int, dice: random.Random) -> VmRecord:
    """Return VM *number* of a fleet in which few teams own many VMs, and most run one version."""
    team = f"team-{min(int(dice.paretovariate(1.2)), TEAMS)}"
    subscription = f"00000000-0000-4000-8000-{number % SUBSCRIPTIONS:012d}"
    name = f"{team}-vm-{number:07d}"
    resource_id = (
        f"/subscriptions/{subscription}/resourcegroups/rg-{team}-{number % 40}"
        f"/providers/microsoft.compute/virtualmachines/{name}"
    )
    definition = f"image-{min(int(dice.paretovariate(1.5)), IMAGES)}"
    behind = min(int(dice.paretovariate(1.5)) - 1, VERSIONS - 1)
    image_id = f"{_GALLERY}/{definition}"
    version = f"1.20261{122 - behind}.1"
    aged = behind > 0
    reason = (
        f"Version {version} of {definition} is behind by {behind} released versions in westeurope; "
        "redeploy from 1.20261122.1."
    )
    return VmRecord(
        key=vm_key(resource_id),
        resource_id=resource_id,
        name=name,
        subscription_id=subscription,
        resource_group=f"rg-{team}-{number % 40}",
        region="westeurope",
        image=Image(image_id=image_id, version=version, source=LineageSource.IMAGE_REFERENCE),
        definition=definition,
        team=team,
        kind=Kind.PET,
        verdict=Verdict.AGED if aged else Verdict.CURRENT,
        rule=Rule.BEHIND if aged else Rule.NEWEST,
        reason=reason if aged else f"Version {version} of {definition} is the newest.",
        policy="compliant",
        first_seen_at=NOON,
        changed_at=NOON,
        as_of=NOON,
        since=NOON if aged else None,
        behind=behind,
        newest="1.20261122.1" if aged else "",
        image_published_at=NOON,
        runs_since=NOON,
        due_at=NOON + timedelta(days=30) if aged else None,
        plan_due_at=NOON + timedelta(days=365),
        policy_as_of=NOON,
        created_at=NOON,
        os="linux",
        boot=Boot(reference=f"{image_id}@{version}", os_disk_id=f"{resource_id}_osdisk_1_0123456"),
        labels={"team": team},
        transitions=2,
    )


def fleet(size: int) -> Iterator[VmRecord]:
    """Yield a fleet, the same one every time."""
    dice = random.Random(1)  # noqa: S311 - a fleet to reckon with, no secret
    return (a_machine(number, dice) for number in range(size))


def kind_of(partition: str) -> str:
    """Return which sort of partition a key names."""
    return partition.partition("|")[0]


def spread(size: int) -> tuple[Counter[str], dict[str, Counter[str]]]:
    """Return the rows of each sort of index partition, and of every single partition."""
    partitions: dict[str, Counter[str]] = {}
    for record in fleet(size):
        for partition, _ in row_keys(record):
            partitions.setdefault(kind_of(partition), Counter())[partition] += 1
    return Counter({kind: sum(each.values()) for kind, each in partitions.items()}), partitions


def sizes(record: VmRecord) -> dict[str, int]:
    """Return the bytes of a VM's rows: its record, one copy of it in the index, a line."""
    row = pack(ADAPTER, record, partition=record.key, row="record", columns=filter_columns(record))
    said = Transition(what="verdict", old="current", new="aged", at=NOON, because="1 was published")
    line = lines_of(None, record, [said])[0]
    return {
        "record": entity_bytes(row),
        "line": entity_bytes(transition_row(line, scopes_of(record))),
    }


def report(size: int, events: int) -> Iterator[str]:
    """Yield the lines of the report."""
    rows, partitions = spread(size)
    yield f"A fleet of {size:,} VMs, {events:,} events a second"
    yield ""
    yield "rows of VmIndex            rows   partitions   fullest   share of its sort"
    for kind in sorted(partitions):
        fullest = max(partitions[kind].values())
        yield (
            f"  {kind:<14} {rows[kind]:>14,} {len(partitions[kind]):>12,} {fullest:>9,}"
            f" {fullest / rows[kind]:>10.2%}"
        )
    yield ""
    yield f"entities a second in one partition (limit {PARTITION_LIMIT:,}), every event a change"
    yield from (
        f"  {what:<38} {rate:>8,.1f}"
        for what, rate in (
            (f"of an image version or a team ({INDEX_SHARDS})", events / INDEX_SHARDS),
            (f"history of an image or a team ({SHARDS})", 2 * events / SHARDS),
            ("of a subscription (as ARM lets happen)", min(SUBSCRIPTION_WRITES, events)),
        )
    )
    yield ""
    yield f"requests a second to the account (limit {ACCOUNT_LIMIT:,})"
    for what, (reads, writes) in REQUESTS.items():
        total = (reads + writes) * events
        share = total / ACCOUNT_LIMIT
        yield f"  {what:<33} {reads} read {writes:>2} writes {total:>8,} {share:>6.0%}"
    yield ""
    bytes_of = sizes(next(fleet(1)))
    each = 4 * bytes_of["record"] + 3 * 2 * bytes_of["line"]
    yield f"bytes of a record: {bytes_of['record']:,}; of a VM with index and two lines: {each:,}"
    yield f"the whole fleet: {each * size / 1024**3:,.1f} GiB"


def main() -> int:
    """Print the report; return 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vms", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=2_000)
    asked = parser.parse_args()
    for line in report(asked.vms, asked.events):
        sys.stdout.write(f"{line}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
