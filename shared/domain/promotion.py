"""Whether a version may go on to the next channel, or `latest` to the next wave of regions."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.channel import ImageChannels, soak_of, waves_in
from shared.domain.channel_moves import Releases
from shared.domain.versions import version_key


class Stage(StrEnum):
    """How far a version is on its way into the next channel."""

    NOTHING = "nothing"
    """There is no newer version in the channel before."""
    SOAKING = "soaking"
    APPROVAL = "approval"
    READY = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether a version may enter the next channel now."""

    stage: Stage
    version: str = ""
    until: datetime | None = None
    """When the soak time is over."""
    waiting: str = ""
    """What is waited for, for people."""


def readiness(releases: Releases, index: int, *, soak: timedelta) -> Readiness:
    """Tell whether the version of the channel before may enter channel number *index*."""
    before, rule = releases.rules[index - 1], releases.rules[index]
    source = releases.channels.channel(before.name)
    target = releases.channels.channel(rule.name)
    version = source.version
    newer = version and (not target.version or version_key(version) > version_key(target.version))
    if not newer or version in target.withdrawn or not releases.good(version):
        return Readiness(stage=Stage.NOTHING)
    until = (source.since or releases.now) + soak_of(before, soak)
    if releases.now < until:
        return Readiness(
            stage=Stage.SOAKING,
            version=version,
            until=until,
            waiting=f"{version} soaks in {before.name} until {until:%Y-%m-%d %H:%M} UTC",
        )
    if rule.approval and not releases.channels.approved(version, rule.name):
        return Readiness(
            stage=Stage.APPROVAL,
            version=version,
            waiting=f"{version} waits for somebody's approval to enter {rule.name}",
        )
    return Readiness(stage=Stage.READY, version=version)


def next_wave(releases: Releases) -> Readiness:
    """Tell whether the next wave of regions may open to the last channel's version."""
    rule, channel = releases.rules[-1], releases.last
    if not channel.version or channel.waves >= waves_in(rule):
        return Readiness(stage=Stage.NOTHING)
    until = (channel.wave_since or releases.now) + rule.wave_soak
    if releases.now < until:
        return Readiness(stage=Stage.SOAKING, version=channel.version, until=until)
    return Readiness(stage=Stage.READY, version=channel.version)


def open_wave(releases: Releases) -> ImageChannels:
    """Open one more wave of regions to the last channel's version."""
    channel = replace(releases.last, waves=releases.last.waves + 1, wave_since=releases.now)
    return replace(releases.channels.with_channel(channel), aligned=False)
