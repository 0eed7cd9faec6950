"""What goes wrong with builds, each kind with its own way out, and what is remembered of it."""

from datetime import timedelta
from itertools import pairwise

import pytest

from shared.domain.build import Application, Phase
from shared.domain.failure import Failure, FailureClass
from shared.domain.image_definition import Check, Repair, Severity, build_id
from shared.domain.repair_report import Effect, suggestions, trials
from shared.domain.verification import Outcome
from shared.errors import NotFoundError, RefusedError, UnavailableError
from shared.ports import MachineStatus, RunCommandStatus
from tests.fakes.definitions import shell, ubuntu
from tests.fakes.world import Crashes, World
from tests.unit.factory.test_publish_flow import FAILED, build_of, new_world

NAME = "ubuntu-22-04"


def world_with(**changes: object) -> World:
    return new_world(definitions={NAME: ubuntu(**changes)})


def template(world: World, attempt: int) -> str:
    return f"{build_id(world.definitions[NAME], '22.04.202411080')}-a{attempt}"


def failure(kind: FailureClass, message: str = "said Azure") -> Failure:
    return Failure(failure_class=kind, message=message)


# --- Azure fails ----------------------------------------------------------------------------------


@pytest.mark.parametrize("twice", [False, True])
async def test_a_run_that_is_canceling_for_ever_is_left_behind_for_a_new_template(
    twice: bool,
) -> None:
    world = new_world(twice=twice)
    first = template(world, 1)
    run = world.image_builder.run

    async def run_and_cancel(template: str) -> None:
        await run(template)
        if template == first:
            await world.image_builder.cancel(template)
            world.image_builder.templates[template].run_looks = 100_000

    world.image_builder.run = run_and_cancel  # type: ignore[method-assign]

    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED
    assert [a.template for a in build.attempts] == [first, template(world, 2)]
    assert build.attempts[0].failure
    assert build.attempts[0].failure.failure_class is FailureClass.SERVICE
    assert "abandoned" in build.attempts[0].failure.message
    assert first in world.image_builder.templates
    assert build.attempts[0].left_behind.startswith("its run is canceling")
    assert build.attempts[1].left_behind == ""


