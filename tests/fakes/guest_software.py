"""What the fake guests print when they are asked for their software, part by part."""

import base64
import gzip
import hashlib
from datetime import UTC, datetime

from shared.factory.software_reader import MARK, PART
from shared.ports import RunCommandStatus

LISTING = (
    "system\tid\tubuntu\nsystem\tversion\t22.04\nsystem\tname\tUbuntu 22.04.5 LTS\n"
    "system\tkernel\t6.8.0-1017-azure\nsystem\tarchitecture\tx86_64\n"
    "deb\tbash\t5.1-6ubuntu1.1\tamd64\ndeb\topenssl\t3.0.2-0ubuntu1.18\tamd64\n"
)


def printed(name: str, listing: str = LISTING) -> RunCommandStatus:
    """Return how the run command called *name* (`software-<part>`) ends in a healthy guest."""
    part = int(name.rpartition("-")[2])
    packed = base64.b64encode(gzip.compress(listing.encode(), mtime=0)).decode()
    digest = hashlib.sha256(packed.encode()).hexdigest()
    text = packed[(part - 1) * PART : part * PART]
    return RunCommandStatus(
        finished=True,
        exit_code=0,
        output=f"{MARK} {len(packed)} {digest}\n{text}",
        ended_at=datetime(2026, 11, 22, 12, 0, tzinfo=UTC),
    )
