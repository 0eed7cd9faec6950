"""A cursor leads back to where it was written, in the list it was written for."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadMessageError
from shared.records.cursors import Position, read_cursor, write_cursor

TOKENS = st.none() | st.tuples(st.none() | st.text(), st.none() | st.text())


@given(st.integers(0, 9), TOKENS)
def test_every_position_comes_back(stretch: int, token: tuple[str | None, str | None]) -> None:
    position = Position(stretch=stretch, token=token)
    assert read_cursor(write_cursor(position, of=("a", "b")), of=("a", "b")) == position


def test_no_cursor_is_the_start() -> None:
    assert read_cursor("", of=("a",)) == Position()


def test_a_cursor_of_another_list_is_refused() -> None:
    cursor = write_cursor(Position(stretch=1), of=("a", "b"))
    with pytest.raises(BadMessageError, match="does not belong to this list"):
        read_cursor(cursor, of=("a", "c"))


@given(st.text(min_size=1))
def test_any_other_text_is_refused(cursor: str) -> None:
    with pytest.raises(BadMessageError):
        read_cursor(cursor, of=("a",))


@pytest.mark.parametrize("change", [[-1, None], ["0", None], [0, ["p"]], [0, [1, 2]], [0], None])
def test_a_forged_cursor_is_refused(change: list[object] | None) -> None:
    good = write_cursor(Position(), of=("a",))
    mark = json.loads(base64.urlsafe_b64decode(good + "=="))[0]
    forged = json.dumps([mark, *change] if change is not None else mark).encode()
    with pytest.raises(BadMessageError):
        read_cursor(base64.urlsafe_b64encode(forged).decode(), of=("a",))
