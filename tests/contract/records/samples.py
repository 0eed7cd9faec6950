"""Records to store, and lists read to their end."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.build import Attempt, Build
from shared.domain.failure import Failure, FailureClass
from shared.domain.history import Transition
from shared.domain.image_version import ImageVersion, VersionState
from shared.domain.verification import CheckResult, Outcome, Verification
from shared.domain.vm_record import Image, Kind, LineageSource, PolicyState, Verdict, VmRecord
from shared.ports import Page, ParkedMessage, SourceRecord, Stored, VmEntry
from shared.records.records import Records
from tests.fakes.records import MemoryRecords

type AnyRecords = Records | MemoryRecords

NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
OTHER_SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"
IMAGE = (
    f"/subscriptions/{SUBSCRIPTION}/resourcegroups/images/providers/microsoft.compute"
    "/galleries/golden/images/ubuntu-2204"
)
MARKETPLACE = "canonical:ubuntu-24_04-lts:server"


def a_build(build_id: str = "ubuntu-2204-abc", *, minutes: int = 0, **changes: Any) -> Build:
    """A build with every kind of field filled in, created *minutes* after noon."""
    created = NOON + timedelta(minutes=minutes)
    verification = Verification(
        vm_name="verify-1",
        started_at=created,
        deadline=created + timedelta(hours=1),
        results=(CheckResult(name="ssh", outcome=Outcome.FAILED, detail="nein", seconds=1.5),),
    )
    attempt = Attempt(
        number=1,
        version="1.20261122.1",
        template="t-1",
        started_at=created,
        repairs=("fix-ssh",),
        failure=Failure(failure_class=FailureClass.CHECK, message="it broke"),
        verification=verification,
    )
    build = Build(
        id=build_id,
        definition="ubuntu-2204",
        image_id=IMAGE,
        source_urn="canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2",
        source_version="22.04.202611210",
        customization_digest="d",
        requested_by="http",
        forced=False,
        created_at=created,
        updated_at=created,
        attempts=(attempt,),
    )
    return replace(build, **changes)


def a_version(version: str, definition: str = "ubuntu-2204") -> ImageVersion:
    return ImageVersion(
        definition=definition,
        version=version,
        image_id=IMAGE,
        state=VersionState.CANDIDATE,
        build_id="b",
        attempt=1,
        source_urn="a:b:c",
        source_version="22.04.1",
        customization_digest="d",
        created_at=NOON,
        tattoo={"definition": definition, "version": version},
        regions=("westeurope", "northeurope"),
    )


def a_source(urn: str = "a:b:c", version: str = "1.0.0") -> SourceRecord:
    return SourceRecord(urn=urn, version=version, announced_at=None, checked_at=NOON)


def a_parked_message(message_id: str, text: str = "{}") -> ParkedMessage:
    return ParkedMessage(
        id=message_id, queue="track-vm", text=text, reason="unreadable", tries=5, parked_at=NOON
    )


def an_image(version: str = "1.20261122.1", image_id: str = IMAGE) -> Image:
    return Image(image_id=image_id, version=version, source=LineageSource.IMAGE_REFERENCE)


def a_key(name: str, subscription: str = SUBSCRIPTION) -> str:
    return f"{subscription}.{name}"


def a_vm(key: str, **changes: Any) -> VmRecord:
    name = key.rpartition(".")[2]
    record = VmRecord(
        key=key,
        resource_id=f"/subscriptions/x/{name}",
        name=name,
        subscription_id=key.partition(".")[0],
        resource_group="rg",
        region="westeurope",
        image=an_image(),
        definition="ubuntu-2204",
        team="web",
        kind=Kind.PET,
        verdict=Verdict.CURRENT,
        reason="it runs the newest version",
        policy="",
        first_seen_at=NOON,
        changed_at=NOON,
        as_of=NOON,
    )
    return replace(record, **changes)


def a_state(assignment: str = "a1", state: str = "compliant", minutes: int = 0) -> PolicyState:
    return PolicyState(
        assignment_id=assignment,
        definition_id="d1",
        reference_id="",
        state=state,
        timestamp=NOON + timedelta(minutes=minutes),
    )


def a_transition(old: str, new: str, what: str = "verdict") -> Transition:
    return Transition(what=what, old=old, new=new, at=NOON, because="a test says so")


async def save_vm(records: AnyRecords, record: VmRecord) -> None:
    """Bring a VM to *record*, whatever it was."""
    old = await records.vms.get(record.key)
    await records.vms.save(old, replace(old.value, record=record))


async def change_vm(records: AnyRecords, key: str, **changes: Any) -> None:
    """Change some of what is stored of a VM."""
    old = await records.vms.get(key)
    assert old.value.record is not None
    record = replace(old.value.record, **changes)
    await records.vms.save(old, replace(old.value, record=record))


def an_entry(record: VmRecord) -> tuple[Stored[VmEntry], VmEntry]:
    """What a first save of *record* takes."""
    return Stored(VmEntry(key=record.key)), VmEntry(key=record.key, record=record)


async def pages[T](read: Callable[[str], Awaitable[Page[T]]]) -> list[tuple[T, ...]]:
    """Read a list to its end; an empty last page is left out."""
    found, cursor = [], ""
    for _ in range(100):
        page = await read(cursor)
        found.append(page.items)
        cursor = page.cursor
        if not cursor:
            return [items for items in found if items]
    raise AssertionError("the list never ends")
