"""Looking again until Azure is done, as the steps do by message."""

from collections.abc import Awaitable, Callable

from shared.errors import UnavailableError
from shared.ports import (
    GalleryVersion,
    MachineStatus,
    RunCommandStatus,
    TemplateSpec,
    TemplateStatus,
)
from tests.contract.gateways.clouds import Cloud
from tests.contract.gateways.things import DEFINITION, SPEC, VERSION

_LOOKS = 8


async def until[T](look: Callable[[], Awaitable[T | None]], wanted: Callable[[T], bool]) -> T:
    """Look until what is seen is wanted."""
    seen = None
    for _ in range(_LOOKS):
        seen = await look()
        if seen is not None and wanted(seen):
            return seen
    raise AssertionError(f"still {seen} after {_LOOKS} looks")


async def ensured(cloud: Cloud) -> None:
    """Have the gallery image made."""
    for _ in range(_LOOKS):
        try:
            await cloud.gallery.ensure_image(DEFINITION)
        except UnavailableError:
            continue
        return
    raise AssertionError("the gallery image was never ready")


async def created(cloud: Cloud, wanted: TemplateSpec = SPEC) -> TemplateStatus:
    """Have a template made, for better or worse."""
    await ensured(cloud)
    await cloud.image_builder.create(wanted)
    return await until(
        lambda: cloud.image_builder.status(wanted.name),
        lambda s: s.provisioning_state not in {"Creating", "Updating"},
    )


async def ran(cloud: Cloud, wanted: TemplateSpec = SPEC) -> TemplateStatus:
    """Have a template made and run, for better or worse."""
    await created(cloud, wanted)
    await cloud.image_builder.run(wanted.name)
    return await until(
        lambda: cloud.image_builder.status(wanted.name),
        lambda s: s.run_state not in {"", "Running"},
    )


async def built(cloud: Cloud, wanted: TemplateSpec = SPEC) -> tuple[str, str]:
    """Have an image version built; returns image id and version."""
    await ran(cloud, wanted)
    return cloud.gallery.image_id(DEFINITION), wanted.version


async def replicated(cloud: Cloud, where: tuple[str, str]) -> GalleryVersion:
    """Look at a version until Azure has done with it."""
    return await until(
        lambda: cloud.gallery.version(*where), lambda v: v.provisioning_state == "Succeeded"
    )


async def gone(cloud: Cloud, where: tuple[str, str]) -> None:
    """Look at a version until the gallery has it no more."""
    for _ in range(_LOOKS):
        if await cloud.gallery.version(*where) is None:
            return
    raise AssertionError(f"still there after {_LOOKS} looks: {where}")


async def booted(cloud: Cloud, vm_name: str) -> MachineStatus:
    """Have a VM of the built version made, for better or worse."""
    await built(cloud)
    await cloud.vms.create(vm_name, DEFINITION, VERSION, build_id=SPEC.build_id)
    return await until(
        lambda: cloud.vms.status(vm_name), lambda s: s.provisioning_state != "Creating"
    )


async def finished(cloud: Cloud, vm_name: str, name: str) -> RunCommandStatus:
    """Look at a run command until it ends."""
    return await until(lambda: cloud.vms.command_status(vm_name, name), lambda s: s.finished)
