"""The software report comes out of the guest in parts of at most 4,096 bytes."""

import random
import string

import pytest

from shared.domain.software import SoftwareReport
from shared.factory.gather_software import gather_software, part_name, start_software_report
from shared.factory.software_reader import MARK, software_reader
from shared.ports import RunCommandStatus
from tests.fakes.azure import FakeVerificationVms
from tests.fakes.definitions import ubuntu
from tests.fakes.guest_software import LISTING, printed

VM = "vm"


class Guest(dict[str, RunCommandStatus]):
    """Answers every part of *listing*."""

    def __init__(self, listing: str) -> None:
        super().__init__()
        self.listing = listing

    def get(self, name: str, default: RunCommandStatus | None = None) -> RunCommandStatus:  # type: ignore[override]
        return super().get(name) or printed(name, self.listing)


async def machine(listing: str = LISTING) -> FakeVerificationVms:
    vms = FakeVerificationVms(ready_looks=0, command_looks=0)
    vms.answers = Guest(listing)
    await vms.create(VM, ubuntu(), "1.0.0", build_id="b")
    return vms


async def gathered(vms: FakeVerificationVms, looks: int = 5) -> SoftwareReport:
    for _ in range(looks):
        if report := await gather_software(vms, VM, ubuntu()):
            return report
    raise AssertionError(f"no report in {looks} looks")


def long_listing(packages: int) -> str:
    rng = random.Random(1)  # noqa: S311 - names that do not compress, nothing secret
    names = ("".join(rng.choices(string.ascii_lowercase, k=20)) for _ in range(packages))
    return LISTING + "".join(f"deb\t{name}\t1.0-1\tamd64\n" for name in names)


async def test_a_short_list_is_one_part() -> None:
    vms = await machine()
    await start_software_report(vms, VM, ubuntu())

    report = await gathered(vms)

    assert [p.name for p in report.packages] == ["bash", "openssl"]
    assert report.collected_at == "2026-11-22T12:00:00Z"
    assert vms.commands == [(VM, "software-1")]


async def test_hundreds_of_packages_come_in_several_parts() -> None:
    vms = await machine(long_listing(900))

    report = await gathered(vms)

    assert len(report.packages) == 902
    assert len(vms.commands) == 5


async def test_no_part_is_longer_than_azure_keeps() -> None:
    listing = long_listing(900)

    assert max(len(printed(part_name(n), listing).output) for n in range(1, 6)) <= 4096


async def test_a_part_that_still_runs_is_waited_for() -> None:
    vms = await machine()
    vms.command_looks = 1
    await start_software_report(vms, VM, ubuntu())

    assert await gather_software(vms, VM, ubuntu()) is None
    assert await gather_software(vms, VM, ubuntu()) is not None


def ended(output: str, **changes: object) -> RunCommandStatus:
    return RunCommandStatus(finished=True, exit_code=0, output=output, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (ended(""), "printed no list of software but ''"),
        (ended("hello\nworld"), "printed no list of software but 'hello"),
        (ended(f"{MARK} 0 abc\n"), "has 0 characters"),
        (ended(f"{MARK} 99999999 abc\n"), "has 99999999 characters"),
        (ended(f"{MARK} 4 abc\naaaa"), "do not fit together"),
        (ended("", failure="the agent is gone"), r"could not be made \(the agent is gone\)"),
        (
            RunCommandStatus(finished=True, exit_code=2, error="dpkg-query: locked\n"),
            r"could not be made \(exit code 2: dpkg-query: locked\)",
        ),
        (ended("", timed_out=True), "did not end in time"),
    ],
)
async def test_what_the_guest_cannot_say_is_named(status: RunCommandStatus, says: str) -> None:
    vms = await machine()
    vms.answers["software-1"] = status

    with pytest.raises(ValueError, match=says):
        await gathered(vms)


async def test_a_list_that_changed_between_two_parts_is_refused() -> None:
    vms = await machine(long_listing(900))
    vms.answers["software-2"] = printed("software-2", long_listing(901))

    with pytest.raises(ValueError, match="do not fit together"):
        await gathered(vms)


def test_each_part_has_a_script_of_its_own() -> None:
    assert "part=3 size=3840" in software_reader(ubuntu().os, 3)
