"""A fleet, a gallery and a register in memory, and the steps that track VMs in them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.attestation import AttestationRules
from shared.domain.fleet_policy import FleetPolicy
from shared.domain.history import Transition
from shared.domain.identifiers import vm_key
from shared.domain.image_version import VersionState
from shared.domain.vm_record import VmFacts, VmRecord
from shared.fleet.judge_image_users import judge_image_users
from shared.fleet.judge_vm import judge_vm
from shared.fleet.record_policy_state import record_policy_state
from shared.fleet.track_image_version import track_image_version
from shared.fleet.track_vm import track_vm
from shared.messages import (
    Announcement,
    JudgeImageUsers,
    JudgeVm,
    Message,
    RecordPolicyState,
    TrackImageVersion,
    TrackVm,
)
from shared.ports import Pace
from shared.records.recent_versions import RememberedVersions
from tests.fakes.definitions import ubuntu
from tests.fakes.fleet import FakeFleet, instance_facts, vm_facts
from tests.fakes.gallery import GALLERY, FakeGallery
from tests.fakes.records import MemoryRecords
from tests.fakes.versions import put_version

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PACE = Pace(
    look=timedelta(seconds=60),
    grace=timedelta(seconds=120),
    retry=timedelta(minutes=30),
    blind=timedelta(minutes=30),
)
NAME = "ubuntu-22-04"
IMAGE_ID = f"{GALLERY}/images/{NAME}"


@dataclass
class Register:
    """Everything the steps of the track flow need; *now* is the clock."""

    fleet: FakeFleet = field(default_factory=FakeFleet)
    gallery: FakeGallery = field(default_factory=FakeGallery)
    records: MemoryRecords = field(default_factory=MemoryRecords)
    now: datetime = NOON

    def __post_init__(self) -> None:
        self.definitions = {NAME: ubuntu()}
        self.fleet_policy = FleetPolicy()
        self.attestation_rules = AttestationRules()
        self.vms: Any = self.records.vms
        self.image_versions: Any = self.records.image_versions
        self.memory = RememberedVersions(_Versions(self), pace=PACE, clock=lambda: self.now)

    def wait(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    def runs(self, version: str, name: str = "vm-1", **more: Any) -> str:
        """Let a VM run *version* of our image; return its id."""
        return self.fleet.put(vm_facts(name, image_id=IMAGE_ID, version=version, **more))

    def instance(self, number: int, version: str) -> VmFacts:
        facts = instance_facts("api", number, image_id=IMAGE_ID, version=version)
        self.fleet.put(facts)
        return facts

    async def release(
        self, version: str, state: VersionState = VersionState.RELEASED, **changes: Any
    ) -> None:
        """Write *version* into the register, in place of what is there."""
        await put_version(
            self.records.image_versions,
            version,
            image_id=IMAGE_ID,
            now=self.now,
            **{"state": state, **changes},
        )

    async def track(self, resource_id: str) -> list[Message]:
        return await track_vm(
            TrackVm(resource_id=resource_id),
            fleet=self.fleet,
            vms=self.vms,
            recent_versions=self.memory,
            gallery=self.gallery,
            definitions=self.definitions,
            subscriptions=self.records.subscriptions,
            fleet_policy=self.fleet_policy,
            attestation_rules=self.attestation_rules,
            now=self.now,
        )

    async def say(self, command: RecordPolicyState) -> list[Message]:
        return await record_policy_state(
            command, vms=self.vms, attestation_rules=self.attestation_rules, now=self.now
        )

    async def judge(self, keys: Iterable[str], because: str = "version 1.2.0 was published") -> list[Message]:  # fmt: skip  # noqa: E501
        return await judge_vm(
            JudgeVm(vm_keys=tuple(keys), because=because),
            vms=self.vms,
            recent_versions=self.memory,
            gallery=self.gallery,
            definitions=self.definitions,
            fleet_policy=self.fleet_policy,
            attestation_rules=self.attestation_rules,
            now=self.now,
        )

    async def judge_users(self, version: str = "", **more: Any) -> list[Message]:
        """Have the users judged that a change of *version* concerns; a second look, unless told."""
        command = JudgeImageUsers(
            image_id=IMAGE_ID,
            image_version=version,
            because="version 1.2.0 was published",
            **{"second_look": True, **more},
        )
        return await judge_image_users(
            command,
            vms=self.vms,
            recent_versions=self.memory,
            gallery=self.gallery,
            definitions=self.definitions,
            fleet_policy=self.fleet_policy,
            pace=PACE,
            now=self.now,
        )

    async def track_version(self, resource_id: str) -> list[Message]:
        return await track_image_version(
            TrackImageVersion(resource_id=resource_id),
            image_versions=self.image_versions,
            gallery=self.gallery,
            definitions=self.definitions,
            now=self.now,
        )

    async def record(self, resource_id: str) -> VmRecord:
        """Return the record of a VM that must be known."""
        found = (await self.records.vms.get(vm_key(resource_id))).value.record
        assert found is not None
        return found

    async def known(self, resource_id: str) -> bool:
        return (await self.records.vms.get(vm_key(resource_id))).value.record is not None

    async def history(self, resource_id: str) -> list[Transition]:
        return [n.transition for n in await self.records.vms.lines(vm_key(resource_id))]

    async def lines(self, resource_id: str) -> list[tuple[str, str, str]]:
        """Return the history as (what, old, new)."""
        return [(line.what, line.old, line.new) for line in await self.history(resource_id)]


class _Versions:
    """The versions the register holds at the moment, whoever stands in for it."""

    def __init__(self, register: Register) -> None:
        self._register = register

    def __getattr__(self, name: str) -> Any:
        return getattr(self._register.image_versions, name)


def verdicts(messages: list[Message]) -> list[tuple[str, str, str]]:
    """Return the announced changes as (name of the VM, old, new); nothing else may be sent."""
    announced = [m for m in messages if isinstance(m, Announcement)]
    assert len(announced) == len(messages)
    assert {m.name for m in announced} <= {"VmVerdictChanged"}
    return [(m.data["vm"].rpartition("/")[2], m.data["old"], m.data["new"]) for m in announced]
