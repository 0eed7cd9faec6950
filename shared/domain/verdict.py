"""The verdict: how the image a VM runs stands today, by which rule, since when, and what to do.

What is said of a VM depends on its own version, on those above it, and on the newest one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.identifiers import normalise_region
from shared.domain.image_version import ImageVersion, VersionState, newest_in_region
from shared.domain.versions import version_key
from shared.domain.vm_record import Image, Machine, Rule, Verdict

_NEVER_RELEASED = frozenset({VersionState.RESERVED, VersionState.CANDIDATE, VersionState.REJECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict with everything that explains it."""

    verdict: Verdict
    rule: Rule
    reason: str
    """One sentence; it ends with what to do, where something is to be done."""
    since: datetime | None = None
    """Since when it holds, by the register; None where only the VM's own time tells."""
    behind: int = 0
    """How many newer versions the region offers."""
    newest: str = ""
    """The version to redeploy from; empty where the region offers none."""
    published_at: datetime | None = None
    """When the version it runs was published."""


def judge(
    image: Image,
    *,
    region: str,
    definition: str,
    versions: Sequence[ImageVersion] | None,
    machine: Machine = Machine.VM,
) -> Judgement:
    """Judge *image* in *region* by the register's *versions* of our image *definition*.

    *versions* is None when the image is not one of ours.
    """
    judgement = _judge(image, normalise_region(region), definition, versions, machine)
    if image.mismatch:
        reason = judgement.reason.removesuffix(".") + (
            "; VM and OS disk name different images, find out whether the disk was swapped."
        )
        return replace(judgement, reason=reason)
    return judgement


def _judge(
    image: Image,
    region: str,
    definition: str,
    versions: Sequence[ImageVersion] | None,
    machine: Machine,
) -> Judgement:
    subject = "scale set makes its instances" if machine is Machine.SCALE_SET else "VM was made"
    if not image.image_id:
        return Judgement(
            verdict=Verdict.UNKNOWN,
            rule=Rule.NO_LINEAGE,
            reason=f"Azure does not say which image this {subject} from; "
            "redeploy it from a released image version.",
        )
    if versions is None:
        return Judgement(
            verdict=Verdict.UNAPPROVED,
            rule=Rule.FOREIGN,
            reason=f"{_name(image)} is not one of our images; "
            "redeploy the VM from a released image version.",
        )
    bench = _Bench(definition, region, list(versions))
    if image.version:
        return bench.judge(image.version)
    return bench.judge_latest() if machine is Machine.SCALE_SET else bench.judge_unknown()


def concerned_up_to(changed: str, versions: Sequence[ImageVersion]) -> str:
    """Return the highest version whose users a change of *changed* may concern; empty for all.

    Where every region has a newer version to offer, nobody above *changed* hears of it: its own
    users do, and those behind it. Otherwise it is, or was until now, what people are sent to.
    """
    offered = {region for v in versions for region in v.regions}
    newest = [newest_in_region(list(versions), region) for region in offered]
    above = [v for v in newest if v and version_key(v.version) > version_key(changed)]
    return changed if newest and len(above) == len(newest) else ""


