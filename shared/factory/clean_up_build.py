"""clean_up_build: what is still to be done in Azure after a build has ended."""

from dataclasses import replace

from shared.domain.build import Attempt, Build, Phase
from shared.domain.image_version import VersionState
from shared.errors import RefusedError
from shared.factory.publish_image import released_because
from shared.factory.verify_image import verification_vm
from shared.factory.withdraw import STATE_TAG
from shared.messages import CleanUpBuild, Delayed, Message
from shared.ports import Builds, Gallery, ImageBuilder, ImageVersions, Pace, VerificationVms

MOST_LOOKS = 60
"""A VM that is not gone after this many looks will not go by itself."""


async def clean_up_build(
    command: CleanUpBuild,
    *,
    builds: Builds,
    image_versions: ImageVersions,
    image_builder: ImageBuilder,
    gallery: Gallery,
    verification_vms: VerificationVms,
    pace: Pace,
) -> list[Message]:
    """Delete the verification VMs and what templates can go; tag the versions the build aged.

    The template of a failed attempt is kept: deleting it deletes its staging resource group with
    the only copy of the attempt's logs. Comes back until every VM is gone.

    Raises RefusedError when a VM will not go.
    """
    stored = await builds.get(command.build_id)
    if stored is None or not stored.value.finished:
        return []
    build = stored.value
    left = [a for a in build.attempts if await _vm_is_left(a, verification_vms)]
    for attempt in build.attempts:
        if build.phase is Phase.RELEASED and attempt.failure is None:
            await image_builder.delete(attempt.template)
    if build.phase is Phase.RELEASED:
        await _tag_aged(build, image_versions, gallery)
    if left and command.looks >= MOST_LOOKS:
        names = ", ".join(verification_vm(a) for a in left)
        raise RefusedError(f"{names} cannot be deleted; delete it by hand, it costs money")
    again = replace(command, looks=command.looks + 1)
    return [Delayed(command=again, delay=pace.look)] if left else []


async def _vm_is_left(attempt: Attempt, verification_vms: VerificationVms) -> bool:
    """Delete the attempt's VM where there is one, recorded or not; tell whether there was."""
    name = verification_vm(attempt)
    if await verification_vms.status(name) is None:
        return False
    await verification_vms.delete(name)
    return True


async def _tag_aged(build: Build, image_versions: ImageVersions, gallery: Gallery) -> None:
    because = released_because(build.attempt.version)
    for row in await image_versions.list(build.definition):
        version = row.value
        aged = version.state is VersionState.AGED and version.history[-1].because == because
        if aged and await gallery.version(version.image_id, version.version):
            state = {STATE_TAG: str(VersionState.AGED)}
            await gallery.tag(version.image_id, version.version, state)
