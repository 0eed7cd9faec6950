"""What the gateways say and accept while Azure is still at it; time stands still in between."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from azure.mgmt.compute.models import Gallery

from localcloud.arm import ArmSimulator
from shared.domain.failure import FailureClass
from shared.errors import UnavailableError
from shared.gateways.clients import AzureClients
from shared.ports import Publishing
from shared.settings import Settings
from tests.arm_plugin import FixedToken
from tests.contract.gateways import things
from tests.contract.gateways.clouds import SimulatedCloud
from tests.contract.gateways.things import DEFINITION, SPEC, VERSION

MINUTE = timedelta(minutes=1)
RUN = timedelta(minutes=20)
VM = "av-ubuntu-2204-1"


@pytest.fixture
def settings(slow_arm: ArmSimulator) -> Settings:
    return things.settings(
        arm=slow_arm.base_url,
        subscription=slow_arm.subscription_id,
        topic=slow_arm.topic_endpoint(),
    )


@pytest.fixture
async def cloud(slow_arm: ArmSimulator, settings: Settings) -> AsyncIterator[SimulatedCloud]:
    clients = AzureClients(settings, FixedToken(), retries=0)
    await clients.compute().galleries.begin_create_or_update(
        "rg-assay", "assay", Gallery(location="westeurope"), polling=False
    )
    yield SimulatedCloud(slow_arm, clients, settings)
    await clients.close()


async def _created(cloud: SimulatedCloud, slow_arm: ArmSimulator) -> None:
    with pytest.raises(UnavailableError, match="being created"):
        await cloud.gallery.ensure_image(DEFINITION)
    slow_arm.cloud.scheduler.advance(MINUTE)
    await cloud.image_builder.create(SPEC)
    slow_arm.cloud.scheduler.advance(MINUTE)


async def test_an_image_in_the_making_is_asked_for_once(
    cloud: SimulatedCloud, slow_arm: ArmSimulator
) -> None:
    for _ in range(2):
        with pytest.raises(UnavailableError, match="ubuntu-2204 is being created"):
            await cloud.gallery.ensure_image(DEFINITION)

    puts = [e for e in slow_arm.cloud.traffic if e.operation == "GalleryImages_CreateOrUpdate"]
    assert len(puts) == 1


async def test_a_template_in_the_making_knows_no_exact_source_and_cannot_run(
    cloud: SimulatedCloud, slow_arm: ArmSimulator
) -> None:
    await cloud.image_builder.create(SPEC)

    status = await cloud.image_builder.status(SPEC.name)
    assert status is not None
    assert (status.provisioning_state, status.source_version) == ("Creating", "")
    with pytest.raises(UnavailableError, match="OperationNotAllowed"):
        await cloud.image_builder.run(SPEC.name)


async def test_a_running_template_has_no_end_and_is_not_run_twice(
    cloud: SimulatedCloud, slow_arm: ArmSimulator
) -> None:
    await _created(cloud, slow_arm)
    await cloud.image_builder.run(SPEC.name)
    slow_arm.cloud.scheduler.advance(MINUTE)
    first = await cloud.image_builder.status(SPEC.name)

    await cloud.image_builder.run(SPEC.name)

    assert first is not None
    assert (first.run_state, first.run_sub_state) == ("Running", "Building")
    assert (first.run_ended_at, first.run_failure) == (None, None)
    assert await cloud.image_builder.status(SPEC.name) == first


async def test_a_running_template_cannot_be_deleted_yet(
    cloud: SimulatedCloud, slow_arm: ArmSimulator
) -> None:
    await _created(cloud, slow_arm)
    await cloud.image_builder.run(SPEC.name)

    with pytest.raises(UnavailableError, match="running"):
        await cloud.image_builder.delete(SPEC.name)


async def test_a_template_that_is_going_may_be_deleted_again(
    cloud: SimulatedCloud, slow_arm: ArmSimulator
) -> None:
    await _created(cloud, slow_arm)

    await cloud.image_builder.delete(SPEC.name)
    await cloud.image_builder.delete(SPEC.name)

    status = await cloud.image_builder.status(SPEC.name)
    assert status is not None
    assert status.provisioning_state == "Deleting"
    with pytest.raises(UnavailableError):
        await cloud.image_builder.create(SPEC)


async def test_a_vm_in_the_making_takes_no_command_yet(
    cloud: SimulatedCloud, slow_arm: ArmSimulator
) -> None:
    await _created(cloud, slow_arm)
    await cloud.image_builder.run(SPEC.name)
    slow_arm.cloud.scheduler.advance(RUN)
    await cloud.vms.create(VM, DEFINITION, VERSION, build_id=SPEC.build_id)

    status = await cloud.vms.status(VM)

    assert status is not None
    assert (status.provisioning_state, status.agent_ready) == ("Creating", False)
    with pytest.raises(UnavailableError):
        await cloud.vms.start_command(VM, "disk", "check", DEFINITION, timeout_seconds=60)


async def test_a_command_has_not_finished_before_its_script_has(
    cloud: SimulatedCloud, slow_arm: ArmSimulator
) -> None:
    await _created(cloud, slow_arm)
    await cloud.image_builder.run(SPEC.name)
    slow_arm.cloud.scheduler.advance(RUN)
    await cloud.vms.create(VM, DEFINITION, VERSION, build_id=SPEC.build_id)
    slow_arm.cloud.scheduler.advance(MINUTE)
    await cloud.vms.start_command(VM, "disk", "check", DEFINITION, timeout_seconds=60)

    status = await cloud.vms.command_status(VM, "disk")

    assert status is not None
    assert (status.finished, status.exit_code, status.failure) == (False, None, "")


async def test_a_new_region_is_replicated_to_while_the_old_ones_stay(
    cloud: SimulatedCloud, slow_arm: ArmSimulator
) -> None:
    await _created(cloud, slow_arm)
    await cloud.image_builder.run(SPEC.name)
    slow_arm.cloud.scheduler.advance(RUN)
    image_id = cloud.gallery.image_id(DEFINITION)

    regions = {"westeurope": 1, "northeurope": 2, "swedencentral": 1}
    publishing = Publishing(regions=regions, excluded_from_latest=False)
    await cloud.gallery.set_publishing(image_id, VERSION, publishing)

    version = await cloud.gallery.version(image_id, VERSION)
    assert version is not None
    assert set(version.regions) == {"westeurope", "northeurope", "swedencentral"}
    assert version.replicated == {"westeurope", "northeurope"}
    assert version.provisioning_state == "Updating"


async def test_a_run_that_is_cancelled_ends_without_a_version(
    cloud: SimulatedCloud, slow_arm: ArmSimulator
) -> None:
    await _created(cloud, slow_arm)
    await cloud.image_builder.run(SPEC.name)
    slow_arm.cloud.scheduler.advance(MINUTE)

    await cloud.image_builder.cancel(SPEC.name)
    await cloud.image_builder.cancel(SPEC.name)

    canceling = await cloud.image_builder.status(SPEC.name)
    assert canceling is not None
    assert canceling.run_state == "Canceling"
    slow_arm.cloud.scheduler.advance(RUN)
    canceled = await cloud.image_builder.status(SPEC.name)
    assert canceled is not None
    assert canceled.run_state == "Canceled"
    assert canceled.run_failure is not None
    assert canceled.run_failure.failure_class is FailureClass.CANCELLED
    assert await cloud.image_builder.output(SPEC.name) is None
