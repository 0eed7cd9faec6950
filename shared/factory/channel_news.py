"""What is told of channels and versions: announcements, the same however often they are sent."""

from datetime import datetime, timedelta
from typing import Any

from shared.domain.channel import Move, MoveKind, Revocation
from shared.domain.channel_moves import Releases
from shared.domain.image_version import ImageVersion, VersionState
from shared.factory.users import users_of
from shared.messages import Announcement
from shared.ports import Vms

SAY_AGAIN = timedelta(minutes=10)
"""News this fresh is told again by a repeated delivery: the one before may have died between saving
and sending. The same news has the same event id."""

_NAMES = {
    MoveKind.PROMOTED: "ImagePromoted",
    MoveKind.RESTORED: "ImagePromoted",
    MoveKind.ROLLED_BACK: "ImageRolledBack",
    MoveKind.REVOKED: "ImageRolledBack",
    MoveKind.LOST: "ImageRolledBack",
}


def news_of_moves(releases: Releases, *, since: datetime | None) -> list[Announcement]:
    """Return the announcements of moves not told yet, and of those since *since*."""
    told = releases.channels.told
    fresh = [
        m
        for m in releases.channels.moves
        if m.number > told or (since is not None and m.at >= since)
    ]
    return [news for m in fresh if (news := _news_of(m, releases))]


def _news_of(move: Move, releases: Releases) -> Announcement | None:
    channel = releases.channels.channel_of(move)
    is_last = channel.name == releases.rules[-1].name
    name = _NAMES.get(move.kind)
    if move.kind is MoveKind.RELEASED and is_last:
        name = "ImagePromoted"  # the one channel of the definition
    if name is None:
        return None
    definition = releases.channels.definition
    row = releases.row(move.new)
    return Announcement(
        name=name,
        subject=f"images/{definition}",
        key=f"{definition}/moves/{move.number}",
        data={
            "definition": definition,
            "channel": channel.name,
            "version": move.new or None,
            "versionId": row.resource_id if row else None,
            "before": move.old or None,
            "why": move.kind.value,
            "reason": move.because,
            "by": move.by,
            "latest": is_last,
            "at": move.at.isoformat(),
        },
    )


async def news_of_aged(
    releases: Releases, *, since: datetime | None, vms: Vms
) -> list[Announcement]:
    """Return the announcements of versions aged after *since*, with the teams they concern."""
    news: list[Announcement] = []
    for version in releases.versions:
        aged_at = became_at(version, VersionState.AGED)
        if aged_at is None or (since is not None and aged_at < since):
            continue
        users = await users_of(vms, version.definition, version.version)
        newest = releases.last.version
        details = {"newest": newest or None, **users.data}
        news.append(news_of_version("ImageAged", version, aged_at, details))
    return news


def news_of_version(
    name: str, version: ImageVersion, at: datetime, details: dict[str, Any]
) -> Announcement:
    """Return an announcement about one version; *at* tells it from an earlier one of its kind."""
    return Announcement(
        name=name,
        subject=f"images/{version.definition}",
        key=f"{version.definition}/{version.version}/{at.isoformat()}",
        data={
            "definition": version.definition,
            "version": version.version,
            "versionId": version.resource_id,
            "endOfLife": version.end_of_life.isoformat() if version.end_of_life else None,
            "at": at.isoformat(),
            **details,
        },
    )


async def news_of_revoked(
    version: ImageVersion, revocation: Revocation, releases: Releases, *, vms: Vms
) -> Announcement:
    """Return the announcement that *version* is revoked, with the teams it concerns."""
    users = await users_of(vms, version.definition, version.version)
    details = {
        "reason": revocation.because,
        "by": revocation.by,
        "latest": releases.last.version or None,
        **users.data,
    }
    return news_of_version("ImageRevoked", version, revocation.since, details)


def became_at(version: ImageVersion, state: VersionState) -> datetime | None:
    """Return when *version* became what it still is; None when it is not *state*."""
    if version.state is not state:
        return None
    return next((t.at for t in reversed(version.history) if t.new == state), None)
