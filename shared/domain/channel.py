"""The channels of an image: named pointers to released versions, each with its history.

One record holds all channels of a definition, because they move together: a revoked version leaves
every one of them, and never may two moves, each fine by itself, leave nothing behind.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.release_rules import ChannelRule
from shared.domain.versions import version_key

BY_ASSAY = "assay"
"""Who moved a channel when nobody asked for it."""


class MoveKind(StrEnum):
    """Why a channel moved."""

    ADOPTED = "adopted"
    """The version was released before the channel was."""
    RELEASED = "released"
    """A build's version entered the first channel."""
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled-back"
    """Taken back by a person: what was newer is withdrawn."""
    REVOKED = "revoked"
    """The version was revoked, and the channel fell back to the last good one."""
    LOST = "lost"
    """The version is gone from the gallery, and the channel fell back to the last good one."""
    RESTORED = "restored"
    """A revocation was undone, and the channel returned to what it showed before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One line of a channel's history; never changed, never removed."""

    number: int
    """Counts the moves of all channels of the image, from 1."""
    kind: MoveKind
    old: str
    new: str
    """Empty when no good version was left."""
    at: datetime
    by: str
    """Object id of who asked, `function-key`, or `assay`."""
    because: str
    request: str = ""
    """Token of the request that asked; a repeat of it is recognized by this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel: the version it shows now, and every move it made, oldest first."""

    name: str
    version: str = ""
    since: datetime | None = None
    waves: int = 0
    """How many waves of regions are open to the present version."""
    wave_since: datetime | None = None
    waiting: str = ""
    """Why the version of the channel before has not entered yet, for people."""
    moves: tuple[Move, ...] = ()

    @property
    def served(self) -> frozenset[str]:
        """Every version the channel ever showed."""
        return frozenset(m.new for m in self.moves if m.new)

    @property
    def withdrawn(self) -> dict[str, str]:
        """Versions taken back by a rollback and not shown since, each with the reason."""
        taken: dict[str, str] = {}
        seen: set[str] = set()
        for move in self.moves:
            if move.kind is MoveKind.ROLLED_BACK:
                newer = {v for v in seen if version_key(v) > version_key(move.new)}
                taken |= dict.fromkeys(newer, move.because)
            taken.pop(move.new, None)
            if move.new:
                seen.add(move.new)
        return taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A person's word that *version* may enter *channel*."""

    version: str
    channel: str
    by: str
    because: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """A person's word that *version* must not be used, from *since* on."""

    version: str
    by: str
    because: str
    since: datetime
    request: str
    inherit: bool = True
    """Whether versions built from it are revoked too."""
    force: bool = False
    """Whether it stands even where no good version is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageChannels:
    """The record of all channels of one definition, and whose turn it is to look after them.

    A message that looks after the channels holds the turn it was sent for. Only one for the
    present turn acts, or one without turn when the look that was due never came; so repeated
    messages never multiply, and a lost one is made up for by the timer.
    """

    definition: str
    channels: tuple[Channel, ...] = ()
    approvals: tuple[Approval, ...] = ()
    revocations: tuple[Revocation, ...] = ()
    turn: int = 0
    due: datetime | None = None
    """When the next look is expected; None means that nobody waits for one."""
    told: int = 0
    """Number of the last move that was announced."""
    aligned: bool = True
    """Whether the gallery shows what the channels say."""
    behind_since: datetime | None = None
    """Since when the gallery shows something else; None while it does not."""
    looked_at: datetime | None = None
    problem: str = ""
    """What keeps the gallery from showing what the channels say, for people."""
    replicas: dict[str, int] = field(default_factory=dict)
    """Replicas by region, where the definition lets them follow the fleet."""
    replicas_at: datetime | None = None

    def channel(self, name: str) -> Channel:
        """Return the channel called *name*, an empty one when it never showed anything."""
        return next((c for c in self.channels if c.name == name), Channel(name=name))

    @property
    def moves(self) -> list[Move]:
        """Every move of every channel, oldest first."""
        return sorted((m for c in self.channels for m in c.moves), key=lambda m: m.number)

    def revocation(self, version: str) -> Revocation | None:
        """Return the revocation of *version*, in force or still to come."""
        return next((r for r in self.revocations if r.version == version), None)

    def revoked(self, version: str, *, now: datetime) -> bool:
        """Tell whether *version* is revoked by now."""
        revocation = self.revocation(version)
        return revocation is not None and revocation.since <= now

    def approved(self, version: str, channel: str) -> bool:
        """Tell whether a person let *version* into *channel*."""
        return any((a.version, a.channel) == (version, channel) for a in self.approvals)

    def may_look(self, turn: int | None, *, now: datetime) -> bool:
        """Tell whether a delivery for *turn* acts; see the class."""
        if turn is not None:
            return turn == self.turn
        return self.due is None or self.due <= now

    def with_channel(self, channel: Channel) -> "ImageChannels":
        """Return the record with *channel* in the place of the one of that name."""
        others = tuple(c for c in self.channels if c.name != channel.name)
        return replace(self, channels=(*others, channel))

    def moved(
        self,
        name: str,
        version: str,
        kind: MoveKind,
        *,
        now: datetime,
        because: str,
        by: str = BY_ASSAY,
        request: str = "",
        waves: int = 1,
    ) -> "ImageChannels":
        """Return the record with the channel *name* showing *version*, in *waves* open waves."""
        channel = self.channel(name)
        move = Move(
            number=max((m.number for m in self.moves), default=0) + 1,
            kind=kind,
            old=channel.version,
            new=version,
            at=now,
            by=by,
            because=because,
            request=request,
        )
        moved = replace(
            channel,
            version=version,
            since=now,
            waves=waves,
            wave_since=now,
            waiting="",
            moves=(*channel.moves, move),
        )
        return replace(self.with_channel(moved), aligned=False)

    def channel_of(self, move: Move) -> Channel:
        """Return the channel that made *move*."""
        return next(c for c in self.channels if any(m.number == move.number for m in c.moves))


def open_regions(rule: ChannelRule, channel: Channel, regions: Sequence[str]) -> frozenset[str]:
    """Return the *regions* in which the last channel's version is `latest` by now."""
    closed = {r for wave in rule.waves[channel.waves :] for r in wave}
    return frozenset(r for r in regions if r not in closed)


def waves_in(rule: ChannelRule) -> int:
    """Return how many waves *rule* has; a channel without any has one, of all regions."""
    return max(1, len(rule.waves))


def soak_of(rule: ChannelRule, default: timedelta) -> timedelta:
    """Return how long a version stays in the channel of *rule* before it may go on."""
    return default if rule.soak is None else rule.soak
