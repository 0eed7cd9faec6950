"""Keys of table rows: what Table Storage takes, and in the order we want rows to come."""

import re
from datetime import UTC, datetime, timedelta

from shared.domain.versions import is_version, version_key
from shared.errors import RefusedError

MAX_KEY_LENGTH = 512
"""Characters of a partition or row key: 1 KiB of UTF-16
("Understanding the Table service data model", Microsoft Learn)."""

_REFUSED = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f%+]")
_TO_ESCAPE = re.compile(rf"{_REFUSED.pattern}|[!|~]")
_ESCAPED = re.compile(r"!([0-9a-f]{2})")
_SEGMENT_DIGITS = 20
_FAR_FUTURE = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def escape(text: str) -> str:
    r"""Return *text* as a key: what Table Storage refuses or garbles becomes `!` and two digits.

    Refused are `/ \ # ?`, U+0000 to U+001F and U+007F to U+009F ("Understanding the Table service
    data model", Microsoft Learn). The service once decoded `%` in keys twice (Windows Azure
    Storage team blog, 28 May 2012), so neither `%` nor `+` is left in a key; nor are `|` and `~`,
    which we join keys with.
    """
    return _TO_ESCAPE.sub(lambda match: f"!{ord(match[0]):02x}", text)


def unescape(key: str) -> str:
    """Return the text that `escape` made *key* of."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), key)


def check_key(key: str) -> None:
    """Raise RefusedError when Table Storage would refuse *key* or could not find it again."""
    if _REFUSED.search(key):
        raise RefusedError(f"key {key!r} holds characters Table Storage refuses; escape it first")
    if len(key.encode("utf-16-le", "surrogatepass")) > 2 * MAX_KEY_LENGTH:
        raise RefusedError(
            f"key {key[:80]!r}… is longer than the {MAX_KEY_LENGTH} characters of a key"
        )


def version_row(version: str) -> str:
    """Return a key under which versions sort as numbers; texts that are none come last."""
    if not is_version(version):
        return f"~{escape(version)}"
    return ".".join(str(number).zfill(_SEGMENT_DIGITS) for number in version_key(version))


def id_row(resource_id: str) -> str:
    """Return a key under which normalised resource ids sort as the ids themselves.

    A key cannot hold `/`. What stands for it has to sort where it does, between `.` and `0`, so
    the dot gets a mark too.
    """
    marked = {"/": ".~", ".": ".!"}
    return "".join(marked.get(character) or escape(character) for character in resource_id)


def below(row: str) -> tuple[str, str]:
    """Return the bounds, the second excluded, of what lies below the id that `id_row` wrote."""
    return f"{row}.~", f"{row}.\N{INVERTED EXCLAMATION MARK}"


def newest_first(moment: datetime) -> str:
    """Return a key under which later moments come first, to the microsecond.

    Raises ValueError for a moment without time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    left = (_FAR_FUTURE - moment) // timedelta(microseconds=1)
    return f"{left:018d}"
