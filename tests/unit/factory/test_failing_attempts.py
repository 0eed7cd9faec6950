"""What goes wrong in an attempt, and what becomes of the build."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.build import Phase
from shared.domain.failure import Failure, FailureClass
from shared.domain.image_definition import build_id
from shared.domain.image_version import VersionState
from shared.domain.verification import Outcome
from shared.errors import RefusedError, UnavailableError
from shared.messages import StartBuild
from shared.ports import GalleryVersion, MachineStatus, RunCommandStatus, TemplateStatus
from tests.fakes.definitions import ubuntu
from tests.unit.factory.conftest import SOURCE_VERSION, build_of, expected_id, new_world, version_of


async def test_a_template_azure_refuses_is_a_fault_of_the_configuration() -> None:
    world = new_world()
    world.image_builder.fail_next("create", RefusedError("the size Standard_X1 does not exist"))

    build = await build_of(world, await world.build())

    assert build.phase is Phase.FAILED
    assert build.attempt.failure == Failure(
        failure_class=FailureClass.CONFIGURATION, message="the size Standard_X1 does not exist"
    )
    assert (await version_of(world, "1.20261122.1")).state is VersionState.REJECTED


async def test_a_refused_run_ends_the_attempt() -> None:
    world = new_world()
    world.image_builder.fail_next("run", RefusedError("AuthorizationFailed: no right to run"))

    build = await build_of(world, await world.build())

    assert build.phase is Phase.FAILED
    assert build.attempt.failure
    assert build.attempt.failure.failure_class is FailureClass.ACCESS


async def test_a_template_somebody_deleted_is_made_again_under_another_name() -> None:
    world = new_world()
    first = f"{expected_id(world)}-a1"
    original = world.image_builder.status

    async def status(template: str) -> TemplateStatus | None:
        return None if template == first else await original(template)

    world.image_builder.status = status  # type: ignore[method-assign]
    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED
    assert [a.template for a in build.attempts] == [first, f"{expected_id(world)}-a2"]
    assert build.attempts[0].failure
    assert "somebody deleted it" in build.attempts[0].failure.message


async def test_a_run_that_distributed_something_else_is_not_trusted() -> None:
    world = new_world()

    async def output(template: str) -> str | None:
        return f"{world.gallery.gallery_id}/images/other/versions/9.9.9"

    world.image_builder.output = output  # type: ignore[method-assign]
    build = await build_of(world, await world.build())

    assert build.phase is Phase.FAILED
    assert "was asked for" in build.history[-1].because


async def test_blindness_without_end_is_a_timeout() -> None:
    world = new_world(definitions={"ubuntu-22-04": ubuntu(max_attempts=1)})
    world.image_builder.blind_for(100_000)

    build = await build_of(world, await world.build())

    assert build.phase is Phase.FAILED
    assert build.attempt.failure
    assert build.attempt.failure.failure_class is FailureClass.TIMEOUT
    assert build.attempt.progress.startswith("blind: ")


async def test_time_runs_out_while_even_the_output_cannot_be_read() -> None:
    world = new_world(definitions={"ubuntu-22-04": ubuntu(max_attempts=1)})
    world.image_builder.run_looks = 100_000
    world.image_builder.fail_next("output", UnavailableError("500"), times=100_000)

    build = await build_of(world, await world.build())

    assert build.phase is Phase.FAILED
    assert build.attempt.failure
    assert build.attempt.failure.failure_class is FailureClass.TIMEOUT


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"tags": {"VMImageBuilderSource": "PlatformImage Canonical::x::y::latest (22.04.1)"}},
            "but the gallery version's tag says PlatformImage",
        ),
        ({"provisioning_state": "Failed"}, "is Failed"),
    ],
)
async def test_a_version_that_contradicts_the_build_is_not_tattooed(
    changes: dict[str, object], said: str
) -> None:
    world = new_world(definitions={"ubuntu-22-04": ubuntu(max_attempts=1)})
    original = world.gallery.version

    async def version(image_id: str, number: str) -> GalleryVersion | None:
        seen = await original(image_id, number)
        return replace(seen, **changes) if seen else None  # type: ignore[arg-type]

    world.gallery.version = version  # type: ignore[method-assign,assignment]
    build = await build_of(world, await world.build())

    assert build.phase is Phase.FAILED
    assert build.attempt.failure
    assert said in build.attempt.failure.message
    assert world.vms.created == []


async def test_image_builder_saying_another_source_fails_the_build() -> None:
    world = new_world()
    original = world.image_builder.status

    async def status(template: str) -> TemplateStatus | None:
        seen = await original(template)
        return replace(seen, source_version="22.04.1") if seen and seen.run_state else seen

    world.image_builder.status = status  # type: ignore[method-assign]
    build = await build_of(world, await world.build())

    assert build.phase is Phase.FAILED
    assert "Image Builder says it used 22.04.1" in build.history[-1].because


async def test_a_version_that_never_appears_in_the_gallery_is_given_up() -> None:
    world = new_world(definitions={"ubuntu-22-04": ubuntu(max_attempts=1)})

    async def version(image_id: str, number: str) -> GalleryVersion | None:
        return None

    world.gallery.version = version  # type: ignore[method-assign,assignment]
    build = await build_of(world, await world.build())

    assert build.phase is Phase.FAILED
    assert "did not become ready in the gallery in 6:00:00" in build.history[-1].because


async def test_a_register_row_somebody_deleted_ends_the_build_with_advice() -> None:
    world = new_world()
    original = world.records.image_versions.get

    async def get(definition: str, version: str) -> object:
        phase = (await build_of(world, expected_id(world))).phase
        return None if phase is Phase.TATTOOING else await original(definition, version)

    world.records.image_versions.get = get  # type: ignore[method-assign,assignment]
    build = await build_of(world, await world.build())

    assert build.phase is Phase.FAILED
    assert "start the build again with force" in build.history[-1].because


async def test_a_vm_azure_cannot_make_is_a_failed_boot() -> None:
    world = new_world()
    name = f"{expected_id(world)}-a1-verify"
    world.vms.failures[name] = "OSProvisioningTimedOut"

    build = await build_of(world, await world.build())

    assert build.phase is Phase.REJECTED
    assert build.attempt.verification
    assert build.attempt.verification.failed_checks == ("boot",)
    assert build.attempt.verification.results[0].detail == "OSProvisioningTimedOut"
    assert world.vms.deleted == [name]


async def test_a_vm_that_is_never_ready_is_a_failed_boot() -> None:
    world = new_world()
    world.vms.ready_looks = 1000

    build = await build_of(world, await world.build())

    assert build.phase is Phase.REJECTED
    assert build.attempt.verification
    detail = build.attempt.verification.results[0].detail
    assert detail == "the VM agent was not ready after 660 s, allowed are 600 s"


async def test_a_vm_that_boots_too_slowly_fails_though_it_is_ready() -> None:
    world = new_world(definitions={"ubuntu-22-04": ubuntu(boot_seconds=90)})
    world.vms.ready_looks = 1
    world.vms.now = world.now - timedelta(days=1)  # Azure does not say when it was ready

    build = await build_of(world, await world.build())

    assert build.attempt.verification
    details = {r.name: r.detail for r in build.attempt.verification.results}
    assert details["boot"] == "ready after 120 s, allowed are 90 s"


async def test_a_vm_that_is_gone_while_it_boots_is_made_again() -> None:
    world = new_world()
    name = f"{expected_id(world)}-a1-verify"
    original = world.vms.status
    looks = 0

    async def status(vm_name: str) -> object:
        nonlocal looks
        looks += 1
        if looks == 1:
            del world.vms.vms[vm_name]
        return await original(vm_name)

    world.vms.status = status  # type: ignore[method-assign,assignment]
    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED
    assert world.vms.created == [name, name]


async def test_checks_that_do_not_end_are_errors_not_passes() -> None:
    world = new_world()
    world.vms.command_looks = 1000

    build = await build_of(world, await world.build())

    assert build.phase is Phase.REJECTED
    assert build.attempt.verification
    assert {(r.name, r.outcome) for r in build.attempt.verification.results if r.blocks} == {
        ("sshd", Outcome.ERRORED), ("agent", Outcome.ERRORED), ("tattoo", Outcome.ERRORED),
    }  # fmt: skip
    assert world.vms.vms == {}


async def test_a_vm_somebody_deletes_while_it_is_checked_is_an_error() -> None:
    world = new_world(definitions={"ubuntu-22-04": ubuntu(max_attempts=1)})
    original = world.vms.command_status

    async def command_status(vm_name: str, name: str) -> RunCommandStatus | None:
        seen = await original(vm_name, name)
        world.vms.vms.pop(vm_name, None)
        return seen

    world.vms.command_status = command_status  # type: ignore[method-assign]
    build = await build_of(world, await world.build())

    assert build.phase is Phase.REJECTED
    assert build.attempt.failure
    assert "the VM is gone: somebody deleted it" in build.attempt.failure.message


async def test_a_tattoo_that_lies_stops_the_release() -> None:
    world = new_world(definitions={"ubuntu-22-04": ubuntu(max_attempts=1)})
    world.vms.answers["check-tattoo"] = RunCommandStatus(
        finished=True, exit_code=0, output="definition=ubuntu-22-04\nversion=1.0.0\n"
    )

    build = await build_of(world, await world.build())

    assert build.phase is Phase.REJECTED
    assert build.attempt.failure
    assert "version is 1.0.0, expected 1.20261122.1" in build.attempt.failure.message
    assert "source-version is missing" in build.attempt.failure.message


async def test_a_tattoo_that_cannot_be_read_stops_the_release() -> None:
    world = new_world(definitions={"ubuntu-22-04": ubuntu(max_attempts=1)})
    world.vms.answers["check-tattoo"] = RunCommandStatus(
        finished=True, exit_code=1, error="cat: /etc/assay/tattoo: No such file or directory"
    )

    build = await build_of(world, await world.build())

    assert build.phase is Phase.REJECTED
    assert build.attempt.verification
    assert build.attempt.verification.failed_checks == ("tattoo",)


async def test_a_build_that_waited_too_long_does_not_outrank_a_newer_source() -> None:
    world = new_world()
    older, newer = "22.04.202409120", SOURCE_VERSION
    first = f"{build_id(world.definitions['ubuntu-22-04'], older)}-a1"
    service = Failure(failure_class=FailureClass.SERVICE, message="InternalOperationError")
    world.image_builder.fail_run(first, service)
    for version in (older, newer):
        world.send(
            StartBuild(
                definition="ubuntu-22-04", source_version=version, requested_by="source-version"
            )
        )
    await world.drain()

    page = await world.records.builds.list(definition="ubuntu-22-04")
    phases = {b.source_version: (b.phase, b.history[-1].because) for b in page.items}
    assert phases[newer][0] is Phase.RELEASED
    assert phases[older] == (Phase.FAILED, f"superseded: version 1.20261122.2 is made from {newer}")


async def test_a_definition_changed_between_attempts_ends_the_build() -> None:
    world = new_world()
    service = Failure(failure_class=FailureClass.SERVICE, message="InternalOperationError")
    first = f"{expected_id(world)}-a1"
    world.image_builder.fail_run(first, service)
    original = world.image_builder.output

    async def output(template: str) -> str | None:
        world.definitions["ubuntu-22-04"] = ubuntu(boot_seconds=599)
        return await original(template)

    world.image_builder.output = output  # type: ignore[method-assign]
    build = await build_of(world, await world.build())

    assert build.phase is Phase.FAILED
    assert "the definition was changed meanwhile" in build.history[-1].because


async def test_a_definition_changed_while_it_is_built_does_not_reject_the_image() -> None:
    world = new_world()
    original = world.image_builder.run

    async def run(template: str) -> None:
        world.definitions["ubuntu-22-04"] = ubuntu(boot_seconds=599)
        await original(template)

    world.image_builder.run = run  # type: ignore[method-assign]
    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED


async def test_a_look_that_comes_late_does_not_fail_the_boot() -> None:
    world = new_world()
    made = world.now
    original = world.vms.status

    async def status(vm_name: str) -> MachineStatus | None:
        seen = await original(vm_name)
        if seen is None or not seen.agent_ready:
            return seen
        return replace(seen, created_at=made, provisioned_at=made + timedelta(seconds=45))

    world.vms.ready_looks = 9  # we look once a minute and see it nine minutes late
    world.vms.status = status  # type: ignore[method-assign]
    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED
    assert build.attempt.verification
    assert build.attempt.verification.results[0].seconds == 45


async def test_no_room_for_the_verification_vm_is_no_fault_of_the_image() -> None:
    world = new_world()
    first = f"{expected_id(world)}-a1-verify"
    world.vms.failures[first] = "AllocationFailed: no capacity in the region"

    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED
    assert len(build.attempts) == 2
    assert build.attempts[0].failure
    assert build.attempts[0].failure.failure_class is FailureClass.CAPACITY
    assert first in world.vms.deleted


async def test_a_vm_that_cannot_be_deleted_holds_up_neither_build_nor_silence() -> None:
    world = new_world()

    async def delete(vm_name: str) -> None:
        world.vms.deleted.append(vm_name)

    world.vms.delete = delete  # type: ignore[method-assign]
    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED
    (parked,) = (await world.records.parked.list()).items
    assert parked.kind == "clean_up_build"
    assert "cannot be deleted; delete it by hand" in parked.reason


async def test_a_run_whose_output_comes_late_is_found_by_its_version() -> None:
    world = new_world()

    async def output(template: str) -> str | None:
        return None

    world.image_builder.output = output  # type: ignore[method-assign]
    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED
    assert len(build.attempts) == 1
