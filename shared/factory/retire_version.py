"""retire_version: a person wants a version gone; it is announced first, as any other."""

from dataclasses import replace
from datetime import datetime

from shared.domain.image_version import ImageVersion, Retirement
from shared.domain.release_rules import RetentionRule
from shared.domain.retention import may_go
from shared.errors import NotAllowedError, NotFoundError
from shared.factory.definitions import definition_named
from shared.factory.releases import load
from shared.factory.retire_images import in_use, retiring
from shared.messages import Message, RetireVersion
from shared.ports import Builds, Channels, Definitions, Fleet, ImageVersions, Stored, Vms


async def retire_version(
    command: RetireVersion,
    *,
    definitions: Definitions,
    channels: Channels,
    image_versions: ImageVersions,
    builds: Builds,
    vms: Vms,
    fleet: Fleet,
    now: datetime,
) -> list[Message]:
    """Mark a version for deletion after the definition's notice; repeats change nothing.

    Raises NotAllowedError when a channel shows it, somebody uses it, it is the last good one, or
    Azure blocks its deletion for now; NotFoundError when there is no such version.
    """
    definition = definition_named(definitions, command.definition)
    loaded = await load(definition, channels=channels, image_versions=image_versions, now=now)
    row = next((r for r in loaded.rows if r.value.version == command.image_version), None)
    name = f"version {command.image_version} of {definition.name}"
    if row is None:
        raise NotFoundError(f"there is no {name}")
    if row.value.retirement is None:
        held = may_go(row.value, loaded.releases, definition) or await in_use(
            row.value, definitions, builds=builds, vms=vms, fleet=fleet
        )
        if row.value.deleted_at is not None:
            held = "it is deleted already"
        if held:
            raise NotAllowedError(f"{name} cannot be retired: {held}")
        rule = definition.retention or RetentionRule()
        row = await _mark(row, command, now, rule, image_versions)
    return [await retiring(row.value, vms=vms)]


async def _mark(
    row: Stored[ImageVersion],
    command: RetireVersion,
    now: datetime,
    rule: RetentionRule,
    image_versions: ImageVersions,
) -> Stored[ImageVersion]:
    plan = Retirement(
        marked_at=now, delete_after=now + rule.notice, because=command.because, by=command.by
    )
    return await image_versions.save(replace(row, value=replace(row.value, retirement=plan)))
