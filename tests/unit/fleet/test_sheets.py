"""Lists of VMs in a spreadsheet."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.fleet.sheets import OVERDUE_SHEET, VM_SHEET, csv_text, row_of
from tests.unit.web.samples import NOON_TEXT, VM_KEY, vm


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
)
def test_what_a_spreadsheet_takes_for_a_formula_gets_an_apostrophe(start: str) -> None:
    text = csv_text([[f'{start}cmd|"/c calc"!A0']])

    assert next(csv.reader(io.StringIO(text, newline=""))) == [f'\'{start}cmd|"/c calc"!A0']


def test_lines_are_those_of_rfc_4180() -> None:
    text = csv_text([["name", "vms"], ['a "b", c', 5], ["two\nlines", None], ["x", 1.5]])

    assert text == '"name","vms"\r\n"a ""b"", c",5\r\n"two\nlines",""\r\n"x",1.5\r\n'


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8")), min_size=1, max_size=4))
def test_whatever_a_text_holds_it_comes_back(row: list[str]) -> None:
    (back,) = csv.reader(io.StringIO(csv_text([row]), newline=""))

    assert [cell.removeprefix("'") for cell in back] == [cell.removeprefix("'") for cell in row]


def test_a_vm_is_one_row_with_times_and_numbers() -> None:
    row = row_of(VM_SHEET, vm())

    assert list(row) == list(VM_SHEET)
    assert (row["key"], row["as_of"], row["behind"]) == (VM_KEY, NOON_TEXT, 0)
    assert row["deleted_at"] is None
    assert {"team", "days_overdue", "what_to_do"} <= set(OVERDUE_SHEET)
