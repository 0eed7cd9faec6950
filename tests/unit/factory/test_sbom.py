"""The bill of materials, read again by the library that wrote it."""

import json
from datetime import UTC, datetime

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from shared.domain.software import Hotfix, Package, SoftwareReport
from shared.factory.sbom import sbom

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
REPORT = SoftwareReport(
    system={"id": "ubuntu", "version": "22.04"},
    packages=(
        Package(kind="deb", name="openssl", version="3.0.2-0ubuntu1.18", architecture="amd64"),
        Package(kind="program", name="Tool", version="1", publisher="Contoso"),
    ),
    hotfixes=(Hotfix(id="KB5041948"),),
)


def made(report: SoftwareReport = REPORT) -> bytes:
    return sbom(report, definition="ubuntu-22-04", version="1.20261122.1", made_at=AT)


def test_packages_have_package_urls() -> None:
    bom = json.loads(made())

    assert bom["specVersion"] == "1.6"
    assert bom["metadata"]["component"]["name"] == "ubuntu-22-04"
    assert bom["metadata"]["component"]["version"] == "1.20261122.1"
    assert {(c["name"], c.get("purl")) for c in bom["components"]} == {
        (
            "openssl",
            "pkg:deb/ubuntu/openssl@3.0.2-0ubuntu1.18?arch=amd64&distro=ubuntu-22.04",
        ),
        ("Tool", "pkg:generic/Tool@1"),
        ("KB5041948", None),
    }


def test_the_same_report_gives_the_same_bytes() -> None:
    assert made() == made()


def test_red_hat_packages_are_of_the_vendor_package_urls_know() -> None:
    report = SoftwareReport(
        system={"id": "rhel", "version": "9.4"},
        packages=(Package(kind="rpm", name="bash", version="5.1", architecture="x86_64"),),
    )

    (component,) = json.loads(made(report))["components"]

    assert component["purl"] == "pkg:rpm/redhat/bash@5.1?arch=x86_64&distro=rhel-9.4"


def test_the_official_schema_accepts_it() -> None:
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(made().decode())

    assert fault is None
