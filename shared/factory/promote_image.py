"""promote_image: look after an image's channels: what may go on goes on, and Azure follows."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.channel import ImageChannels, MoveKind
from shared.domain.channel_moves import Releases, fall_back
from shared.domain.image_definition import ImageDefinition
from shared.domain.image_version import VersionState
from shared.domain.promotion import Readiness, Stage, next_wave, open_wave, readiness
from shared.factory.alignment import Outcome, align_gallery
from shared.factory.channel_news import SAY_AGAIN, news_of_aged, news_of_moves
from shared.factory.definitions import definition_named
from shared.factory.fleet_replicas import follow_fleet
from shared.factory.releases import Loaded, follow_channels, load, save
from shared.factory.users import failing_users
from shared.messages import (
    Delayed,
    JudgeImageUsers,
    Message,
    PromoteImage,
    RebuildChildren,
    RevokeVersion,
)
from shared.ports import Channels, Definitions, Gallery, ImageVersions, Pace, Vms

_log = logging.getLogger(__name__)

ALIGN_LIMIT = timedelta(hours=12)
"""So long the gallery is looked at closely; then only the timer looks. Our bound, not Azure's."""
LONGEST_WAIT = timedelta(days=6)
"""A queue keeps a message for 7 days."""
POSTPONED = timedelta(hours=1)
"""A scheduled revocation that would leave no latest is looked at again this much later."""


async def promote_image(
    command: PromoteImage,
    *,
    definitions: Definitions,
    channels: Channels,
    image_versions: ImageVersions,
    vms: Vms,
    gallery: Gallery,
    pace: Pace,
    now: datetime,
) -> list[Message]:
    """Bring the channels one look further, and the gallery into line with them.

    A version enters the next channel when it soaked long enough, nobody who runs it has a failing
    verdict or policy state, and a person approved it where the definition asks for that. The
    decision is saved first; whatever follows from it is done again until Azure shows it.
    """
    definition = definition_named(definitions, command.definition)
    loaded = await load(definition, channels=channels, image_versions=image_versions, now=now)
    if not loaded.stored.value.may_look(command.turn, now=now):
        return await _say_again(loaded, vms)
    since = loaded.stored.value.looked_at if command.turn is not None else now - SAY_AGAIN
    revocations = _revocations_due(loaded.releases)
    decided = await _decide(loaded.releases, definition, vms=vms, soak=pace.soak)
    decided = await follow_fleet(decided, loaded.releases, definition, vms=vms)
    if decided != loaded.stored.value:
        loaded = await save(loaded, decided, channels=channels)
    loaded = await follow_channels(loaded, definition, image_versions=image_versions)
    outcome = await align_gallery(
        loaded, definition, image_versions=image_versions, gallery=gallery
    )
    news: list[Message] = [
        *news_of_moves(outcome.loaded.releases, since=since if command.turn is None else None),
        *await news_of_aged(outcome.loaded.releases, since=since, vms=vms),
    ]
    after = _after(outcome, loaded.releases, pace)
    await save(outcome.loaded, after, channels=channels)
    return [*news, *revocations, *_consequences(after, outcome, definition, gallery)]


def _consequences(
    after: ImageChannels, outcome: Outcome, definition: ImageDefinition, gallery: Gallery
) -> list[Message]:
    """Return what a look leads to besides its news."""
    messages: list[Message] = []
    before = outcome.loaded.releases.channels
    if after.told != before.told or after.aligned != before.aligned:
        messages += _for_users(definition.name, gallery.image_id(definition))
    if after.due is not None:
        look = PromoteImage(definition=definition.name, turn=after.turn)
        now = outcome.loaded.releases.now
        messages.append(Delayed(command=look, delay=max(after.due - now, timedelta())))
    return messages


def _for_users(definition: str, image_id: str) -> list[Message]:
    return [
        JudgeImageUsers(image_id=image_id, because="the channels of the image moved"),
        RebuildChildren(definition=definition),
    ]


async def _say_again(loaded: Loaded, vms: Vms) -> list[Message]:
    """Return the news a delivery before this one may have died with; nothing is sent to look on.

    A look that was lost is made up for by the timer.
    """
    releases = loaded.releases
    looked_at = loaded.stored.value.looked_at
    since = releases.now - SAY_AGAIN
    news: list[Message] = [
        *news_of_moves(releases, since=since),
        *await news_of_aged(releases, since=since, vms=vms),
    ]
    if looked_at is None or looked_at < since or not releases.versions:
        return news
    return [*news, *_for_users(releases.channels.definition, releases.versions[0].image_id)]


