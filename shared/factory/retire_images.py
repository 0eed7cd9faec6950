"""retire_images: old versions leave the gallery: marked, announced, looked at again, deleted."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from shared.domain.channel import BY_ASSAY
from shared.domain.history import Transition
from shared.domain.image_definition import ImageDefinition
from shared.domain.image_version import ImageVersion, Retirement, VersionState
from shared.domain.retention import Fate, fates, may_go
from shared.errors import RefusedError
from shared.factory.channel_news import SAY_AGAIN, became_at, news_of_version
from shared.factory.definitions import definition_named
from shared.factory.releases import Loaded, load
from shared.factory.users import users_of
from shared.messages import JudgeImageUsers, Message, RetireImages
from shared.ports import (
    Builds,
    Channels,
    Definitions,
    Fleet,
    Gallery,
    ImageVersions,
    Stored,
    Vms,
    every,
)

_log = logging.getLogger(__name__)
_PAGE = 200


async def retire_images(
    command: RetireImages,
    *,
    definitions: Definitions,
    channels: Channels,
    image_versions: ImageVersions,
    builds: Builds,
    vms: Vms,
    fleet: Fleet,
    gallery: Gallery,
    now: datetime,
) -> list[Message]:
    """Mark what is to go, and delete what was marked and announced long enough ago.

    A version that a VM, the model of a scale set, or a build under way refers to is not marked,
    and one that came into use since it was marked is spared. The register's row stays.
    """
    definition = definition_named(definitions, command.definition)
    loaded = await load(definition, channels=channels, image_versions=image_versions, now=now)
    work = _Work(definition, definitions, loaded, image_versions, builds, vms, fleet, gallery)
    by_version = {fate.version: fate for fate in fates(loaded.releases, definition)}
    messages: list[Message] = []
    for row in loaded.rows:
        messages += await work.look_at(row, by_version.get(row.value.version))
    if messages:
        because = "versions of the image are being retired"
        messages.append(JudgeImageUsers(image_id=gallery.image_id(definition), because=because))
    return messages


async def in_use(
    version: ImageVersion,
    definitions: Mapping[str, ImageDefinition],
    *,
    builds: Builds,
    vms: Vms,
    fleet: Fleet,
) -> str:
    """Return who refers to *version*; empty when nobody does."""
    users = await users_of(vms, version.definition, version.version)
    if users.count:
        return f"{users.count} VMs of {', '.join(sorted(users.teams))} run it"
    models = await fleet.scale_set_models(version.image_id)
    if named := [m for m in models if m.version == version.version]:
        return f"scale set {named[0].resource_id} makes its instances from it"
    for definition in definitions.values():
        if definition.parent and definition.parent.image == version.definition:
            building = await _builds_from(definition.name, version.version, builds)
            if building:
                return f"build {building} is made from it"
    return ""


async def _builds_from(definition: str, source_version: str, builds: Builds) -> str:
    pages = every(lambda cursor: builds.list(definition=definition, limit=_PAGE, cursor=cursor))
    async for build in pages:
        if build.source_version == source_version and not build.finished:
            return build.id
    return ""


class _Work:
    """One look at the versions of one image."""

    def __init__(  # noqa: PLR0917 - the ports of the step, handed on as they are
        self,
        definition: ImageDefinition,
        definitions: Definitions,
        loaded: Loaded,
        image_versions: ImageVersions,
        builds: Builds,
        vms: Vms,
        fleet: Fleet,
        gallery: Gallery,
    ) -> None:
        self._definition = definition
        self._definitions = definitions
        self._loaded = loaded
        self._now = loaded.releases.now
        self._image_versions = image_versions
        self._builds = builds
        self._vms = vms
        self._fleet = fleet
        self._gallery = gallery

    async def look_at(self, row: Stored[ImageVersion], fate: Fate | None) -> list[Message]:
        """Bring the retirement of one version a step further; return its news."""
        version = row.value
        if version.state is VersionState.RETIRED:
            return await self._retired(row)
        if version.deleted_at is not None:
            return []
        if version.retirement is not None:
            return await self._marked(row, version.retirement)
        return await self._fresh(row, fate) if fate and fate.goes else []

    async def _fresh(self, row: Stored[ImageVersion], fate: Fate) -> list[Message]:
        if await self._in_use(row.value):
            return []
        rule = self._definition.retention
        if rule is None or rule.dry_run:
            _log.info(
                "dry run: %s %s would be retired, %s",
                row.value.definition, row.value.version, fate.because,
            )  # fmt: skip
            return []
        if row.value.state is VersionState.REJECTED:
            return await self._remove_rejected(row, fate)
        marked = replace(
            row.value,
            retirement=Retirement(
                marked_at=self._now,
                delete_after=self._now + rule.notice,
                because=fate.because,
                by=BY_ASSAY,
            ),
        )
        await self._image_versions.save(replace(row, value=marked))
        return [await retiring(marked, vms=self._vms)]

    async def _remove_rejected(self, row: Stored[ImageVersion], fate: Fate) -> list[Message]:
        """Delete what nobody was ever offered: there is nobody to tell, and it stays rejected."""
        version = row.value
        await self._gallery.delete(version.image_id, version.version)
        line = Transition(
            what="deleted", old="", new=self._now.isoformat(), at=self._now, because=fate.because
        )
        gone = replace(version, deleted_at=self._now, history=(*version.history, line))
        await self._image_versions.save(replace(row, value=gone))
        return []

    async def _marked(self, row: Stored[ImageVersion], plan: Retirement) -> list[Message]:
        version = row.value
        if self._now < plan.delete_after:
            fresh = self._now - plan.marked_at <= SAY_AGAIN
            return [await retiring(version, vms=self._vms)] if fresh else []
        held = may_go(version, self._loaded.releases, self._definition)
        held = held or await self._in_use(version)
        if not held:
            try:
                await self._gallery.delete(version.image_id, version.version)
            except RefusedError as error:
                held = str(error)
        if held:
            await self._spare(row, held)
            return []
        by = f"{plan.because}; asked by {plan.by}"
        retired = version.become(VersionState.RETIRED, now=self._now, because=by)
        await self._image_versions.save(replace(row, value=retired))
        return [_news_of_retired(retired, self._now)]

    async def _spare(self, row: Stored[ImageVersion], held: str) -> None:
        line = Transition(
            what="retirement", old="announced", new="called off", at=self._now, because=held
        )
        spared = replace(row.value, retirement=None, history=(*row.value.history, line))
        await self._image_versions.save(replace(row, value=spared))

    async def _retired(self, row: Stored[ImageVersion]) -> list[Message]:
        """See a deletion through, and say again what a delivery may have died with."""
        version = row.value
        if version.deleted_at is None:
            found = await self._gallery.version(version.image_id, version.version)
            if found is None:
                gone = replace(version, deleted_at=self._now)
                await self._image_versions.save(replace(row, value=gone))
            elif found.provisioning_state.lower() != "deleting":
                await self._gallery.delete(version.image_id, version.version)
        at = became_at(version, VersionState.RETIRED)
        fresh = at is not None and self._now - at <= SAY_AGAIN
        return [_news_of_retired(version, at)] if at is not None and fresh else []

    async def _in_use(self, version: ImageVersion) -> str:
        return await in_use(
            version, self._definitions, builds=self._builds, vms=self._vms, fleet=self._fleet
        )


async def retiring(version: ImageVersion, *, vms: Vms) -> Message:
    """Return the announcement that *version* is to be deleted, with the teams it concerns."""
    plan = version.retirement
    if plan is None:
        raise ValueError(f"version {version.version} is not to be retired")
    users = await users_of(vms, version.definition, version.version)
    details = {
        "deleteAfter": plan.delete_after.isoformat(),
        "reason": plan.because,
        "by": plan.by,
        **users.data,
    }
    return news_of_version("ImageRetiring", version, plan.marked_at, details)


def _news_of_retired(version: ImageVersion, at: datetime) -> Message:
    reason = version.retirement.because if version.retirement else ""
    return news_of_version("ImageRetired", version, at, {"reason": reason})
