"""Simulated guests say what they hold, in the way the product asks them."""

from localcloud.arm.guest_software import listing, print_software
from localcloud.arm.guests import Guest
from shared.domain.image_definition import OperatingSystem
from shared.domain.software import read_listing
from shared.domain.software_diff import compare
from shared.factory.software_reader import PART, software_reader

UBUNTU = "canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2"


def guest(version: str = "22.04.202411080") -> Guest:
    return Guest(source=UBUNTU, source_version=version)


def test_the_products_own_scripts_are_understood() -> None:
    for system in OperatingSystem:
        printed = print_software(guest(), software_reader(system, 1))

        assert printed is not None
        assert printed.startswith("assay-report ")
        assert len(printed) <= PART + 100


def test_any_other_script_is_not() -> None:
    assert print_software(guest(), "systemctl is-active --quiet nginx\n") is None


def test_a_later_source_has_later_packages() -> None:
    old, new = read_listing(listing(guest())), read_listing(listing(guest("22.04.202601120")))

    diff = compare(old, new)

    assert "openssl" in {c.name for c in diff.changed}
    assert [c.name for c in diff.system] == ["kernel"]


def test_what_customizers_install_is_there() -> None:
    changed = guest()
    changed.customize(
        {"type": "Shell", "name": "agents", "inline": ["sudo apt-get -y install auditd chrony"]}
    )

    diff = compare(read_listing(listing(guest())), read_listing(listing(changed)))

    assert [c.name for c in diff.added] == ["auditd", "chrony"]


def test_windows_has_hotfixes() -> None:
    windows = Guest(
        os="Windows",
        source="microsoftwindowsserver:windowsserver:2022-datacenter-azure-edition",
        source_version="20348.2762.241006",
    )

    report = read_listing(listing(windows))

    assert report.system["build"] == "20348.34"
    assert [h.id for h in report.hotfixes] == ["KB5041948", "KB5043034", "KB5044034"]