async def test_without_room_each_wait_is_twice_the_last_and_no_attempt_is_used_up() -> None:
    world = world_with(max_attempts=1)
    for n in range(1, 4):
        world.image_builder.fail_run(template(world, n), failure(FailureClass.CAPACITY))

    build = await build_of(world, await world.build())

    starts = [a.started_at for a in build.attempts]
    waits = [(b - a) // timedelta(minutes=30) for a, b in pairwise(starts)]
    assert build.phase is Phase.RELEASED
    assert waits == [1, 2, 4]


async def test_room_is_not_waited_for_for_ever() -> None:
    world = world_with(max_attempts=2)
    for n in range(1, 10):
        world.image_builder.fail_run(template(world, n), failure(FailureClass.CAPACITY))

    build = await build_of(world, await world.build())

    assert build.phase is Phase.FAILED
    assert len(build.attempts) == 6
    assert build.history[-1].because == "Azure had no room for 6 attempts: said Azure"


async def test_after_a_timeout_the_next_attempt_has_half_as_much_time_again() -> None:
    world = new_world()
    world.image_builder.fail_run(template(world, 1), failure(FailureClass.TIMEOUT))

    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED
    assert [a.timeout_minutes for a in build.attempts] == [120, 180]


async def test_a_version_that_still_replicates_when_time_is_up_is_waited_for() -> None:
    world = new_world()
    first = template(world, 1)
    world.image_builder.silent.add(first)
    world.image_builder.fail_run(
        first,
        failure(FailureClass.TIMEOUT, "context deadline exceeded"),
        distributed_although_failed=True,
    )

    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED
    assert len(build.attempts) == 1


async def test_a_cancelled_run_is_not_made_up_for_by_what_it_distributed_unasked() -> None:
    world = new_world()
    first = template(world, 1)
    world.image_builder.silent.add(first)
    world.image_builder.fail_run(
        first, failure(FailureClass.CANCELLED), distributed_although_failed=True
    )

    build = await build_of(world, await world.build())

    assert build.phase is Phase.FAILED
    assert len(build.attempts) == 1


# --- run history ----------------------------------------------------------------------------------


async def test_an_attempt_remembers_its_steps_with_times_after_its_template_is_gone() -> None:
    world = new_world()
    world.build_logs.everywhere = {"guid/customization.log": b"PACKER OUT"}

    build = await build_of(world, await world.build())

    [attempt] = build.attempts
    assert [s.name for s in attempt.spans][:4] == [
        "creating template", "starting run", "building", "succeeded",
    ]  # fmt: skip
    assert {"tattooing", "booting", "checking", "removing", "publishing"} <= {
        s.name for s in attempt.spans
    }
    assert all(s.until and s.until >= s.since for s in attempt.spans)
    assert world.image_builder.templates == {}
    assert attempt.logs
    assert attempt.logs.location == f"https://logs.example/build-logs/{build.id}/1"
    assert attempt.logs.files == ("guid/customization.log",)
    assert world.build_logs.copied == {f"{build.id}/1/guid/customization.log": b"PACKER OUT"}


async def test_what_image_builder_said_is_kept() -> None:
    world = world_with(max_attempts=1)
    said = "Packer build command has failed: exit status 1"
    world.image_builder.fail_run(template(world, 1), failure(FailureClass.CUSTOMIZATION, said))

    build = await build_of(world, await world.build())

    assert [r.text for r in build.attempt.remarks] == [said]
    assert world.image_builder.deleted == [template(world, 1)]


async def test_a_template_whose_logs_may_not_be_copied_is_kept_and_the_record_says_why() -> None:
    world = new_world()
    world.build_logs.fail_next("copy", RefusedError("no right to read"), times=99)

    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED
    assert build.attempt.logs
    assert build.attempt.logs.problem == "no right to read"
    assert build.attempt.left_behind == "its logs could not be copied and would go with it"
    assert list(world.image_builder.templates) == [template(world, 1)]


async def test_a_storage_account_that_is_away_for_a_while_delays_only_the_cleaning_up() -> None:
    world = new_world()
    world.build_logs.everywhere = {"a.log": b"x"}
    world.build_logs.fail_next("copy", UnavailableError("503"), times=5)

    build = await build_of(world, await world.build())

    assert build.attempt.logs
    assert build.attempt.logs.files == ("a.log",)
    assert world.image_builder.templates == {}


async def test_a_run_without_logs_is_no_reason_to_keep_its_template() -> None:
    world = new_world()
    world.build_logs.fail_next("copy", NotFoundError("there are none"))

    await world.build()

    assert world.image_builder.templates == {}


# --- checks ---------------------------------------------------------------------------------------


def with_check(**changes: object) -> World:
    return world_with(checks=(Check(name="sshd", script="sshd -T\n", **changes),), repairs=())  # type: ignore[arg-type]


@pytest.mark.parametrize("twice", [False, True])
async def test_a_check_that_passes_at_the_second_run_is_flaky_and_stops_nothing(
    twice: bool,
) -> None:
    world = with_check(retries=2)
    world.twice = twice
    world.vms.answers["check-sshd"] = FAILED

    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED
    assert build.attempt.verification
    [sshd] = [r for r in build.attempt.verification.results if r.name == "sshd"]
    assert (sshd.outcome, sshd.runs) == (Outcome.FLAKY, 2)
    assert "passed in run 2, before that: exit code 1: PermitRootLogin yes" in sshd.detail
    assert [name for _, name in world.vms.commands if "sshd" in name] == [
        "check-sshd", "check-sshd-run2",
    ]  # fmt: skip


async def test_a_check_that_never_passes_fails_after_its_last_run() -> None:
    world = with_check(retries=1)
    world.vms.answers["check-sshd"] = FAILED
    world.vms.answers["check-sshd-run2"] = FAILED

    build = await build_of(world, await world.build())

    assert build.phase is Phase.REJECTED
    assert build.attempt.verification
    assert build.attempt.verification.failed_checks == ("sshd",)
    [sshd] = [r for r in build.attempt.verification.results if r.name == "sshd"]
    assert (sshd.outcome, sshd.runs) == (Outcome.FAILED, 2)


async def test_a_warning_that_ends_late_is_still_only_a_warning() -> None:
    world = with_check(severity=Severity.WARN)
    world.vms.command_looks = 0
    world.vms.answers["check-sshd"] = RunCommandStatus(finished=False)

    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED


async def test_the_vm_agent_is_a_check_of_its_own() -> None:
    world = new_world()
    build = await build_of(world, await world.build())
    assert build.attempt.verification
    assert [r.name for r in build.attempt.verification.results][:2] == ["boot", "vm-agent"]


async def test_a_vm_whose_agent_never_answers_fails_boot_and_agent() -> None:
    world = world_with(max_attempts=1)

    async def status(vm_name: str) -> MachineStatus | None:
        if vm_name not in world.vms.vms:
            return None
        return MachineStatus(provisioning_state="Succeeded", agent_ready=False)

    world.vms.status = status  # type: ignore[method-assign]

    build = await build_of(world, await world.build())

    assert build.phase is Phase.REJECTED
    assert build.attempt.verification
    assert build.attempt.verification.failed_checks == ("boot", "vm-agent")


# --- repairs --------------------------------------------------------------------------------------


def repair(name: str, *answers: str, attempts: int = 1) -> Repair:
    return Repair(name=name, answers=answers, customizers=(shell(name),), attempts=attempts)


def helps_in(world: World, attempt: int, *commands: str) -> None:
    """Let *commands* fail in every attempt before *attempt*."""
    create = world.image_builder.create
    for command in commands:
        world.vms.answers[command] = FAILED

    async def create_and_help(spec: object) -> None:
        if spec.attempt >= attempt:  # type: ignore[attr-defined]
            for command in commands:
                world.vms.answers.pop(command, None)
        await create(spec)  # type: ignore[arg-type]

    world.image_builder.create = create_and_help  # type: ignore[method-assign]


async def test_the_build_tells_which_repair_fixed_which_check_and_suggests_to_keep_it() -> None:
    world = new_world()
    helps_in(world, 2, "check-sshd")

    build = await build_of(world, await world.build())

    assert build.attempts[1].applied == (Application(repair="reset-sshd", answers=("sshd",)),)
    assert [(t.attempt, t.repair, t.check, t.effect) for t in trials(build)] == [
        (2, "reset-sshd", "sshd", Effect.FIXED)
    ]
    assert suggestions(build) == [
        "repair reset-sshd fixed sshd: move its customizers into the customizers of ubuntu-22-04, "
        "and the next build needs no second attempt for it"
    ]


async def test_a_rejected_build_tells_what_was_tried() -> None:
    world = new_world()
    world.vms.answers["check-sshd"] = FAILED

    build = await build_of(world, await world.build())

    assert build.phase is Phase.REJECTED
    assert [(t.repair, t.effect) for t in trials(build)] == [("reset-sshd", Effect.NOT_FIXED)]
    assert suggestions(build) == []
    assert "no repair is left that answers sshd (tried: reset-sshd)" in build.history[-1].because


async def test_a_repair_is_tried_in_as_many_attempts_as_it_says() -> None:
    world = world_with(repairs=(repair("reset-sshd", "sshd", attempts=3),), max_attempts=5)
    helps_in(world, 4, "check-sshd")

    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED
    assert [a.repairs for a in build.attempts] == [(), *[("reset-sshd",)] * 3]
    effects = [t.effect for t in trials(build)]
    assert effects == [Effect.NOT_FIXED, Effect.NOT_FIXED, Effect.FIXED]


async def test_a_repair_may_answer_any_failed_check() -> None:
    world = world_with(repairs=(repair("update", "verify"),))
    helps_in(world, 2, "check-sshd", "check-agent")

    build = await build_of(world, await world.build())

    assert [(t.check, t.effect) for t in trials(build)] == [
        ("agent", Effect.FIXED), ("sshd", Effect.FIXED),
    ]  # fmt: skip


async def test_a_repair_of_the_customization_is_seen_to_have_worked() -> None:
    world = world_with(repairs=(repair("fix-apt", "customize"),))
    first = failure(FailureClass.CUSTOMIZATION, "Packer build command has failed")
    # The definition's digest holds its repairs, so the template's name is known only now.
    world.image_builder.fail_run(template(world, 1), first)

    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED
    assert [(t.check, t.effect) for t in trials(build)] == [("customize", Effect.FIXED)]


# --- the source itself ----------------------------------------------------------------------------

SOURCE_CHECK = Check(name="disk", script="df\n", source=True)


@pytest.mark.parametrize("twice", [False, True])
async def test_a_sound_source_is_built_from(twice: bool) -> None:
    world = world_with(verify_source=True, checks=(SOURCE_CHECK,), repairs=())
    world.twice = twice

    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED
    assert build.history[0].because == "source version 22.04.202411080 is sound: 3 checks passed"
    assert build.source_verification
    assert [r.name for r in build.source_verification.results] == ["boot", "vm-agent", "disk"]
    assert world.vms.created == [f"{build.id}-source", f"{build.id}-a1-verify"]
    assert world.vms.vms == {}


async def test_nothing_is_built_from_a_source_that_fails() -> None:
    world = world_with(verify_source=True, checks=(SOURCE_CHECK,), repairs=())
    world.vms.answers["check-disk"] = FAILED

    build = await build_of(world, await world.build())

    assert build.phase is Phase.REJECTED
    assert build.attempts == ()
    assert world.image_builder.created == []
    assert [a.name for a in world.outbox.announced] == ["ImageRejected"]
    assert build.history[-1].because.startswith("source version 22.04.202411080 is not sound: disk")
    assert world.vms.vms == {}


async def test_killed_here_and_there_the_source_is_verified_once_and_nothing_stays() -> None:
    def one(**changes: object) -> World:
        definition = ubuntu(verify_source=True, checks=(SOURCE_CHECK,), repairs=())
        return new_world(definitions={NAME: definition}, **changes)

    world = one()
    await world.build()
    for at in range(1, world.crashes.calls + 1, 2):
        world = one(crashes=Crashes(at=at))
        build = await build_of(world, await world.build())
        assert build.phase is Phase.RELEASED, at
        assert world.vms.vms == {}, at
        assert world.image_builder.templates == {}, at
        assert world.vms.created[0] == f"{build.id}-source", at
