"""The software of a simulated guest, printed a part at a time as a script asks for it."""

import base64
import gzip
import hashlib
import re

from localcloud.arm.guests import Guest
from localcloud.arm.packages import BASES, EXTRAS, OTHER, WINDOWS_2022, Base

_LISTS = re.compile(r"\bdpkg-query -W\b|\bGet-HotFix\b")
_PART = re.compile(r"^\s*\$?part\s*=\s*(?P<part>\d+)", re.MULTILINE)
_SIZE = re.compile(r"\$?\bsize\s*=\s*(?P<size>\d+)")
_MARK = re.compile(r"(?:printf '|Write-Output \")(?P<mark>[a-z-]+) ")
_DATE = re.compile(r"(?P<year>20[2-9]\d)(?P<month>0[1-9]|1[0-2])")
_SHORT_DATE = re.compile(r"\b(?P<year>2\d)(?P<month>0[1-9]|1[0-2])\d\d$")


def print_software(guest: Guest, script: str) -> str | None:
    """Answer a script that lists packages part by part; None for any other script.

    The whole list, packed and in base64, is cut into parts; above each stands the mark of the
    script, the length of the whole and its SHA-256.
    """
    part, size, mark = _PART.search(script), _SIZE.search(script), _MARK.search(script)
    if not (_LISTS.search(script) and part and size and mark):
        return None
    packed = base64.b64encode(gzip.compress(listing(guest).encode(), mtime=0)).decode()
    digest = hashlib.sha256(packed.encode()).hexdigest()
    start, length = (int(part["part"]) - 1) * int(size["size"]), int(size["size"])
    return f"{mark['mark']} {len(packed)} {digest}\n{packed[start : start + length]}"


def listing(guest: Guest) -> str:
    """Return what the guest has installed: lines of a kind and its fields, between tabs."""
    base = _base(guest)
    numbers = _numbers(guest)
    facts = {"id": base.id, "version": base.version, "name": base.name}
    facts |= {"kernel": base.kernel, "build": base.build}
    facts["architecture"] = "AMD64" if base is WINDOWS_2022 else "x86_64"
    lines = [f"system\t{k}\t{v.format(**numbers)}" for k, v in facts.items() if v]
    kind, tail = ("program", "Microsoft Corporation") if base is WINDOWS_2022 else ("deb", "amd64")
    held = {name: version.format(**numbers) for name, version in base.packages}
    held |= {name: EXTRAS.get(name, "1.0-1") for name in guest.installed}
    lines += [f"{kind}\t{name}\t{version}\t{tail}" for name, version in sorted(held.items())]
    lines += [f"hotfix\t{h.format(**numbers)}\t2026-11-10" for h in base.hotfixes]
    return "\n".join(lines) + "\n"


def _base(guest: Guest) -> Base:
    offer = guest.source.partition(":")[2].partition(":")[0]
    return BASES.get(offer, WINDOWS_2022 if guest.os == "Windows" else OTHER)


def _numbers(guest: Guest) -> dict[str, str]:
    """Return what the places in version numbers stand for, from the date in the source version.

    Updates installed while the image was customized count as one month more.
    """
    found = _DATE.search(guest.source_version) or _SHORT_DATE.search(guest.source_version)
    year = int(found["year"]) % 100 if found else 22
    months = (year - 22) * 12 + (int(found["month"]) if found else 1) + int(guest.updated)
    return {"month": f"{months:02d}", "third": str(months // 3)}
