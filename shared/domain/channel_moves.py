"""What may move a channel: who may go where, what is left when a version is lost; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.channel import (
    Approval,
    Channel,
    ImageChannels,
    MoveKind,
    Revocation,
    waves_in,
)
from shared.domain.image_version import ImageVersion, VersionState
from shared.domain.release_rules import ChannelRule
from shared.domain.versions import version_key

_LIVE = frozenset({VersionState.RELEASED, VersionState.AGED})
_REVOCABLE = _LIVE | {VersionState.RETIRED, VersionState.REVOKED}


class MoveRefusedError(ValueError):
    """What was asked of a channel or a version cannot be; the message says why and what can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases:
    """The channels of an image with its rules and its versions: what moves are decided by."""

    channels: ImageChannels
    rules: Sequence[ChannelRule]
    versions: Sequence[ImageVersion]
    now: datetime

    def row(self, version: str) -> ImageVersion | None:
        """Return the register's row of *version*."""
        return next((v for v in self.versions if v.version == version), None)

    def good(self, version: str) -> bool:
        """Tell whether *version* may be shown: released, there, and not revoked."""
        row = self.row(version)
        return (
            row is not None
            and not self.channels.revoked(version, now=self.now)
            and row.state in _LIVE
            and row.deleted_at is None
        )

    def last_good(self, name: str, *, but: Iterable[str] = ()) -> str:
        """Return what the channel *name* falls back to without *but*; empty when nothing is left.

        That is the highest good version it showed before and that was not taken back since.
        """
        channel = self.channels.channel(name)
        left = channel.served - channel.withdrawn.keys() - {channel.version, *but}
        usable = [v for v in left if self.good(v)]
        return max(usable, key=version_key, default="")

    @property
    def last(self) -> Channel:
        """The last channel: the one Azure's `latest` follows."""
        return self.channels.channel(self.rules[-1].name)

    def with_channels(self, channels: ImageChannels) -> "Releases":
        """Return the same with other *channels*."""
        return replace(self, channels=channels)


def adopt(releases: Releases) -> ImageChannels:
    """Fill a channel that never showed anything from what was released before it was there.

    The last channel takes what Azure offers as `latest` now, so that a new release of Assay, or a
    channel added to a definition, takes nothing away from anybody.
    """
    channels = releases.channels
    last = releases.rules[-1].name
    live = [v for v in releases.versions if v.state in _LIVE and v.deleted_at is None]
    offered = sorted((v for v in live if not v.excluded_from_latest), key=_number)
    if offered and not channels.channel(last).moves:
        for version in offered:
            channels = channels.moved(
                last,
                version.version,
                MoveKind.ADOPTED,
                now=releases.now,
                because="Azure offered it as latest when the channel was made",
                waves=waves_in(releases.rules[-1]),
            )
        channels = replace(channels, told=channels.moves[-1].number)
    return channels


def enter(releases: Releases, version: str, *, because: str) -> ImageChannels:
    """Let a released *version* into the first channel, once; look after the channels now.

    A number lower than the one shown stays outside: `latest` would never mean it.
    """
    first = releases.rules[0]
    channel = releases.channels.channel(first.name)
    if version in channel.served:
        return releases.channels
    if channel.version and version_key(channel.version) > version_key(version):
        return releases.channels
    moved = releases.channels.moved(
        first.name, version, MoveKind.RELEASED, now=releases.now, because=because
    )
    return replace(moved, due=releases.now)


def fall_back(releases: Releases) -> ImageChannels:
    """Let every channel whose version is no longer good fall back to its last good one."""
    for rule in releases.rules:
        channel = releases.channels.channel(rule.name)
        if channel.version and not releases.good(channel.version):
            releases = releases.with_channels(_fallen_back(releases, rule, channel))
    return releases.channels


def _fallen_back(releases: Releases, rule: ChannelRule, channel: Channel) -> ImageChannels:
    revocation = releases.channels.revocation(channel.version)
    revoked = revocation is not None and revocation.since <= releases.now
    because = f"version {channel.version} is gone from the gallery or retired"
    if revocation and revoked:
        because = f"version {channel.version} was revoked: {revocation.because}"
    return releases.channels.moved(
        rule.name,
        releases.last_good(rule.name),
        MoveKind.REVOKED if revoked else MoveKind.LOST,
        now=releases.now,
        because=because,
        by=revocation.by if revocation and revoked else "assay",
        request=revocation.request if revocation and revoked else "",
        waves=waves_in(rule),
    )


