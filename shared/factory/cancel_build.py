"""cancel_build: end a build because a person asks for it."""

from dataclasses import replace
from datetime import datetime

from shared.domain.build import Phase
from shared.errors import NotAllowedError, NotFoundError
from shared.factory.turns import following
from shared.factory.withdraw import reject, unreleased
from shared.messages import CancelBuild, Message
from shared.ports import Builds, ImageVersions


async def cancel_build(
    command: CancelBuild, *, builds: Builds, image_versions: ImageVersions, now: datetime
) -> list[Message]:
    """Mark the build cancelled and its version rejected; its last words stop what still works.

    From then on every message of the build is a repeat, which says the last words again.
    Cancelling again changes nothing. Raises NotFoundError for an unknown build and NotAllowedError
    when the build has ended otherwise, or is publishing: what is half released is revoked instead.
    """
    stored = await builds.get(command.build_id)
    if stored is None:
        raise NotFoundError(f"there is no build {command.build_id}; see the list of builds")
    build = stored.value
    if build.phase is Phase.CANCELLED:
        return following(build, now=now)
    if Phase.CANCELLED not in build.may_follow:
        what = "has ended" if build.finished else "is being published: revoke its version instead"
        raise NotAllowedError(
            f"build {build.id} is {build.phase} and cannot be cancelled; it {what}",
            kind="build-not-cancellable",
            state={"phase": str(build.phase), "finished": build.finished},
        )
    because = f"cancelled by {command.by}: {command.because}"[:1000]
    for row in await unreleased(build, image_versions):
        await reject(row, image_versions=image_versions, because=because, now=now)
    ended = build.next(Phase.CANCELLED, now=now, because=because)
    await builds.save(replace(stored, value=ended))
    return following(ended, now=now)
