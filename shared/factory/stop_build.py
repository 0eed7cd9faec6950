"""stop_build: end what Image Builder still does for a cancelled build."""

from dataclasses import replace

from shared.domain.build import Phase
from shared.domain.image_version import VersionState
from shared.factory.verify_image import vm_name_of
from shared.factory.withdraw import STATE_TAG
from shared.messages import Delayed, Message, StopBuild
from shared.ports import Builds, Gallery, ImageBuilder, Pace, VerificationVms

LEAST_LOOKS = 3
"""A step that was under way when the build was cancelled may still ask for the run, or for a VM
that no record tells of."""
MOST_LOOKS = 60
"""A run that is canceling for ever is left alone: its template is never used again
(https://github.com/danielsollondon/azvmimagebuilder/issues/97)."""
_GOING_ON = {"Running", "Canceling"}


async def stop_build(
    command: StopBuild,
    *,
    builds: Builds,
    image_builder: ImageBuilder,
    gallery: Gallery,
    verification_vms: VerificationVms,
    pace: Pace,
) -> list[Message]:
    """Ask for the end of the last attempt's run and VM, and come back until both have ended.

    A version the run distributed all the same is marked rejected; it is excluded from latest.
    """
    stored = await builds.get(command.build_id)
    if stored is None or stored.value.phase is not Phase.CANCELLED or not stored.value.attempts:
        return []
    build, attempt = stored.value, stored.value.attempt
    status = await image_builder.status(attempt.template)
    going_on = status is not None and (
        status.run_state in _GOING_ON or status.provisioning_state == "Creating"
    )
    if status is not None and status.run_state == "Running":
        await image_builder.cancel(attempt.template)
    vm_name = vm_name_of(attempt)
    if await verification_vms.status(vm_name):
        await verification_vms.delete(vm_name)
        going_on = True
    looks = command.looks + 1
    if looks < LEAST_LOOKS or (going_on and looks < MOST_LOOKS):
        return [Delayed(command=replace(command, looks=looks), delay=pace.look)]
    if await gallery.version(build.image_id, attempt.version):
        await gallery.tag(build.image_id, attempt.version, {STATE_TAG: str(VersionState.REJECTED)})
    return []
