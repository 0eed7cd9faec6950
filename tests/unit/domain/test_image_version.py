"""The life of an image version, and what "latest" means."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.image_version import ALLOWED, ImageVersion, VersionState, newest_in_region

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def version(number: str, state: VersionState = VersionState.RELEASED, **more: Any) -> ImageVersion:
    facts: dict[str, Any] = {
        "definition": "ubuntu", "version": number, "image_id": "/images/ubuntu", "state": state,
        "build_id": "b", "attempt": 1, "source_urn": "p:o:s", "source_version": "1",
        "customization_digest": "d", "created_at": NOW, "tattoo": {},
        "regions": ("westeurope",), "excluded_from_latest": False,
    }  # fmt: skip
    return ImageVersion(**{**facts, **more})


def latest(*versions: ImageVersion, region: str = "westeurope") -> str | None:
    found = newest_in_region(list(versions), region)
    return found.version if found else None


def test_latest_is_the_highest_number_not_the_last_published() -> None:
    assert latest(version("1.20261122.9"), version("1.20261122.10"), version("0.9.9")) == (
        "1.20261122.10"
    )


@pytest.mark.parametrize(
    "hidden",
    [
        version("2.0.0", excluded_from_latest=True),
        version("2.0.0", deleted_at=NOW),
        version("2.0.0", regions=("northeurope",)),
        version("2.0.0", VersionState.CANDIDATE),
        version("2.0.0", VersionState.REJECTED),
        version("2.0.0", VersionState.REVOKED),
    ],
)
def test_what_azure_would_not_resolve_is_not_latest(hidden: ImageVersion) -> None:
    assert latest(version("1.0.0"), hidden) == "1.0.0"


def test_an_aged_version_is_latest_when_nothing_newer_is_there() -> None:
    assert latest(version("1.0.0", VersionState.AGED)) == "1.0.0"
    assert latest() is None


@pytest.mark.parametrize("state", list(VersionState))
def test_staying_is_no_transition(state: VersionState) -> None:
    before = version("1.0.0", state)

    assert before.become(state, now=NOW, because="again") is before


@pytest.mark.parametrize(
    ("old", "new"),
    [(old, new) for old in VersionState for new in VersionState if old is not new],
)
def test_only_the_tables_moves_are_allowed(old: VersionState, new: VersionState) -> None:
    before = version("1.0.0", old)
    if new not in ALLOWED[old]:
        with pytest.raises(ValueError, match=f"is {old} and cannot become {new}"):
            before.become(new, now=NOW, because="x")
        return

    after = before.become(new, now=NOW, because="x")

    assert after.state is new
    assert [(t.old, t.new, t.because) for t in after.history] == [(old, new, "x")]


def test_a_version_is_found_in_azure_under_its_id() -> None:
    assert version("1.0.0").resource_id == "/images/ubuntu/versions/1.0.0"
