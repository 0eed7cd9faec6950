"""What the steps may rely on when a template builds from a version of our own gallery."""

from dataclasses import replace

import pytest

from shared.domain.failure import FailureClass
from shared.domain.identifiers import normalise_id
from shared.domain.image_definition import ImageDefinition, ParentSource
from shared.errors import RefusedError, UnavailableError
from shared.ports import TemplateSpec
from tests.contract.gateways.clouds import Cloud
from tests.contract.gateways.looks import built, replicated, until
from tests.contract.gateways.things import DEFINITION, SPEC, VERSION

CHILD: ImageDefinition = replace(
    DEFINITION,
    name="web-2204",
    sku="web",
    source=ParentSource(image="ubuntu-2204", channel="stable"),
)


def a_child(parent_id: str) -> TemplateSpec:
    return replace(
        SPEC,
        name="web-2204-0123456789ab-1",
        build_id="web-2204-0123456789ab",
        definition=CHILD,
        source_version=VERSION,
        parent_id=parent_id,
    )


async def made(cloud: Cloud, spec: TemplateSpec) -> str:
    """Have the template made; return the state and source it ends with."""

    async def ensure() -> bool | None:
        try:
            await cloud.gallery.ensure_image(CHILD)
        except UnavailableError:
            return None
        return True

    await until(ensure, bool)
    await cloud.image_builder.create(spec)
    status = await until(
        lambda: cloud.image_builder.status(spec.name),
        lambda s: s.provisioning_state not in {"Creating", "Updating"},
    )
    if status.provisioning_failure:
        assert status.provisioning_failure.failure_class is FailureClass.CONFIGURATION
        return f"{status.provisioning_state}: {status.provisioning_failure.message}"
    return f"{status.provisioning_state}: {status.source_version}"


async def test_a_template_builds_from_exactly_the_parents_version(cloud: Cloud) -> None:
    image_id, version = await built(cloud)
    await replicated(cloud, (image_id, version))
    parent_id = normalise_id(f"{image_id}/versions/{version}")
    spec = a_child(parent_id)

    assert await made(cloud, spec) == f"Succeeded: {parent_id}"
    await cloud.image_builder.run(spec.name)
    await until(
        lambda: cloud.image_builder.status(spec.name),
        lambda s: s.run_state not in {"", "Running"},
    )

    output = await cloud.image_builder.output(spec.name)
    assert output == f"{cloud.gallery.image_id(CHILD)}/versions/{VERSION}"


async def test_a_parent_that_is_not_there_fails_the_template(cloud: Cloud) -> None:
    parent_id = f"{cloud.gallery.image_id(DEFINITION)}/versions/9.9.9"

    said = await made(cloud, a_child(parent_id))

    assert said.startswith("Failed: ")
    assert "BadSharedImageVersionSource" in said
    assert "was not found" in said


async def test_a_child_without_a_version_of_its_parent_is_refused(cloud: Cloud) -> None:
    with pytest.raises(RefusedError, match="ubuntu-2204@stable"):
        await cloud.image_builder.create(a_child(""))
