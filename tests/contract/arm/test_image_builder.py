"""Image templates, as the Image Builder SDK sees them."""

from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.imagebuilder.aio import ImageBuilderClient

from localcloud.arm import ArmSimulator
from tests.contract.arm.conftest import make_gallery
from tests.contract.arm.requests import IDENTITY, IMAGE, NEWEST_UBUNTU, UBUNTU, template, version


async def _create(builder: ImageBuilderClient, body: Any, name: str = "t") -> Any:
    poller = await builder.virtual_machine_image_templates.begin_create_or_update("rg", name, body)
    return await poller.result()


async def test_the_exact_source_version_is_known_only_when_creation_has_ended(
    slow_arm: ArmSimulator, slow_compute: ComputeManagementClient, slow_builder: ImageBuilderClient
) -> None:
    await make_gallery(slow_compute)
    templates = slow_builder.virtual_machine_image_templates
    await templates.begin_create_or_update("rg", "t", template())

    early = await templates.get("rg", "t")
    slow_arm.cloud.scheduler.advance(timedelta(minutes=2))
    late = await templates.get("rg", "t")

    assert early["properties"]["provisioningState"] == "Creating"
    assert early["properties"]["source"]["exactVersion"] == "latest"
    assert early["identity"]["userAssignedIdentities"] == {IDENTITY: {}}
    assert late["properties"]["provisioningState"] == "Succeeded"
    assert late["properties"]["source"]["exactVersion"] == NEWEST_UBUNTU
    assert set(late["identity"]["userAssignedIdentities"][IDENTITY]) == {"principalId", "clientId"}


@pytest.mark.usefixtures("gallery")
async def test_a_template_answers_with_a_lower_case_group_and_defaults(
    arm: ArmSimulator, image_builder: ImageBuilderClient
) -> None:
    made = await _create(image_builder, template())

    assert made.id == (
        f"/subscriptions/{arm.subscription_id}/resourcegroups/rg/providers/"
        "Microsoft.VirtualMachineImages/imageTemplates/t"
    )
    assert made["properties"]["buildTimeoutInMinutes"] == 0
    assert made["properties"]["vmProfile"] == {"vmSize": "", "osDiskSizeGB": 0}
    assert "lastRunStatus" not in made["properties"]


@pytest.mark.usefixtures("gallery")
async def test_an_existing_template_cannot_be_written_again(
    image_builder: ImageBuilderClient,
) -> None:
    await _create(image_builder, template())

    with pytest.raises(ResourceExistsError) as refusal:
        await _create(image_builder, template())

    assert refusal.value.error is not None
    assert refusal.value.error.code == "Conflict"
    assert "Update/Upgrade of image templates is currently not supported" in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"colour": "red"}, 'unknown field "colour"'),
        ({"buildTimeoutInMinutes": 5}, "'buildTimeoutInMinutes' must be 0 or from 6 to 960."),
        ({"autoRun": {"state": "Enabled"}}, "autoRun is not simulated"),
        ({"customize": [{"type": "Magic"}]}, "'Magic' is not a type of customizer."),
        ({"customize": [{"type": "Shell", "Inline": []}]}, 'unknown field "Inline"'),
    ],
)
async def test_a_template_with_a_bad_field_is_refused_by_name(
    image_builder: ImageBuilderClient, change: dict[str, Any], named: str
) -> None:
    body = template()
    body["properties"].update(change)

    with pytest.raises(HttpResponseError) as refusal:
        await _create(image_builder, body)

    assert refusal.value.status_code == 400
    assert named in str(refusal.value)


async def test_a_template_needs_exactly_one_user_assigned_identity(
    image_builder: ImageBuilderClient,
) -> None:
    body = template()
    body["identity"]["userAssignedIdentities"]["/another"] = {}

    with pytest.raises(HttpResponseError, match="exactly one user assigned identity"):
        await _create(image_builder, body)


@pytest.mark.usefixtures("gallery")
async def test_a_missing_source_fails_the_creation_not_the_request(
    image_builder: ImageBuilderClient,
) -> None:
    body = template(source={"type": "PlatformImage", **UBUNTU, "version": "22.04.1"})

    with pytest.raises(HttpResponseError) as failure:
        await _create(image_builder, body)
    made = await image_builder.virtual_machine_image_templates.get("rg", "t")

    assert failure.value.status_code == 200
    assert made["properties"]["provisioningState"] == "Failed"
    assert made["properties"]["provisioningError"]["provisioningErrorCode"] == "BadPIRSource"


async def test_a_missing_gallery_image_fails_the_creation(
    image_builder: ImageBuilderClient,
) -> None:
    with pytest.raises(HttpResponseError):
        await _create(image_builder, template())
    made = await image_builder.virtual_machine_image_templates.get("rg", "t")

    error = made["properties"]["provisioningError"]
    assert error["provisioningErrorCode"] == "BadSharedImageDistribute"
    assert IMAGE in error["message"]


@pytest.mark.usefixtures("gallery")
async def test_a_template_may_start_from_a_gallery_version(
    compute: ComputeManagementClient, image_builder: ImageBuilderClient
) -> None:
    parent = await (
        await compute.gallery_image_versions.begin_create_or_update(
            "rg", "g", "i", "1.0.0", version()
        )
    ).result()

    made = await _create(
        image_builder,
        template(
            f"{IMAGE}/versions/2.0.0",
            source={"type": "SharedImageVersion", "imageVersionId": parent.id},
        ),
    )

    assert made["properties"]["source"]["exactVersion"] == parent.id


@pytest.mark.usefixtures("gallery")
async def test_only_identity_tags_distribution_and_machine_can_be_changed(
    image_builder: ImageBuilderClient,
) -> None:
    await _create(image_builder, template())
    templates = image_builder.virtual_machine_image_templates

    await (await templates.begin_update("rg", "t", {"tags": {"a": "b"}})).result()
    with pytest.raises(HttpResponseError, match='unknown field "customize"'):
        await templates.begin_update("rg", "t", {"properties": {"customize": []}})
    with pytest.raises(HttpResponseError, match="Deleting a distribution target is not allowed"):
        await templates.begin_update("rg", "t", {"properties": {"distribute": []}})

    assert (await templates.get("rg", "t")).tags == {"a": "b"}


@pytest.mark.usefixtures("gallery")
async def test_a_deleted_template_is_gone_and_deleting_it_again_is_fine(
    image_builder: ImageBuilderClient,
) -> None:
    templates = image_builder.virtual_machine_image_templates
    await _create(image_builder, template())

    await (await templates.begin_delete("rg", "t")).result()
    await (await templates.begin_delete("rg", "t")).result()

    with pytest.raises(ResourceNotFoundError) as refusal:
        await templates.get("rg", "t")
    assert refusal.value.error is not None
    assert refusal.value.error.code == "ResourceNotFound"


async def test_triggers_of_image_builder_are_refused_by_name(
    image_builder: ImageBuilderClient,
) -> None:
    with pytest.raises(ResourceNotFoundError, match="imageTemplates/triggers"):
        await image_builder.triggers.get("rg", "t", "source")