class _Bench:
    """Judges versions of one of our images in one region."""

    def __init__(self, definition: str, region: str, versions: list[ImageVersion]) -> None:
        self._definition = definition
        self._region = region
        self._versions = versions
        self._newest = newest_in_region(versions, region)
        self._advice = (
            f"redeploy from {self._newest.version}"
            if self._newest
            else f"ask the platform team for a version released in {region} and redeploy from it"
        )

    def judge_unknown(self) -> Judgement:
        """Judge a VM whose version Azure does not tell."""
        return self._say(
            Verdict.UNKNOWN,
            Rule.NO_VERSION,
            f"Azure does not say which version of {self._definition} this VM was made from; "
            "redeploy it from a released image version.",
        )

    def judge_latest(self) -> Judgement:
        """Judge a scale set that takes whatever is the latest when it makes an instance."""
        if self._newest is None:
            return self._say(
                Verdict.RETIRED,
                Rule.NOTHING_OFFERED,
                f"{self._region} offers no version of {self._definition}, so the scale set cannot "
                "scale out; ask the platform team for a version released there.",
            )
        return self._say(
            Verdict.CURRENT,
            Rule.FOLLOWS_LATEST,
            f"New instances run the latest version of {self._definition} in {self._region}.",
        )

    def judge(self, version: str) -> Judgement:
        """Judge an exact version."""
        running = next((v for v in self._versions if v.version == version), None)
        what = f"Version {version} of {self._definition}"
        if running is None:
            return self._say(
                Verdict.UNAPPROVED,
                Rule.NOT_REGISTERED,
                f"{what} is not in the register; {self._advice}.",
            )
        judgement = self._by_state(running, what) or self._by_age(running, what)
        return replace(judgement, published_at=running.published_at)

    def _by_state(self, running: ImageVersion, what: str) -> Judgement | None:
        """Judge a version that is out of use, whatever its age; None for one in use."""
        if running.state in _NEVER_RELEASED:
            return self._say(
                Verdict.UNAPPROVED,
                Rule.NEVER_RELEASED,
                f"{what} was never released, it is {running.state}; {self._advice}.",
            )
        if running.state is VersionState.REVOKED:
            return self._say(
                Verdict.REVOKED,
                Rule.REVOKED,
                f"{what} was revoked{_because(running)}; {self._advice} now.",
                since=_became(running, VersionState.REVOKED),
            )
        if running.deleted_at is not None:
            return self._say(
                Verdict.RETIRED,
                Rule.DELETED,
                f"{what} was deleted from the gallery; {self._advice}.",
                since=running.deleted_at,
            )
        if running.state is VersionState.RETIRED:
            return self._say(
                Verdict.RETIRED,
                Rule.RETIRED,
                f"{what} is retired; {self._advice}.",
                since=_became(running, VersionState.RETIRED),
            )
        return None

    def _by_age(self, running: ImageVersion, what: str) -> Judgement:
        newest = self._newest
        if running.withdrawn and newest is not running:
            return self._say(
                Verdict.AGED,
                Rule.WITHDRAWN,
                f"{what} was taken back ({running.withdrawn}); {self._advice}.",
            )
        if newest is None:
            return self._say(
                Verdict.CURRENT,
                Rule.ALONE,
                f"{what} is released, and {self._region} offers no other version.",
            )
        own, best = version_key(running.version), version_key(newest.version)
        if own == best:
            return self._say(
                Verdict.CURRENT, Rule.NEWEST, f"{what} is the newest in {self._region}."
            )
        if own > best:
            trial = "; it is on trial" if running.excluded_from_latest else ""
            return self._say(
                Verdict.CURRENT,
                Rule.AHEAD,
                f"{what} is released and newer than what latest means in {self._region}{trial}.",
            )
        newer = self._newer_than(running)
        count = "1 released version" if len(newer) == 1 else f"{len(newer)} released versions"
        return self._say(
            Verdict.AGED,
            Rule.BEHIND,
            f"{what} is behind by {count} in {self._region}; {self._advice}.",
            since=min((v.published_at for v in newer if v.published_at), default=None),
            behind=len(newer),
        )

    def _newer_than(self, running: ImageVersion) -> list[ImageVersion]:
        """Return the versions above *running* that the region offers."""
        own = version_key(running.version)
        above = [v for v in self._versions if version_key(v.version) > own]
        return [v for v in above if newest_in_region([v], self._region) is not None]

    def _say(
        self,
        verdict: Verdict,
        rule: Rule,
        reason: str,
        *,
        since: datetime | None = None,
        behind: int = 0,
    ) -> Judgement:
        newest = self._newest.version if self._newest and verdict is not Verdict.CURRENT else ""
        return Judgement(
            verdict=verdict,
            rule=rule,
            reason=reason,
            since=since,
            behind=behind,
            newest=newest,
        )


def _became(version: ImageVersion, state: VersionState) -> datetime | None:
    """Return when *version* came into *state* for the last time, as its history tells."""
    return next((t.at for t in reversed(version.history) if t.new == state), None)


def _because(version: ImageVersion) -> str:
    """Return why *version* was revoked, in parentheses, as its history tells."""
    reasons = [t.because for t in version.history if t.new == VersionState.REVOKED and t.because]
    return f" ({reasons[-1]})" if reasons else ""


def _name(image: Image) -> str:
    return f"{image.image_id} {image.version}".strip()
