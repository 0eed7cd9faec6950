"""The script that lists software, run for real in a folder that stands for a guest."""

import os
import subprocess
from pathlib import Path

import pytest

from shared.domain.image_definition import OperatingSystem
from shared.domain.software import SoftwareReport
from shared.factory.gather_software import gather_software
from shared.factory.software_reader import software_reader
from shared.ports import RunCommandStatus
from tests.fakes.azure import FakeVerificationVms
from tests.fakes.definitions import ubuntu

_DPKG = """\
#!/bin/sh
printf 'installed\\tdeb\\tbash\\t5.1-6ubuntu1.1\\tamd64\\n'
printf 'config-files\\tdeb\\tnano\\t6.2\\tamd64\\n'
for n in $(seq 1 {more}); do
    printf 'installed\\tdeb\\tlib%s\\t1.%s-%s\\tamd64\\n' "$n" "$n" $((n * 7919 % 997))
done
"""
_RPM = """\
#!/bin/sh
printf 'rpm\\tbash\\t5.1.8-9.el9\\tx86_64\\nrpm\\tgpg-pubkey\\t1-2\\t(none)\\n'
"""


class ScriptGuest:
    """A guest in which the parts of the script run, with package managers of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bin = root / "bin"
        for folder in ("bin", "run", "etc"):
            (root / folder).mkdir()
        (root / "etc/os-release").write_text(
            'ID=ubuntu\nVERSION_ID="22.04"\nPRETTY_NAME="Ubuntu 22.04.5 LTS"\n'
        )
        for tool in ("bash", "base64", "cut", "dd", "gzip", "mktemp", "mv", "sed", "sha256sum",
                     "stat", "uname", "seq"):  # fmt: skip
            found = next(Path(d, tool) for d in ("/bin", "/usr/bin") if Path(d, tool).exists())
            (self.bin / tool).symlink_to(found)

    def has(self, command: str, script: str) -> None:
        (self.bin / command).write_text(script)
        (self.bin / command).chmod(0o755)

    def run(self, part: int) -> RunCommandStatus:
        script = self.root / f"part-{part}.sh"
        script.write_text(software_reader(OperatingSystem.LINUX, part))
        ended = subprocess.run(
            ["/bin/bash", script], capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, "PATH": str(self.bin), "ASSAY_ROOT": str(self.root)},
        )  # fmt: skip
        return RunCommandStatus(
            finished=True, exit_code=ended.returncode, output=ended.stdout, error=ended.stderr
        )

    async def report(self) -> SoftwareReport:
        vms = FakeVerificationVms(ready_looks=0, command_looks=0)
        for part in range(1, 12):
            vms.answers[f"software-{part}"] = self.run(part)
        await vms.create("vm", ubuntu(), "1.0.0", build_id="b")
        for _ in range(3):
            if report := await gather_software(vms, "vm", ubuntu()):
                return report
        raise AssertionError("the parts do not come together")


@pytest.fixture
def guest(tmp_path: Path) -> ScriptGuest:
    return ScriptGuest(tmp_path)


async def test_debian_packages_that_are_installed_are_listed(guest: ScriptGuest) -> None:
    guest.has("dpkg-query", _DPKG.format(more=0))

    report = await guest.report()

    assert [(p.kind, p.name, p.version, p.architecture) for p in report.packages] == [
        ("deb", "bash", "5.1-6ubuntu1.1", "amd64")
    ]
    assert report.system["name"] == "Ubuntu 22.04.5 LTS"
    assert report.system["version"] == "22.04"
    assert report.system["kernel"] == os.uname().release


async def test_a_thousand_packages_come_out_whole(guest: ScriptGuest) -> None:
    guest.has("dpkg-query", _DPKG.format(more=1000))

    report = await guest.report()

    assert len(report.packages) == 1001
    assert max(len(guest.run(part).output) for part in (1, 2)) <= 4096


async def test_rpm_packages_are_listed_without_signing_keys(guest: ScriptGuest) -> None:
    guest.has("rpm", _RPM)

    report = await guest.report()

    assert [(p.kind, p.name, p.version) for p in report.packages] == [
        ("rpm", "bash", "5.1.8-9.el9")
    ]


async def test_a_guest_without_a_package_manager_still_says_what_it_is(guest: ScriptGuest) -> None:
    report = await guest.report()

    assert report.packages == ()
    assert report.system["id"] == "ubuntu"


def test_a_package_manager_that_fails_fails_the_script(guest: ScriptGuest) -> None:
    guest.has("dpkg-query", "#!/bin/sh\necho 'database is locked' >&2\nexit 2\n")

    ended = guest.run(1)

    assert ended.exit_code == 2
    assert "database is locked" in ended.error
    assert not (guest.root / "run/assay-report").exists()


def test_the_list_is_made_once(guest: ScriptGuest) -> None:
    guest.has("dpkg-query", _DPKG.format(more=0))
    first = guest.run(1).output
    guest.has("dpkg-query", _DPKG.format(more=3))

    assert guest.run(1).output == first
