"""clean_up_build: remove what a finished build left in Azure."""

from shared.domain.build import Phase
from shared.messages import CleanUpBuild, Delayed, Message
from shared.ports import Builds, ImageBuilder, Pace, VerificationVms


async def clean_up_build(
    command: CleanUpBuild,
    *,
    builds: Builds,
    image_builder: ImageBuilder,
    verification_vms: VerificationVms,
    pace: Pace,
) -> list[Message]:
    """Delete the verification VMs of every attempt, and the templates of a released build.

    The templates of a build that did not end well are kept: deleting one deletes its staging
    resource group with the only copy of the build's logs. Comes back until every VM is gone.
    """
    stored = await builds.get(command.build_id)
    if stored is None or not stored.value.finished:
        return []
    build = stored.value
    left = False
    for attempt in build.attempts:
        if attempt.verification and await verification_vms.status(attempt.verification.vm_name):
            await verification_vms.delete(attempt.verification.vm_name)
            left = True
        if build.phase is Phase.RELEASED:
            await image_builder.delete(attempt.template)
    return [Delayed(command=command, delay=pace.look)] if left else []