def _revocations_due(releases: Releases) -> list[Message]:
    """Return the scheduled revocations whose time has come; the step that revokes does the rest."""
    return [
        RevokeVersion(
            definition=releases.channels.definition,
            image_version=r.version,
            by=r.by,
            because=r.because,
            request=r.request,
            at=r.since,
            inherit=r.inherit,
            force=r.force,
        )
        for r in releases.channels.revocations
        if r.since <= releases.now
        and not _leaves_nothing(releases, r.version, force=r.force)
        and (row := releases.row(r.version))
        and row.state is not VersionState.REVOKED
    ]


def _leaves_nothing(releases: Releases, version: str, *, force: bool) -> bool:
    """Tell whether revoking *version* takes the last good one, which nobody forced."""
    last = releases.last
    return not force and last.version == version and not releases.last_good(last.name)


async def _decide(
    releases: Releases, definition: ImageDefinition, *, vms: Vms, soak: timedelta
) -> ImageChannels:
    """Return the channels as they are to be now."""
    releases = releases.with_channels(_postpone(releases))
    releases = releases.with_channels(fall_back(releases))
    for index in range(1, len(releases.rules)):
        releases = releases.with_channels(await _decide_one(releases, index, vms=vms, soak=soak))
    wave = next_wave(releases)
    if wave.stage is not Stage.READY:
        return releases.channels
    failing = await failing_users(vms, definition.name, wave.version)
    if not failing:
        return open_wave(releases)
    waiting = f"{wave.version} opens to no further region: {failing}"
    return releases.channels.with_channel(replace(releases.last, waiting=waiting))


def _postpone(releases: Releases) -> ImageChannels:
    """Put off scheduled revocations that would leave the definition without a latest."""
    channels = releases.channels
    for revocation in channels.revocations:
        row = releases.row(revocation.version)
        fresh = row is not None and row.state is not VersionState.REVOKED
        due = revocation.since <= releases.now
        if due and fresh and _leaves_nothing(releases, revocation.version, force=revocation.force):
            _log.warning(
                "%s %s is to be revoked but is the last good version: publish another one, or "
                "revoke it with force",
                channels.definition,
                revocation.version,
            )
            later = replace(revocation, since=releases.now + POSTPONED)
            kept = tuple(later if r is revocation else r for r in channels.revocations)
            channels = replace(channels, revocations=kept)
    return channels


async def _decide_one(
    releases: Releases, index: int, *, vms: Vms, soak: timedelta
) -> ImageChannels:
    """Return the channels after channel number *index* took what it may take."""
    rule = releases.rules[index]
    ready = readiness(releases, index, soak=soak)
    waiting = ready.waiting
    if ready.stage is Stage.READY:
        failing = await failing_users(vms, releases.channels.definition, ready.version)
        if not failing:
            before = releases.rules[index - 1].name
            return releases.channels.moved(
                rule.name,
                ready.version,
                MoveKind.PROMOTED,
                now=releases.now,
                because=f"it proved itself in {before}",
            )
        waiting = f"{ready.version} is not promoted to {rule.name}: {failing}"
    channel = releases.channels.channel(rule.name)
    if channel.waiting == waiting:
        return releases.channels
    return releases.channels.with_channel(replace(channel, waiting=waiting))


def _after(outcome: Outcome, releases: Releases, pace: Pace) -> ImageChannels:
    """Return the record as it stands after a look: one turn on, with the next look's time.

    A look that found all as it should be, with nothing to wait for, leaves it as it is.
    """
    channels, now = outcome.loaded.releases.channels, releases.now
    behind = (channels.behind_since or now) if outcome.pending else None
    due = _due(outcome, releases, pace, behind)
    last = channels.moves[-1].number if channels.moves else 0
    settled = not outcome.pending and channels.aligned and channels.told == last
    if settled and due is None and channels.due is None:
        return channels
    return replace(
        channels,
        turn=channels.turn + 1,
        due=due,
        told=last,
        aligned=not outcome.pending,
        behind_since=behind,
        looked_at=now,
        problem=outcome.problem or _late(behind, now),
    )


def _late(behind: datetime | None, now: datetime) -> str:
    if behind is None or now - behind <= ALIGN_LIMIT:
        return ""
    return f"the gallery does not show what the channels say since {behind:%Y-%m-%d %H:%M} UTC"


def _due(
    outcome: Outcome, releases: Releases, pace: Pace, behind: datetime | None
) -> datetime | None:
    """Return when to look again by a message; None leaves it to the timer."""
    now, current = releases.now, outcome.loaded.releases
    waits = [readiness(current, i, soak=pace.soak) for i in range(1, len(current.rules))]
    moments = [w.until for w in (*waits, next_wave(current)) if _lies_ahead(w)]
    moments += [r.since for r in current.channels.revocations if r.since > now]
    if behind is not None and now - behind <= ALIGN_LIMIT:
        moments.append(now + pace.look)
    nearest = min((m for m in moments if m is not None), default=None)
    return min(nearest, now + LONGEST_WAIT) if nearest else None


def _lies_ahead(wait: Readiness) -> bool:
    return wait.stage is Stage.SOAKING
