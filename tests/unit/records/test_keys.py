"""Keys hold what Table Storage takes, sort as we want and can be read back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import RefusedError
from shared.records.keys import check_key, escape, newest_first, unescape, version_row


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=100))
def test_every_text_survives_escaping(text: str) -> None:
    key = escape(text)
    check_key(key)
    assert unescape(key) == text
    assert "|" not in key


@given(st.text(max_size=50), st.text(max_size=50))
def test_different_texts_have_different_keys(one: str, other: str) -> None:
    assert (escape(one) == escape(other)) == (one == other)


def test_escaped_keys_are_readable() -> None:
    assert escape("canonical:ubuntu-24_04-lts:server") == "canonical:ubuntu-24_04-lts:server"
    assert escape("a/b\\c#d?e%f!g") == "a!2fb!5cc!23d!3fe!25f!21g"
    assert escape("tab\t\x85|~+") == "tab!09!85!7c!7e!2b"


@pytest.mark.parametrize(
    "key", ["a/b", "a\\b", "a#b", "a?b", "a\x00", "a\x1f", "a\x7f", "a\x9f", "%"]
)
def test_a_key_azure_would_refuse_is_refused(key: str) -> None:
    with pytest.raises(RefusedError, match="holds characters Table Storage refuses"):
        check_key(key)


def test_a_key_has_at_most_512_characters_as_azure_counts_them() -> None:
    check_key("x" * 512)
    check_key("🚀" * 256)
    for key in ("x" * 513, "🚀" * 256 + "x"):
        with pytest.raises(RefusedError, match="longer than the 512 characters"):
            check_key(key)


def test_version_rows_sort_as_numbers_and_what_is_no_number_comes_last() -> None:
    versions = ["1.9.1", "1.20261122.9", "1.20261122.10", "2.1.1", "22.04.202401161", "", "latest"]
    assert sorted(set(versions), key=version_row) == versions


@given(st.lists(st.datetimes(timezones=st.just(UTC)), min_size=2, max_size=5))
def test_later_moments_come_first(moments: list[datetime]) -> None:
    moments = [m for m in moments if m.year < 9999]
    assert sorted(moments, key=newest_first) == sorted(moments, reverse=True)


def test_moments_differ_to_the_microsecond_and_need_a_time_zone() -> None:
    moment = datetime(2026, 11, 22, tzinfo=UTC)
    assert newest_first(moment + timedelta(microseconds=1)) < newest_first(moment)
    assert newest_first(moment) == "251606995199000000"
    with pytest.raises(ValueError, match="has no time zone"):
        newest_first(datetime(2026, 11, 22))  # noqa: DTZ001
