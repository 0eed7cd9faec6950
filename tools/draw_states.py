"""Draws the state tables of build, image version and channel from the code, as docs/states.md.

    python tools/draw_states.py > docs/states.md

A test holds the page and the code together.
"""

import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from shared.domain import build, image_version
from shared.domain.channel import MoveKind

_EMPTY, _SHOWS = "empty", "shows a version"
_MOVES: Mapping[MoveKind, tuple[tuple[str, str], ...]] = {
    MoveKind.ADOPTED: ((_EMPTY, _SHOWS),),
    MoveKind.RELEASED: ((_EMPTY, _SHOWS), (_SHOWS, _SHOWS)),
    MoveKind.PROMOTED: ((_EMPTY, _SHOWS), (_SHOWS, _SHOWS)),
    MoveKind.RESTORED: ((_EMPTY, _SHOWS), (_SHOWS, _SHOWS)),
    MoveKind.ROLLED_BACK: ((_SHOWS, _SHOWS),),
    MoveKind.REVOKED: ((_SHOWS, _SHOWS), (_SHOWS, _EMPTY)),
    MoveKind.LOST: ((_SHOWS, _SHOWS), (_SHOWS, _EMPTY)),
}
"""From where to where each kind of move takes a channel; to itself means to another version."""


def page() -> str:
    """Return docs/states.md."""
    return f"""# States

Drawn from the code by `python tools/draw_states.py`; a test keeps this page true.

## A build

Its phases are those of `shared/domain/build.py`. A phase may also follow itself: another look.

{_diagram(build.ALLOWED, build.Phase.VERIFYING_SOURCE, build.Phase.QUEUED)}

## An image version

The states of `shared/domain/image_version.py`. The row outlives the image.

{_diagram(image_version.ALLOWED, image_version.VersionState.RESERVED)}

## A channel

It shows one released version, or none before the first release. The kinds of moves are those of
`shared/domain/channel.py`; rolled-back, revoked and lost fall back to the last good version.

{_channel()}
"""


def _diagram[State: StrEnum](allowed: Mapping[State, frozenset[State]], *starts: State) -> str:
    arrows = [f"    [*] --> {_name(start)}" for start in starts]
    for state, following in allowed.items():
        arrows += [f"    {_name(state)} --> {_name(s)}" for s in allowed if s in following]
        if not following:
            arrows.append(f"    {_name(state)} --> [*]")
    return _mermaid(arrows)


def _channel() -> str:
    arrows = [f"    [*] --> {_name(_EMPTY)}"]
    for kind in MoveKind:
        arrows += [f"    {_name(a)} --> {_name(b)}: {kind.value}" for a, b in _MOVES[kind]]
    return _mermaid(arrows)


def _mermaid(arrows: list[str]) -> str:
    return "\n".join(["```mermaid", "stateDiagram-v2", *arrows, "```"])


def _name(state: str) -> str:
    return str(state).replace("-", "_").replace(" ", "_")


if __name__ == "__main__":
    sys.stdout.write(page())