def move_channel(
    releases: Releases, name: str, version: str, *, by: str, because: str, request: str
) -> ImageChannels:
    """Move the channel *name* to *version* because a person says so; empty means back one.

    A higher number is a promotion and need not soak, a lower one a rollback.

    Raises MoveRefusedError when the channel or the version does not exist, or may not be there.
    """
    rule = _rule(releases, name)
    channel = releases.channels.channel(name)
    target = version or _one_back(releases, channel)
    if target == channel.version:
        return releases.channels
    _must_be_usable(releases, target)
    forward = not channel.version or version_key(target) > version_key(channel.version)
    if forward and rule.approval and not releases.channels.approved(target, name):
        raise MoveRefusedError(
            f"channel {name} asks for an approval, and version {target} has none; approve it first"
        )
    moved = releases.channels.moved(
        name,
        target,
        MoveKind.PROMOTED if forward else MoveKind.ROLLED_BACK,
        now=releases.now,
        because=because,
        by=by,
        request=request,
        waves=1 if forward else waves_in(rule),
    )
    return replace(moved, due=releases.now)


def _one_back(releases: Releases, channel: Channel) -> str:
    if not channel.version:
        raise MoveRefusedError(f"channel {channel.name} shows no version; there is no way back")
    newer = [v for v in channel.served if version_key(v) > version_key(channel.version)]
    target = releases.last_good(channel.name, but=newer)
    if not target:
        raise MoveRefusedError(
            f"channel {channel.name} showed no other good version before {channel.version}; "
            "publish a new one"
        )
    return target


def approve(releases: Releases, name: str, version: str, *, by: str, because: str) -> ImageChannels:
    """Keep a person's word that *version* may enter the channel *name*.

    Raises MoveRefusedError when there is no such channel or the version may not be used.
    """
    _rule(releases, name)
    _must_be_usable(releases, version)
    if releases.channels.approved(version, name):
        return releases.channels
    approval = Approval(version=version, channel=name, by=by, because=because, at=releases.now)
    channels = releases.channels
    return replace(channels, approvals=(*channels.approvals, approval), due=releases.now)


def revoke(releases: Releases, revocation: Revocation) -> ImageChannels:
    """Keep that a version must not be used, and let channels that show it fall back.

    Raises MoveRefusedError for a version never released, one revoked already, and, unless it is
    forced, for the last good one of the last channel.
    """
    channels, version = releases.channels, revocation.version
    row = releases.row(version)
    if row is None or row.state not in _REVOCABLE:
        state = row.state.value if row else "not in the register"
        raise MoveRefusedError(f"version {version} was never released, it is {state}")
    known = channels.revocation(version)
    if known is not None and known.since <= releases.now:
        raise MoveRefusedError(f"version {version} is revoked already, because: {known.because}")
    last = releases.last
    if last.version == version and not releases.last_good(last.name) and not revocation.force:
        raise MoveRefusedError(
            f"version {version} is the last good one of channel {last.name}, and without it "
            "Azure has no latest; publish another one first, or revoke it with force"
        )
    others = tuple(r for r in channels.revocations if r.version != version)
    kept = replace(channels, revocations=(*others, revocation), aligned=False)
    if revocation.since > releases.now:
        due = min(revocation.since, channels.due) if channels.due else revocation.since
        return replace(kept, due=due, turn=channels.turn + 1, aligned=channels.aligned)
    return replace(fall_back(releases.with_channels(kept)), due=releases.now)


def restore(releases: Releases, version: str, *, by: str, because: str, request: str) -> (
    ImageChannels
):  # fmt: skip
    """Undo the revocation of *version*; channels that only fell back because of it return.

    Raises MoveRefusedError when it is not revoked.
    """
    channels = releases.channels
    revocation = channels.revocation(version)
    if revocation is None:
        raise MoveRefusedError(f"version {version} is not revoked")
    others = tuple(r for r in channels.revocations if r.version != version)
    channels = replace(channels, revocations=others, aligned=False, due=releases.now)
    row = releases.row(version)
    if row is None or row.deleted_at is not None:
        return channels
    for rule in releases.rules:
        channel = channels.channel(rule.name)
        move = channel.moves[-1] if channel.moves else None
        fell = move and (move.kind, move.old, move.request) == (
            MoveKind.REVOKED, version, revocation.request,
        )  # fmt: skip
        if fell:
            channels = channels.moved(
                rule.name, version, MoveKind.RESTORED, now=releases.now, because=because, by=by,
                request=request, waves=waves_in(rule),
            )  # fmt: skip
    return channels


def _rule(releases: Releases, name: str) -> ChannelRule:
    for rule in releases.rules:
        if rule.name == name:
            return rule
    known = ", ".join(r.name for r in releases.rules)
    raise MoveRefusedError(f"there is no channel {name}; there are {known}")


def _must_be_usable(releases: Releases, version: str) -> None:
    row = releases.row(version)
    if row is None:
        raise MoveRefusedError(f"there is no version {version}")
    if releases.channels.revoked(version, now=releases.now):
        raise MoveRefusedError(f"version {version} is revoked; restore it first")
    if not releases.good(version):
        state = "deleted from the gallery" if row.deleted_at else row.state.value
        raise MoveRefusedError(f"version {version} is {state}; only a released one may be used")


def _number(version: ImageVersion) -> tuple[int, ...]:
    return version_key(version.version)
