"""The publish flow as a whole, over fakes: every message once, twice, and killed at every call."""

from datetime import timedelta

import pytest

from shared.domain.build import Build, Phase
from shared.domain.failure import Failure, FailureClass
from shared.domain.image_definition import build_id
from shared.domain.image_version import ImageVersion, VersionState
from shared.errors import RefusedError, ThrottledError, UnavailableError
from shared.messages import DetectSource, HurryBuild
from shared.ports import RunCommandStatus
from tests.fakes.definitions import ubuntu
from tests.fakes.world import NOON, Crashes, World

FAILED = RunCommandStatus(finished=True, exit_code=1, output="PermitRootLogin yes")


async def build_of(world: World, build_id: str) -> Build:
    stored = await world.records.builds.get(build_id)
    assert stored
    return stored.value


async def version_of(world: World, version: str) -> ImageVersion:
    stored = await world.records.image_versions.get("ubuntu-22-04", version)
    assert stored
    return stored.value


def tattooed(world: World) -> None:
    """Let the guest of every candidate show the tattoo its template wrote."""

    class Guest(dict[str, RunCommandStatus]):
        def get(self, name: str, default: RunCommandStatus | None = None) -> RunCommandStatus:  # type: ignore[override]
            if name != "check-tattoo":
                return super().get(name, default) or RunCommandStatus(finished=True, exit_code=0)
            last = world.image_builder.templates[world.image_builder.created[-1]].spec
            script = last.customizers[-1].script
            facts = script.split("<<'ASSAY_TATTOO'\n")[1].split("ASSAY_TATTOO\n")[0]
            return RunCommandStatus(
                finished=True, exit_code=0, output=facts + "os-version=Ubuntu 22.04.5 LTS\n"
            )

    world.vms.answers = Guest()


def new_world(**changes: object) -> World:
    world = World(**changes)  # type: ignore[arg-type]
    tattooed(world)
    return world


@pytest.mark.parametrize("twice", [False, True])
async def test_a_source_version_becomes_a_released_image_version(twice: bool) -> None:
    world = new_world(twice=twice)

    build = await build_of(world, await world.build())
    version = await version_of(world, "1.20261122.1")

    assert build.phase is Phase.RELEASED
    assert [a.version for a in build.attempts] == ["1.20261122.1"]
    assert version.state is VersionState.RELEASED
    assert version.regions == ("northeurope", "westeurope")
    assert not version.excluded_from_latest
    assert version.tattoo["source-version"] == "22.04.202411080"
    assert version.tattoo["os-version"] == "Ubuntu 22.04.5 LTS"
    assert world.image_builder.created == [f"{build.id}-a1"]
    assert world.image_builder.runs == [f"{build.id}-a1"]
    assert world.vms.created == world.vms.deleted == [f"{build.id}-a1-verify"]
    assert world.gallery.published[-1] == ("1.20261122.1", False)
    assert {a.name for a in world.outbox.announced} == {"ImagePublished", "ImagePromoted"}
    assert len({a.event_id for a in world.outbox.announced}) == 2
    assert (await world.records.parked.list()).items == ()


async def test_repeats_do_not_multiply() -> None:
    once, twice = new_world(), new_world(twice=True)

    await once.build()
    await twice.build()

    # Every message twice, a guard or two for each repeat, and no avalanche.
    assert len(twice.delivered) <= 6 * len(once.delivered)


