"""Retention: which versions may leave the gallery, and which never; pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.channel_moves import Releases
from shared.domain.image_definition import ImageDefinition
from shared.domain.image_version import ImageVersion, VersionState
from shared.domain.release_rules import RetentionRule
from shared.domain.versions import version_key

_OFFERED = frozenset({VersionState.RELEASED, VersionState.AGED})
_MAY_GO = frozenset({VersionState.AGED, VersionState.REVOKED, VersionState.REJECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What is to become of a version: it goes because of *because*, or stays because of *held*."""

    version: str
    because: str = ""
    """Why it is to go; empty when nothing says so."""
    held: str = ""
    """Why it stays nevertheless."""

    @property
    def goes(self) -> bool:
        """Whether it may be deleted as far as the rules go; who uses it is another question."""
        return bool(self.because) and not self.held


def fates(releases: Releases, definition: ImageDefinition) -> list[Fate]:
    """Return the fate of every version that is still in the gallery, by the definition's rules."""
    rule = definition.retention
    if rule is None:
        return []
    kept = _newest(releases, rule.keep)
    return [
        _fate(version, releases, definition, rule, kept)
        for version in releases.versions
        if version.deleted_at is None and version.state in _MAY_GO | _OFFERED
    ]


def may_go(version: ImageVersion, releases: Releases, definition: ImageDefinition) -> str:
    """Return why *version* must stay, whoever asks for its deletion; empty when it may go."""
    shown = [r.name for r in releases.rules if _shows(releases, r.name, version.version)]
    if shown:
        return f"channel {shown[0]} shows it"
    if version.state not in _MAY_GO:
        return f"it is {version.state}"
    if version.state is VersionState.AGED and not _other_good(releases, version.version):
        return "it is the last good version"
    end = version.end_of_life
    if definition.block_deletion and end is not None and end > releases.now:
        return f"Azure blocks its deletion until its end of life, {end:%Y-%m-%d}"
    return ""


def _fate(
    version: ImageVersion,
    releases: Releases,
    definition: ImageDefinition,
    rule: RetentionRule,
    kept: Collection[str],
) -> Fate:  # fmt: skip
    because = _because(version, releases, rule)
    held = may_go(version, releases, definition)
    if not held and version.version in kept:
        held = f"the newest {rule.keep} versions are kept"
    return Fate(version=version.version, because=because, held=held)


def _because(version: ImageVersion, releases: Releases, rule: RetentionRule) -> str:
    age = releases.now - version.created_at
    if version.state is VersionState.REJECTED:
        old = rule.rejected is not None and age > rule.rejected
        return f"it was rejected more than {_days(rule.rejected)} ago" if old else ""
    if version.state not in _MAY_GO:
        return ""
    end = version.end_of_life
    if rule.after_end_of_life and end is not None and end <= releases.now:
        return f"its life ended on {end:%Y-%m-%d}"
    if rule.max_age is not None and age > rule.max_age:
        return f"it is older than {_days(rule.max_age)}"
    return ""


def _days(span: timedelta | None) -> str:
    return f"{span.days} days" if span else ""


def _newest(releases: Releases, keep: int) -> frozenset[str]:
    offered = [v.version for v in releases.versions if releases.good(v.version)]
    return frozenset(sorted(offered, key=version_key, reverse=True)[:keep])


def _shows(releases: Releases, channel: str, version: str) -> bool:
    return releases.channels.channel(channel).version == version


def _other_good(releases: Releases, version: str) -> bool:
    last = releases.last
    good = [v for v in last.served - last.withdrawn.keys() if releases.good(v)]
    return any(v != version for v in good)
