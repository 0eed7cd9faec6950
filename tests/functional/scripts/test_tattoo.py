"""The Linux tattoo, really written and read back."""

from shared.domain.image_definition import OperatingSystem
from shared.domain.tattoo import differences, parse
from shared.domain.tattoo_reader import tattoo_reader
from shared.factory.tattoo_customizer import tattoo_customizer
from tests.functional.scripts.guest import Guest, Ran

FACTS = {
    "definition": "ubuntu-22-04",
    "version": "1.20261122.1",
    "source-sku": "it's $HOME `id` \\",
}


def test_the_guest_keeps_every_fact_and_adds_its_own(guest: Guest) -> None:
    customizer = tattoo_customizer(OperatingSystem.LINUX, FACTS)
    assert guest.run(customizer.script) == Ran(0, "", "")
    assert guest.run(customizer.script) == Ran(0, "", "")
    assert guest.read("etc/assay/tattoo") == (
        "definition=ubuntu-22-04\nversion=1.20261122.1\nsource-sku=it's $HOME `id` \\\n"
        "os-version=Ubuntu 22.04.5 LTS\n"
    )
    assert guest.mode("etc/assay/tattoo") == "644"
    assert not guest.path("tmp/assay-tattoo").exists()


def test_what_is_read_back_is_what_was_stamped(guest: Guest) -> None:
    guest.run(tattoo_customizer(OperatingSystem.LINUX, FACTS).script)
    reader = tattoo_reader(OperatingSystem.LINUX).replace("/etc/", f"{guest.root}/etc/")
    assert differences(FACTS, parse(guest.run(reader).output)) == []