async def test_a_failed_check_is_repaired_and_the_first_version_rejected() -> None:
    world = new_world()
    world.vms.answers["check-sshd"] = FAILED
    world.send(DetectSource(definition="ubuntu-22-04"))
    started = world.build()

    original = world.image_builder.create

    async def create(spec: object) -> None:
        if "reset-sshd" in [c.name for c in spec.customizers]:  # type: ignore[attr-defined]
            world.vms.answers.pop("check-sshd", None)
        await original(spec)  # type: ignore[arg-type]

    world.image_builder.create = create  # type: ignore[method-assign]
    build = await build_of(world, await started)

    assert build.phase is Phase.RELEASED
    assert [a.repairs for a in build.attempts] == [(), ("reset-sshd",)]
    assert (await version_of(world, "1.20261122.1")).state is VersionState.REJECTED
    assert (await version_of(world, "1.20261122.2")).state is VersionState.RELEASED
    rejected = world.gallery.held[f"{build.image_id}/versions/1.20261122.1"]
    assert rejected.excluded
    assert rejected.tags["assay-state"] == "rejected"
    assert len(world.vms.deleted) == 2


async def test_a_check_no_repair_answers_rejects_the_build_and_says_so() -> None:
    world = new_world()
    world.vms.answers["check-agent"] = FAILED

    build = await build_of(world, await world.build())

    assert build.phase is Phase.REJECTED
    assert [a.name for a in world.outbox.announced] == ["ImageRejected"]
    assert world.outbox.announced[0].data["failedChecks"] == ["agent"]
    assert "no repair is left that answers agent" in str(world.outbox.announced[0].data["reason"])
    assert world.vms.vms == {}


async def test_a_repair_that_does_not_help_ends_in_a_rejected_version() -> None:
    world = new_world()
    world.vms.answers["check-sshd"] = FAILED

    build = await build_of(world, await world.build())

    assert build.phase is Phase.REJECTED
    assert [a.number for a in build.attempts] == [1, 2]


async def test_attempts_are_bounded_by_the_definition() -> None:
    world = new_world(definitions={"ubuntu-22-04": ubuntu(max_attempts=1)})
    world.vms.answers["check-sshd"] = FAILED

    build = await build_of(world, await world.build())

    assert build.phase is Phase.REJECTED
    assert len(build.attempts) == 1
    assert build.history[-1].because.startswith("1 of 1 attempts used: checks failed: sshd")


async def test_a_service_failure_is_tried_again_after_a_pause() -> None:
    world = new_world()
    failure = Failure(failure_class=FailureClass.SERVICE, message="InternalOperationError")
    world.send(DetectSource(definition="ubuntu-22-04"))
    first = f"{(await expected_id(world))}-a1"
    world.image_builder.fail_run(first, failure)

    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED
    assert len(build.attempts) == 2
    assert build.attempts[1].started_at - build.attempts[0].started_at >= timedelta(minutes=30)


async def expected_id(world: World) -> str:
    return build_id(world.definitions["ubuntu-22-04"], "22.04.202411080")


async def test_an_access_failure_ends_the_build_at_once() -> None:
    world = new_world()
    template = f"{await expected_id(world)}-a1"
    failure = Failure(failure_class=FailureClass.ACCESS, message="AuthorizationFailed: no")
    world.image_builder.fail_creation(template, failure)

    build = await build_of(world, await world.build())

    assert build.phase is Phase.FAILED
    assert len(build.attempts) == 1
    assert [a.name for a in world.outbox.announced] == ["BuildFailed"]


async def test_a_failed_run_that_distributed_its_version_goes_on() -> None:
    world = new_world()
    template = f"{await expected_id(world)}-a1"
    failure = Failure(failure_class=FailureClass.TIMEOUT, message="context deadline exceeded")
    world.image_builder.fail_run(template, failure, distributed_although_failed=True)

    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED
    assert len(build.attempts) == 1


async def test_half_an_hour_of_blindness_is_put_up_with() -> None:
    world = new_world()
    world.image_builder.blind_for(30)

    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED
    assert len(build.attempts) == 1


async def test_a_run_that_never_shows_itself_ends_by_the_clock() -> None:
    world = new_world(definitions={"ubuntu-22-04": ubuntu(max_attempts=1)})
    world.image_builder.run_looks = 100_000

    build = await build_of(world, await world.build())

    assert build.phase is Phase.FAILED
    assert build.attempts[0].failure
    assert build.attempts[0].failure.failure_class is FailureClass.TIMEOUT
    assert world.now - NOON > timedelta(minutes=150)


