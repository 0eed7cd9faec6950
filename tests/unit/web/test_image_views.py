"""What the API says about images and their versions, to the letter."""

from shared.domain.image_version import VersionState
from shared.ports import SourceRecord
from shared.web.views.images import (
    ImageKnowledge,
    image_summary,
    image_view,
    version_summary,
    version_view,
)
from tests.unit.web.samples import (
    BASE,
    BUILD_ID,
    DEFINITION,
    HOUR_AGO,
    HOUR_AGO_TEXT,
    IMAGE_ID,
    LINKS,
    NOON,
    NOON_TEXT,
    SOURCE_VERSION,
    URN,
    version,
)

VERSION_SUMMARY = {
    "definition": "ubuntu",
    "version": "1.20261122.1",
    "resource_id": f"{IMAGE_ID}/versions/1.20261122.1",
    "state": "released",
    "source_version": SOURCE_VERSION,
    "created_at": HOUR_AGO_TEXT,
    "published_at": NOON_TEXT,
    "deleted_at": None,
    "regions": ["westeurope"],
    "excluded_from_latest": False,
    "url": f"{BASE}/images/ubuntu/versions/1.20261122.1",
}
IMAGE_SUMMARY = {
    "name": "ubuntu",
    "description": "Hardened Ubuntu 22.04",
    "os": "linux",
    "image_id": IMAGE_ID,
    "source": {
        "publisher": "Canonical",
        "offer": "0001-com-ubuntu-server-jammy",
        "sku": "22_04-lts-gen2",
        "urn": URN,
    },
    "newest": VERSION_SUMMARY,
    "url": f"{BASE}/images/ubuntu",
}


def _knowledge(*versions: str, source: SourceRecord | None = None) -> ImageKnowledge:
    return ImageKnowledge(
        definition=DEFINITION,
        image_id=IMAGE_ID,
        versions=[version(v) for v in versions],
        source=source,
    )


def test_an_image_in_a_list_names_the_newest_version_one_may_use() -> None:
    known = _knowledge("1.20261122.1", "1.20261109.12")
    assert image_summary(known, LINKS) == IMAGE_SUMMARY


def test_an_image_without_a_released_version_has_no_newest_one() -> None:
    known = ImageKnowledge(
        definition=DEFINITION,
        image_id=IMAGE_ID,
        versions=[version(state=VersionState.REVOKED)],
        source=None,
    )
    assert image_summary(known, LINKS)["newest"] is None


def test_an_image_tells_its_newest_version_region_by_region_and_what_it_is_made_of() -> None:
    seen = SourceRecord(
        urn=URN, version=SOURCE_VERSION, announced_at=HOUR_AGO, checked_at=NOON, problem=""
    )
    assert image_view(_knowledge("1.20261122.1", source=seen), LINKS) == {
        **IMAGE_SUMMARY,
        "major": 1,
        "hyper_v_generation": "V2",
        "architecture": "x64",
        "security_type": None,
        "regions": [
            {
                "name": "westeurope",
                "replicas": 2,
                "newest_version": "1.20261122.1",
                "newest_id": f"{IMAGE_ID}/versions/1.20261122.1",
            },
            {"name": "northeurope", "replicas": 1, "newest_version": None, "newest_id": None},
        ],
        "source_seen": {
            "version": SOURCE_VERSION,
            "announced_at": HOUR_AGO_TEXT,
            "checked_at": NOON_TEXT,
            "problem": None,
        },
        "customizers": [{"name": "harden", "kind": "shell"}],
        "checks": [{"name": "no-telnet", "severity": "block", "timeout_seconds": 300}],
        "repairs": [
            {
                "name": "remove-telnet",
                "answers": ["no-telnet"],
                "customizers": ["purge-telnet"],
            }
        ],
        "max_attempts": 3,
        "channels_url": f"{BASE}/images/ubuntu/channels",
        "versions_url": f"{BASE}/images/ubuntu/versions",
        "builds_url": f"{BASE}/builds?definition=ubuntu",
    }


def test_an_image_version_tells_its_tattoo_its_build_and_its_history() -> None:
    assert version_summary(version(), LINKS) == VERSION_SUMMARY
    assert version_view(version(), LINKS) == {
        **VERSION_SUMMARY,
        "image_id": IMAGE_ID,
        "source_urn": URN,
        "parent": None,
        "lineage_url": f"{BASE}/images/ubuntu/versions/1.20261122.1/lineage",
        "customization_digest": "abc",
        "build": BUILD_ID,
        "build_url": f"{BASE}/builds/{BUILD_ID}",
        "attempt": 1,
        "tattoo": {"definition": "ubuntu", "version": "1.20261122.1"},
        "evidence": {
            "software_url": None,
            "sbom_url": None,
            "provenance_url": None,
            "signed_by": None,
            "provenance_digest": None,
            "statement_digest": None,
            "tattoo_digest": None,
            "compared_with": None,
            "changes": None,
        },
        "vms_url": f"{BASE}/vms?image=ubuntu&version=1.20261122.1",
        "history": [
            {
                "what": "state",
                "from": "candidate",
                "to": "released",
                "at": NOON_TEXT,
                "because": "published",
            }
        ],
    }
