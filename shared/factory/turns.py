"""What a build's delivery may do, and what follows a build as it stands."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.build import Application, Attempt, Build, Phase
from shared.domain.failure import Failure
from shared.domain.repair_report import suggestions, trials
from shared.domain.turns import Admission
from shared.domain.verification import Verification
from shared.errors import NotFoundError
from shared.messages import (
    Announcement,
    AttestImage,
    BuildCommand,
    CleanUpBuild,
    Delayed,
    JudgeImageUsers,
    Message,
    PromoteImage,
    PublishImage,
    RebuildChildren,
    RecordOutcome,
    RepairImage,
    StartAttempt,
    StopBuild,
    TattooImage,
    VerifyImage,
    VerifySource,
    WatchBuild,
)
from shared.ports import Builds, Pace, Stored

_COMMANDS: dict[Phase, type[BuildCommand]] = {
    Phase.VERIFYING_SOURCE: VerifySource,
    Phase.QUEUED: StartAttempt,
    Phase.BUILDING: WatchBuild,
    Phase.TATTOOING: TattooImage,
    Phase.VERIFYING: VerifyImage,
    Phase.REPAIRING: RepairImage,
    Phase.ATTESTING: AttestImage,
    Phase.PUBLISHING: PublishImage,
}


@dataclass(frozen=True, slots=True)
class Repeat:
    """A delivery that does not act: *messages* is all it returns."""

    messages: list[Message]


async def take_turn(
    command: BuildCommand, *, builds: Builds, pace: Pace, now: datetime
) -> Stored[Build] | Repeat:
    """Load the build of *command*; hand it out only to the delivery whose turn it is.

    Raises NotFoundError when there is no such build.
    """
    stored = await builds.get(command.build_id)
    if stored is None:
        raise NotFoundError(
            f"there is no build {command.build_id}; its record may have been deleted, discard "
            f"the {command.kind} message"
        )
    build = stored.value
    match build.admit(command.turn, guard=command.guard):
        case Admission.ACT:
            return stored
        case Admission.GUARD:
            late = max((build.due or now) - now, timedelta()) + pace.grace
            return Repeat([Delayed(command=replace(command, guard=True), delay=late)])
        case Admission.RESEND:
            return Repeat(following(build, now=now))
        case Admission.DROP:
            return Repeat([])


async def go(
    stored: Stored[Build],
    phase: Phase,
    *,
    builds: Builds,
    now: datetime,
    because: str = "",
    wait: timedelta | None = None,
    attempt: Attempt | None = None,
    repairs: tuple[str, ...] | None = None,
    applied: tuple[Application, ...] | None = None,
    waiting: str = "",
    source_verification: Verification | None = None,
) -> list[Message]:
    """Save the build one turn on and return what follows; see `Build.next`."""
    build = stored.value.next(
        phase,
        now=now,
        because=because,
        wait=wait,
        attempt=attempt,
        repairs=repairs,
        applied=applied,
        waiting=waiting,
        source_verification=source_verification,
    )
    await builds.save(replace(stored, value=build))
    return following(build, now=now)


async def give_up_attempt(
    stored: Stored[Build],
    failure: Failure,
    *,
    builds: Builds,
    now: datetime,
    attempt: Attempt | None = None,
) -> list[Message]:
    """Save that the present attempt (or *attempt*) failed, and leave the rest to repair_image."""
    failed = replace(attempt or stored.value.attempt, failure=failure, ended_at=now)
    return await go(
        stored, Phase.REPAIRING, builds=builds, now=now, because=failure.message, attempt=failed
    )


def following(build: Build, *, now: datetime) -> list[Message]:
    """Return what *build* is waiting for, or its last words when it is finished."""
    if build.finished:
        return _last_words(build)
    command = _COMMANDS[build.phase](build_id=build.id, turn=build.turn)
    if build.due is None or build.due <= now:
        return [command]
    return [Delayed(command=command, delay=build.due - now)]


def _last_words(build: Build) -> list[Message]:
    names = {
        Phase.RELEASED: "ImagePublished",
        Phase.REJECTED: "ImageRejected",
        Phase.FAILED: "BuildFailed",
        Phase.CANCELLED: "BuildCancelled",
    }
    messages: list[Message] = [
        Announcement(
            name=names[build.phase],
            subject=f"images/{build.definition}",
            key=build.id,
            data=_summary(build),
        ),
        CleanUpBuild(build_id=build.id),
    ]
    if build.phase is Phase.CANCELLED:
        messages.append(StopBuild(build_id=build.id))
    else:
        messages.append(RecordOutcome(build_id=build.id))
    if build.phase is Phase.RELEASED:
        version = build.attempt.version
        messages.append(
            JudgeImageUsers(
                image_id=build.image_id,
                image_version=version,
                because=f"version {version} was published",
            )
        )
        messages.append(RebuildChildren(definition=build.definition))
        messages.append(PromoteImage(definition=build.definition))
    return messages


def _summary(build: Build) -> dict[str, object]:
    last = build.attempts[-1] if build.attempts else None
    verification = last.verification if last else None
    return {
        "build": build.id,
        "definition": build.definition,
        "version": last.version if last else None,
        "source": build.source_urn,
        "sourceVersion": build.source_version,
        "attempts": len(build.attempts),
        "repairs": list(last.repairs) if last else [],
        "failedChecks": list(verification.failed_checks) if verification else [],
        "reason": build.history[-1].because if build.history else "",
        "tried": [
            f"attempt {t.attempt}: {t.repair} for {t.check}: {t.effect}" for t in trials(build)
        ],
        "suggestions": suggestions(build),
        "at": build.updated_at.isoformat(),
    }
