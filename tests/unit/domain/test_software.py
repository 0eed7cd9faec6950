"""Software reports and what differs between them."""

import pytest

from shared.domain.evidence import canonical
from shared.domain.software import Hotfix, Package, SoftwareReport, read_document, read_listing
from shared.domain.software_diff import as_text, compare

LINUX = (
    "system\tid\tubuntu\nsystem\tkernel\t6.8.0-1017-azure\n"
    "deb\topenssl\t3.0.2-0ubuntu1.18\tamd64\ndeb\tbash\t5.1-6ubuntu1.1\tamd64\n\n"
)


def test_a_listing_becomes_a_report_in_order() -> None:
    report = read_listing(LINUX, collected_at="2026-11-22T12:00:00Z")

    assert report.system == {"id": "ubuntu", "kernel": "6.8.0-1017-azure"}
    assert [(p.name, p.version, p.architecture) for p in report.packages] == [
        ("bash", "5.1-6ubuntu1.1", "amd64"),
        ("openssl", "3.0.2-0ubuntu1.18", "amd64"),
    ]


def test_windows_has_programs_and_hotfixes() -> None:
    report = read_listing(
        "system\tid\twindows\r\nprogram\tMicrosoft Edge\t130.0\tMicrosoft Corporation\r\n"
        "program\tTool\t\r\nhotfix\tKB5044281\t2026-11-10\r\nhotfix\tKB5041948\r\n"
    )

    assert report.hotfixes == (
        Hotfix(id="KB5041948"),
        Hotfix(id="KB5044281", installed_on="2026-11-10"),
    )
    assert report.packages == (
        Package(
            kind="program", name="Microsoft Edge", version="130.0",
            publisher="Microsoft Corporation",
        ),
        Package(kind="program", name="Tool", version=""),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nonsense", "line 1 of the listing is 'nonsense'"),
        ("system\tid\tx\ndeb\tbash", "line 2"),
        ("system\tid\tx\ndeb\t\t1", "line 2"),
        ("", "says nothing of the system"),
        ("deb\tbash\t1", "says nothing of the system"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_listing(text)


def test_a_report_survives_being_kept() -> None:
    report = read_listing(LINUX, collected_at="2026-11-22T12:00:00Z")

    assert read_document(canonical(report.document())) == report


@pytest.mark.parametrize("content", [b"{}", b'{"schema": 2}', b"[]", b"no"])
def test_a_document_of_another_kind_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"schema|report|Expecting"):
        read_document(content)


def report(*packages: tuple[str, str], kernel: str = "6.8") -> SoftwareReport:
    return SoftwareReport(
        system={"id": "ubuntu", "kernel": kernel},
        packages=tuple(Package(kind="deb", name=n, version=v) for n, v in packages),
    )


def test_the_same_software_shows_no_difference() -> None:
    diff = compare(report(("bash", "5")), report(("bash", "5")))

    assert diff.empty
    assert diff.summary == "no software changed"


def test_what_came_went_and_changed_is_told_apart() -> None:
    diff = compare(
        report(("bash", "5"), ("nano", "7"), ("openssl", "3.0.1")),
        report(("bash", "5"), ("openssl", "3.0.2"), ("zsh", "5.9"), kernel="6.9"),
    )

    assert diff.summary == "1 changed, 1 added, 1 removed"
    assert diff.document() == {
        "summary": "1 changed, 1 added, 1 removed",
        "system": [{"kind": "system", "name": "kernel", "old": "6.8", "new": "6.9"}],
        "added": [{"kind": "deb", "name": "zsh", "new": "5.9"}],
        "removed": [{"kind": "deb", "name": "nano", "old": "7"}],
        "changed": [{"kind": "deb", "name": "openssl", "old": "3.0.1", "new": "3.0.2"}],
    }


def test_people_read_a_line_for_each_difference() -> None:
    diff = compare(
        report(("nano", "7"), ("openssl", "3.0.1")),
        report(("openssl", "3.0.2"), ("zsh", "5.9"), kernel="6.9"),
    )

    assert as_text(diff, old="ubuntu-22-04 1.20261101.1", new="1.20261122.1") == (
        "ubuntu-22-04 1.20261101.1 -> 1.20261122.1: 1 changed, 1 added, 1 removed\n"
        "\nSystem\n  ~ kernel  6.8 -> 6.9\n"
        "\nChanged\n  ~ openssl  3.0.1 -> 3.0.2\n"
        "\nAdded\n  + zsh  5.9\n"
        "\nRemoved\n  - nano  7\n"
    )


def test_kernels_installed_side_by_side_are_one_row() -> None:
    diff = compare(
        report(("kernel", "5.14-1"), ("kernel", "5.14-2")),
        report(("kernel", "5.14-2"), ("kernel", "5.14-3")),
    )

    assert [(c.old, c.new) for c in diff.changed] == [("5.14-1, 5.14-2", "5.14-2, 5.14-3")]


def test_a_hotfix_that_is_missing_shows() -> None:
    with_fix = SoftwareReport(system={"id": "windows"}, hotfixes=(Hotfix(id="KB1"),))

    diff = compare(with_fix, SoftwareReport(system={"id": "windows"}))

    assert [(c.kind, c.name, c.old) for c in diff.removed] == [("hotfix", "KB1", "installed")]
