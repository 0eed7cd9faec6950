"""A place to build for the next attempt of a build, or a place in line."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from shared.domain.build import Build, Phase
from shared.domain.slots import Seat, Slots
from shared.ports import BuildCapacity, Builds, BuildSlots, Stored


async def take_place(
    build: Build,
    *,
    builds: Builds,
    build_slots: BuildSlots,
    build_capacity: BuildCapacity,
    now: datetime,
) -> str:
    """Take a place for the next attempt; return what it waits for, or nothing when it has one.

    A repeat finds the place it has. Raises ConflictError when another build was faster.
    """
    key = (build.id, len(build.attempts) + 1)
    limit = build_capacity.limit
    stored = await build_slots.get(build_capacity.scope) or Stored(
        Slots(scope=build_capacity.scope)
    )
    slots = stored.value
    crowded = len(slots.taken) >= limit or slots.line
    if crowded and not slots.has(key):
        slots = slots.without(await _gone(slots, limit, builds))
    slots = slots.asked(key, limit=limit, now=now)
    if slots != stored.value:
        await build_slots.save(Stored(slots, stored.etag))
    if slots.has(key):
        return ""
    return (
        f"waits for a place to build: number {slots.place(key) + 1} in line, "
        f"{len(slots.taken)} of {limit} places are taken"
    )


async def _gone(slots: Slots, limit: int, builds: Builds) -> set[tuple[str, int]]:
    """Return who holds a seat, or could be next, and does not build or wait any more."""
    building, waiting = slots.taken, slots.line[:limit]
    loaded = await asyncio.gather(*(_load(seat, builds) for seat in (*building, *waiting)))
    by_key = dict(zip((s.key for s in (*building, *waiting)), loaded, strict=True))
    return {
        *_not_so(building, by_key, {Phase.QUEUED, Phase.BUILDING}),
        *_not_so(waiting, by_key, {Phase.QUEUED}),
    }


async def _load(seat: Seat, builds: Builds) -> Build | None:
    stored = await builds.get(seat.build_id)
    return stored.value if stored else None


def _not_so(
    seats: Sequence[Seat], by_key: dict[tuple[str, int], Build | None], phases: set[Phase]
) -> set[tuple[str, int]]:
    return {s.key for s in seats if not _is_so(by_key[s.key], s.attempt, phases)}


def _is_so(build: Build | None, attempt: int, phases: set[Phase]) -> bool:
    """Tell whether *build* is in one of *phases* with its attempt number *attempt*."""
    if build is None or build.phase not in phases:
        return False
    present = len(build.attempts) + (1 if build.phase is Phase.QUEUED else 0)
    return present == attempt
