"""Version numbers are compared as numbers, segment by segment, never as text."""

from collections.abc import Iterable
from datetime import datetime

LONGEST = 64
"""No version in Azure comes near this many characters; whoever sends more sends no version."""


def version_key(version: str) -> tuple[int, ...]:
    """Return the sort key of a dotted version such as `22.04.202401161` or `1.20261122.1`.

    Azure resolves "latest" by the highest number, while its lists come in text order, where
    `0.0.991` follows `0.0.1015`
    (https://learn.microsoft.com/azure/virtual-machines/shared-image-galleries).

    Raises ValueError for anything but dot-separated integers.
    """
    segments = version.split(".")
    if len(version) > LONGEST or not all(s.isascii() and s.isdigit() for s in segments):
        short = version[:LONGEST]
        raise ValueError(f"{short!r} is not a dotted version number such as 1.20261122.1")
    return tuple(int(s) for s in segments)


def is_version(version: str) -> bool:
    """Tell whether *version* is made of dot-separated integers."""
    try:
        version_key(version)
    except ValueError:
        return False
    return True


def newest(versions: Iterable[str]) -> str | None:
    """Return the numerically highest of *versions*, or None when there is none.

    Texts that are no version numbers are passed over: a Marketplace list may hold them.
    """
    return max((v for v in versions if is_version(v)), key=version_key, default=None)


def next_image_version(major: int, taken: Iterable[str], *, now: datetime) -> str:
    """Return the first free `major.yyyymmdd.n` of the day; *n* counts from 1 (UTC day).

    A gallery version number is never used twice: Azure refuses another source under the same
    number (`PropertyChangeNotAllowed`), so rejected and deleted numbers count as taken.
    """
    day = int(now.strftime("%Y%m%d"))
    keys = (version_key(v) for v in taken if is_version(v))
    used = [k[2] for k in keys if k[:2] == (major, day) and len(k) == 3]  # noqa: PLR2004
    return f"{major}.{day}.{max(used, default=0) + 1}"
