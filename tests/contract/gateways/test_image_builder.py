"""What the steps may rely on when they ask Image Builder."""

import pytest

from shared.domain.failure import FailureClass
from shared.errors import NotFoundError, UnavailableError
from tests.contract.gateways.clouds import Cloud
from tests.contract.gateways.looks import created, ensured, ran, replicated
from tests.contract.gateways.things import DEFINITION, SOURCE_VERSION, SPEC, VERSION

DENIED = "The assigned managed identity cannot be used to access the gallery."
BROKEN = "Packer build command has failed: exit status 1."


async def test_a_template_that_was_never_created_is_not_there(cloud: Cloud) -> None:
    assert await cloud.image_builder.status(SPEC.name) is None
    assert await cloud.image_builder.output(SPEC.name) is None


async def test_a_created_template_names_its_exact_source_and_has_not_run(cloud: Cloud) -> None:
    status = await created(cloud)

    assert status.provisioning_state == "Succeeded"
    assert status.source_version == SOURCE_VERSION
    assert (status.run_state, status.run_started_at, status.run_ended_at) == ("", None, None)
    assert await cloud.image_builder.output(SPEC.name) is None


async def test_a_template_may_be_asked_for_again(cloud: Cloud) -> None:
    await ensured(cloud)
    await cloud.image_builder.create(SPEC)
    await cloud.image_builder.create(SPEC)
    await created(cloud)

    await cloud.image_builder.create(SPEC)

    status = await cloud.image_builder.status(SPEC.name)
    assert status is not None
    assert status.provisioning_state == "Succeeded"


async def test_a_template_that_cannot_be_made_says_why(cloud: Cloud) -> None:
    cloud.fail_creation(SPEC.name, DENIED)

    status = await created(cloud)

    assert status.provisioning_state == "Failed"
    assert status.provisioning_failure is not None
    assert status.provisioning_failure.failure_class is FailureClass.ACCESS
    assert DENIED in status.provisioning_failure.message


async def test_a_good_run_distributes_the_version_named(cloud: Cloud) -> None:
    status = await ran(cloud)

    image_id = cloud.gallery.image_id(DEFINITION)
    assert (status.run_state, status.run_failure) == ("Succeeded", None)
    assert status.run_started_at is not None
    assert status.run_ended_at is not None
    assert status.run_ended_at >= status.run_started_at
    assert await cloud.image_builder.output(SPEC.name) == f"{image_id}/versions/{VERSION}"


async def test_a_failed_run_says_why_and_leaves_nothing(cloud: Cloud) -> None:
    cloud.fail_run(SPEC.name, BROKEN)

    status = await ran(cloud)

    assert status.provisioning_state == "Succeeded"
    assert (status.run_state, status.run_message) == ("Failed", BROKEN)
    assert status.run_failure is not None
    assert status.run_failure.failure_class is FailureClass.CUSTOMIZATION
    assert await cloud.image_builder.output(SPEC.name) is None
    assert await cloud.gallery.versions(cloud.gallery.image_id(DEFINITION)) == []


async def test_a_failed_run_may_have_distributed_all_the_same(cloud: Cloud) -> None:
    cloud.fail_run(SPEC.name, "context deadline exceeded", distributed=True)

    status = await ran(cloud)

    image_id = cloud.gallery.image_id(DEFINITION)
    assert status.run_failure is not None
    assert status.run_failure.failure_class is FailureClass.TIMEOUT
    assert await cloud.image_builder.output(SPEC.name) == f"{image_id}/versions/{VERSION}"
    assert (await replicated(cloud, (image_id, VERSION))).excluded_from_latest is True


async def test_a_blind_image_builder_is_unavailable_for_a_while(cloud: Cloud) -> None:
    await created(cloud)
    cloud.go_blind(2)

    for _ in range(2):
        with pytest.raises(UnavailableError):
            await cloud.image_builder.status(SPEC.name)

    assert await cloud.image_builder.status(SPEC.name) is not None


async def test_a_template_that_is_not_there_cannot_be_run(cloud: Cloud) -> None:
    with pytest.raises(NotFoundError, match=SPEC.name):
        await cloud.image_builder.run(SPEC.name)


async def test_a_deleted_template_is_gone_and_may_be_deleted_again(cloud: Cloud) -> None:
    await created(cloud)

    await cloud.image_builder.delete(SPEC.name)
    await cloud.image_builder.delete(SPEC.name)

    assert await cloud.image_builder.status(SPEC.name) is None


async def test_what_does_not_run_is_cancelled_without_a_word(cloud: Cloud) -> None:
    await cloud.image_builder.cancel(SPEC.name)
    await created(cloud)
    await cloud.image_builder.cancel(SPEC.name)
    await ran(cloud)
    await cloud.image_builder.cancel(SPEC.name)

    status = await cloud.image_builder.status(SPEC.name)
    assert status is not None
    assert status.run_state == "Succeeded"
