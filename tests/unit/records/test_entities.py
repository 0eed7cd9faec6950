"""Entities are checked as Azure checks them, because the emulator does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from shared.errors import PermanentError, RefusedError
from shared.records.entities import entity, entity_bytes, pack, unpack

TEXT = TypeAdapter(str)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_survives_packing(text: str) -> None:
    assert unpack(TEXT, pack(TEXT, text, partition="p", row="r")) == text


def test_a_long_text_is_cut_into_properties_of_30_000_characters() -> None:
    packed = pack(TEXT, "🚀" * 6_000, partition="p", row="r", columns={"team": "web"})
    assert {name: len(str(value)) for name, value in packed.items()} == {
        "PartitionKey": 1,
        "RowKey": 1,
        "team": 3,
        "schema": 1,
        "data": 30_000,
        "data1": 30_000,
        "data2": 12_002,
    }
    assert unpack(TEXT, packed) == "🚀" * 6_000


@pytest.mark.parametrize(
    "name", ["a-b", "a b", "1a", "", "a" * 256, "é", "a.b", "PartitionKey", "RowKey", "Timestamp"]
)
def test_a_property_azure_would_refuse_is_refused_by_name(name: str) -> None:
    with pytest.raises(RefusedError, match="cannot name a property"):
        entity("p", "r", {name: "x"})


@pytest.mark.parametrize("name", ["a", "_a", "a_1", "A" * 255])
def test_ordinary_property_names_pass(name: str) -> None:
    assert entity("p", "r", {name: "x"})[name] == "x"


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, "x" * 32_769, "🚀" * 16_385, b"x" * 65_537])
def test_a_value_too_large_for_a_property_is_refused(value: str | int | bytes) -> None:
    with pytest.raises(RefusedError, match="larger than Table Storage takes"):
        entity("p", "r", {"a": value})


@pytest.mark.parametrize(
    "value", [2**31 - 1, -(2**31), "x" * 32_768, "🚀" * 16_384, b"x" * 65_536, True]
)
def test_the_largest_values_pass(value: str | int | bool | bytes) -> None:
    assert entity("p", "r", {"a": value})["a"] == value


@pytest.mark.parametrize("value", [None, 1.5, ["x"]])
def test_types_we_do_not_write_are_refused(value: object) -> None:
    with pytest.raises(RefusedError, match="not text or number"):
        entity("p", "r", {"a": value})  # type: ignore[dict-item]


def test_252_properties_are_the_most() -> None:
    entity("p", "r", {f"a{n}": n for n in range(252)})
    with pytest.raises(RefusedError, match="has 253 properties; Table Storage takes 252"):
        entity("p", "r", {f"a{n}": n for n in range(253)})


def test_keys_are_checked_too() -> None:
    for partition, row in (("a/b", "r"), ("p", "a/b")):
        with pytest.raises(RefusedError, match="holds characters"):
            entity(partition, row, {})


def test_size_is_counted_as_azure_counts_it() -> None:
    made = entity("pp", "r", {"name": "xyz", "n": 1, "b": True})
    assert entity_bytes(made) == 4 + 6 + (8 + 8 + 4 + 6) + (8 + 2 + 4) + (8 + 2 + 1)


def test_more_than_a_mebibyte_is_refused() -> None:
    chunk = "x" * 32_000
    entity("p", "r", {f"a{n}": chunk for n in range(16)})
    with pytest.raises(RefusedError, match="Table Storage takes 1,048,576"):
        entity("p", "r", {f"a{n}": chunk for n in range(17)})


def test_what_a_newer_release_wrote_is_refused_with_the_way_out() -> None:
    packed = pack(TEXT, "x", partition="p", row="r")
    for schema in (2, "1", None):
        with pytest.raises(PermanentError, match=r"'p' / 'r' has schema .* upgrade Assay"):
            unpack(TEXT, {**packed, "schema": schema})
