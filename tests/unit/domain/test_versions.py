"""Versions are numbers."""

from datetime import UTC, datetime

import pytest

from shared.domain.versions import is_version, newest, next_image_version, version_key

NOW = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)


def test_the_newest_version_is_the_highest_number_not_the_last_text() -> None:
    listed = ["0.0.1015", "0.0.991", "0.0.999"]  # Azure's own order: as text

    assert newest(listed) == "0.0.1015"


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("22.04.202409120", "22.04.202411080"),
        ("20348.887.220806", "20348.2762.241006"),
        ("1.9.9", "1.10.0"),
        ("1.20261122.9", "1.20261122.10"),
        ("1.2", "1.2.0"),
    ],
)
def test_segments_compare_as_numbers(older: str, newer: str) -> None:
    assert version_key(older) < version_key(newer)


def test_texts_that_are_no_versions_are_passed_over() -> None:
    assert newest(["latest", "1.0", "2.x"]) == "1.0"
    assert newest(["latest"]) is None
    assert newest([]) is None


@pytest.mark.parametrize("text", ["", "latest", "1..2", "1.2-rc1", "\u0661.\u0662", " 1.2", "-1.2"])
def test_a_version_holds_ascii_digits_and_dots_only(text: str) -> None:
    assert not is_version(text)
    with pytest.raises(ValueError, match="is not a dotted version number"):
        version_key(text)


def test_image_versions_count_from_one_every_day() -> None:
    assert next_image_version(1, [], now=NOW) == "1.20261122.1"


def test_the_next_image_version_follows_the_highest_taken_number_of_the_day() -> None:
    taken = ["1.20261122.9", "1.20261122.10", "1.20261121.40", "2.20261122.77", "junk"]

    assert next_image_version(1, taken, now=NOW) == "1.20261122.11"