async def test_a_run_azure_answered_504_to_is_looked_at_before_it_is_sent_again() -> None:
    world = new_world()
    world.image_builder.fail_next("run", UnavailableError("504"))

    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED
    assert len(world.image_builder.runs) == 1


async def test_throttling_puts_the_message_off_as_long_as_azure_says() -> None:
    world = new_world()
    world.gallery.fail_next("ensure_image", ThrottledError("429", after=timedelta(minutes=5)))

    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED
    assert build.attempts[0].started_at == NOON + timedelta(minutes=5)


async def test_an_event_brings_the_next_look_forward() -> None:
    world = new_world()
    template = f"{await expected_id(world)}-a1"
    world.send(HurryBuild(template=template))
    world.send(HurryBuild(template="somebody-elses"))

    build = await build_of(world, await world.build())

    assert build.phase is Phase.RELEASED
    assert world.delivered.count("hurry_build") == 2


async def test_a_second_build_ages_the_first_version() -> None:
    world = new_world()
    await world.build("22.04.202409120")
    await world.build("22.04.202411080")

    first, second = [await version_of(world, f"1.20261122.{n}") for n in (1, 2)]

    assert first.state is VersionState.AGED
    assert second.state is VersionState.RELEASED
    assert world.gallery.held[first.resource_id].tags["assay-state"] == "aged"


async def test_the_same_build_is_made_once_and_a_forced_one_again() -> None:
    world = new_world()
    first = await world.build()
    await world.build()
    assert len(world.image_builder.created) == 1

    await world.build(force="token")

    page = await world.records.builds.list(definition="ubuntu-22-04")
    assert {b.id for b in page.items} > {first}
    assert len(page.items) == 2


async def test_an_older_source_version_that_arrives_late_is_not_built() -> None:
    world = new_world()
    world.send(DetectSource(definition="ubuntu-22-04"))
    await world.drain()

    await world.intake.receive_text(
        "start_build",
        '{"specversion":"1.0","type":"Assay.SourceVersionPublished","source":"/x","id":"1",'
        '"subject":"s","time":"2026-11-22T12:00:00Z","data":{"publisher":"Canonical",'
        '"offer":"0001-com-ubuntu-server-jammy","sku":"22_04-lts-gen2",'
        '"version":"22.04.202409120"}}',
        deliveries=1,
    )

    assert (await world.records.builds.list()).items == ()


async def test_a_message_that_can_never_be_done_is_parked_and_its_build_ended() -> None:
    world = new_world()
    world.gallery.fail_next("ensure_image", RefusedError("Azure refuses: no rights on the gallery"))

    build = await build_of(world, await world.build())
    parked = (await world.records.parked.list()).items

    assert build.phase is Phase.FAILED
    assert [(p.kind, p.reason) for p in parked] == [
        ("start_attempt", "Azure refuses: no rights on the gallery")
    ]
    assert [a.name for a in world.outbox.announced] == ["BuildFailed"]


async def count_calls() -> int:
    world = new_world()
    await world.build()
    return world.crashes.calls


async def test_killed_at_every_call_the_build_ends_the_same() -> None:
    calls = await count_calls()
    assert calls > 50

    for at in range(1, calls + 1):
        world = new_world(crashes=Crashes(at=at))
        build_id = await world.build()
        await world.timer(timedelta(hours=1))
        await world.timer(timedelta(hours=1))
        build = await build_of(world, build_id)
        version = await version_of(world, "1.20261122.1")

        assert build.phase is Phase.RELEASED, at
        assert not version.excluded_from_latest, at
        assert len(build.attempts) == 1, at
        assert version.state is VersionState.RELEASED, at
        assert world.image_builder.created == [f"{build.id}-a1"], at
        assert world.vms.vms == {}, at
        assert {a.name for a in world.outbox.announced} == {"ImagePublished", "ImagePromoted"}, at
