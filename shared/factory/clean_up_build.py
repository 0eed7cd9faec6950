"""clean_up_build: keep the logs of a finished build, then remove what it left in Azure."""

from dataclasses import replace
from datetime import datetime

from shared.domain.build import Attempt, Build, Phase
from shared.domain.run_history import KeptLogs
from shared.errors import NotFoundError, NotReadyError, RefusedError
from shared.factory.verify_image import vm_name_of
from shared.messages import CleanUpBuild, Delayed, Message
from shared.ports import BuildLogs, Builds, ImageBuilder, Pace, Stored, VerificationVms

MOST_LOOKS = 60
"""A run that is canceling for ever holds its template; after so many looks it is left alone."""
_BUSY = {"running", "canceling"}


async def clean_up_build(
    command: CleanUpBuild,
    *,
    builds: Builds,
    image_builder: ImageBuilder,
    verification_vms: VerificationVms,
    build_logs: BuildLogs,
    pace: Pace,
    now: datetime,
) -> list[Message]:
    """Delete the verification VMs, copy the logs of every attempt, delete the templates.

    Deleting a template deletes its staging resource group with Image Builder's only copy of the
    logs. So a template whose logs may not be copied is kept, and the record says why. Comes back
    until nothing is left that can go; a repeat is treated as those of a build are.

    Raises RefusedError when a VM will not go.
    """
    stored = await builds.get(command.build_id)
    if stored is None or not stored.value.finished:
        return []
    if command.looks < stored.value.clean_up_looks:
        return _repeated(command, stored.value.clean_up_looks, pace)
    # A step that was under way when a person ended the build may still make a VM.
    left = stored.value.phase is Phase.CANCELLED and command.looks == 0
    kept = [n for n in _vm_names(stored.value) if await verification_vms.status(n) is not None]
    for name in kept:
        await verification_vms.delete(name)
        left = True
    final = command.looks >= MOST_LOOKS
    for attempt in stored.value.attempts:
        seen = await _settle(attempt, stored.value, image_builder, build_logs, now, final=final)
        if seen is None:
            left = True
            continue
        stored = await _keep(stored, seen, builds)
        if not seen.left_behind:
            await image_builder.delete(seen.template)
    if final and kept:
        names = ", ".join(kept)
        raise RefusedError(f"{names} cannot be deleted; delete it by hand, it costs money")
    if not left or final:
        return []
    looks = command.looks + 1
    await builds.save(replace(stored, value=replace(stored.value, clean_up_looks=looks)))
    return [Delayed(command=CleanUpBuild(build_id=command.build_id, looks=looks), delay=pace.look)]


def _repeated(command: CleanUpBuild, looks: int, pace: Pace) -> list[Message]:
    """Return what a delivery does whose look was taken: its next message may have been lost."""
    if command.looks < looks - 1:
        return []
    if not command.guard:
        return [Delayed(command=replace(command, guard=True), delay=pace.look + pace.grace)]
    return [CleanUpBuild(build_id=command.build_id, looks=looks)]


def _vm_names(build: Build) -> list[str]:
    """Return every VM the build may have made, even one it died before it could note."""
    names = [vm_name_of(attempt) for attempt in build.attempts]
    if build.source_verification or (
        build.history and build.history[0].old == Phase.VERIFYING_SOURCE
    ):
        names.append(f"{build.id}-source")
    return names


async def _settle(
    attempt: Attempt,
    build: Build,
    image_builder: ImageBuilder,
    build_logs: BuildLogs,
    now: datetime,
    *,
    final: bool,
) -> Attempt | None:
    """Return the attempt with what became of its logs and template; None to look again."""
    status = await image_builder.status(attempt.template)
    if status is None or status.provisioning_state == "Deleting":
        return replace(attempt, left_behind="")
    if status.run_state.lower() in _BUSY:
        if not final:
            return None
        says = f"its run is {status.run_state.lower()} and Azure does not delete it meanwhile"
        return replace(attempt, left_behind=says)
    logs = attempt.logs
    if logs is None or logs.problem:
        group = status.staging_group or attempt.staging_group
        logs = await _copy(build, attempt, group, build_logs, now)
    left_behind = "its logs could not be copied and would go with it" if logs.problem else ""
    return replace(attempt, logs=logs, left_behind=left_behind)


async def _copy(
    build: Build, attempt: Attempt, group: str, build_logs: BuildLogs, now: datetime
) -> KeptLogs:
    if not group:
        return KeptLogs(at=now)  # the template never got so far that a run could have written any
    try:
        copied = await build_logs.copy(group, f"{build.id}/{attempt.number}")
    except NotFoundError:
        return KeptLogs(at=now)
    except (NotReadyError, RefusedError) as error:
        return KeptLogs(at=now, problem=str(error)[:1000])
    return KeptLogs(at=now, location=copied.location, files=copied.files)


async def _keep(stored: Stored[Build], seen: Attempt, builds: Builds) -> Stored[Build]:
    """Save *seen* before its template goes; no write when nothing changed."""
    build = stored.value
    attempts = tuple(seen if a.number == seen.number else a for a in build.attempts)
    if attempts == build.attempts:
        return stored
    return await builds.save(replace(stored, value=replace(build, attempts=attempts)))
