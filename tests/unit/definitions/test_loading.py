"""What a definition file becomes."""

from pathlib import Path

from shared.definitions import load_definitions
from shared.domain.image_definition import (
    Check,
    Customizer,
    CustomizerKind,
    ImageDefinition,
    MarketplaceSource,
    OperatingSystem,
    Repair,
    ResultFormat,
    Severity,
    TargetRegion,
)
from tests.unit.definitions.files import MINIMAL, definition, script

IMAGES = Path(__file__).parents[3] / "images"


def test_the_smallest_definition_takes_the_defaults(tmp_path: Path) -> None:
    definition(tmp_path)
    assert load_definitions(tmp_path) == {
        "tiny": ImageDefinition(
            name="tiny",
            description="The smallest image.",
            os=OperatingSystem.LINUX,
            major=1,
            source=MarketplaceSource(
                publisher="Canonical", offer="0001-com-ubuntu-server-jammy", sku="22_04-lts-gen2"
            ),
            publisher="platform",
            offer="linux",
            sku="tiny",
            hyper_v_generation="V2",
            architecture="x64",
            security_type=None,
            regions=(TargetRegion(name="westeurope", replicas=1),),
            customizers=(),
            checks=(),
            repairs=(),
            boot_seconds=600,
            max_attempts=3,
            build_vm_size="Standard_D2s_v5",
            verify_vm_size="Standard_D2s_v5",
            build_timeout_minutes=240,
            verify_timeout_minutes=60,
        )
    }


def test_scripts_are_read_into_customizers_checks_and_repairs(tmp_path: Path) -> None:
    script(tmp_path, "a.sh", "#!/bin/bash\necho a")
    script(tmp_path, "in/b.sh", "#!/bin/bash\necho b\n")
    more = """\
customizers:
  - {name: one, shell: a.sh}
checks:
  - {name: two, shell: in/b.sh, results: tap, severity: warn, timeout_seconds: 5}
repairs:
  - {name: three, answers: [two, boot, customize], customizers: [{name: four, shell: in/b.sh}]}
"""
    definition(tmp_path, MINIMAL + more)
    tiny = load_definitions(tmp_path)["tiny"]
    b = "#!/bin/bash\necho b\n"
    assert tiny.customizers == (
        Customizer(name="one", kind=CustomizerKind.SHELL, script="#!/bin/bash\necho a\n"),
    )
    assert tiny.checks == (
        Check(
            name="two",
            script=b,
            results=ResultFormat.TAP,
            severity=Severity.WARN,
            timeout_seconds=5,
        ),
    )
    four = Customizer(name="four", kind=CustomizerKind.SHELL, script=b)
    assert tiny.repairs == (
        Repair(name="three", answers=("two", "boot", "customize"), customizers=(four,)),
    )


def test_windows_definitions_have_actions_of_their_own(tmp_path: Path) -> None:
    script(tmp_path, "a.ps1", "Write-Output 'a'\n")
    more = """\
customizers:
  - {name: updates, windows_update: true}
  - {name: restart, windows_restart: true}
  - {name: one, powershell: a.ps1}
"""
    definition(tmp_path, MINIMAL.replace("os: linux", "os: windows") + more)
    assert load_definitions(tmp_path)["tiny"].customizers == (
        Customizer(name="updates", kind=CustomizerKind.WINDOWS_UPDATE),
        Customizer(name="restart", kind=CustomizerKind.WINDOWS_RESTART),
        Customizer(name="one", kind=CustomizerKind.POWERSHELL, script="Write-Output 'a'\n"),
    )


def test_only_yaml_files_right_in_the_folder_are_definitions(tmp_path: Path) -> None:
    definition(tmp_path, name="tiny.yml")
    definition(tmp_path, "not: read\n", name="notes.txt")
    (tmp_path / "below").mkdir()
    definition(tmp_path / "below", "not: read\n", name="other.yaml")
    assert list(load_definitions(tmp_path)) == ["tiny"]


def test_every_definition_of_the_repository_loads() -> None:
    definitions = load_definitions(IMAGES)
    assert {name: d.source.urn for name, d in definitions.items()} == {
        "debian-12": "debian:debian-12:12-gen2",
        "ubuntu-22-04": "canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2",
        "web-ubuntu-22-04": "ubuntu-22-04@stable",
        "windows-server-2022": (
            "microsoftwindowsserver:windowsserver:2022-datacenter-azure-edition"
        ),
    }


def test_every_script_of_the_repository_is_named_by_a_definition() -> None:
    named: set[str] = set()
    for image in load_definitions(IMAGES).values():
        repairs = tuple(r.name for r in image.repairs)
        named.update(c.script for c in image.customizers_with(repairs))
        named.update(c.script for c in image.checks)
    unused = [
        str(path.relative_to(IMAGES))
        for path in (IMAGES / "scripts").rglob("*.*")
        if path.read_text() not in named
    ]
    assert unused == []
