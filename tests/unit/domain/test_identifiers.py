"""One spelling for each thing."""

import pytest

from shared.domain.identifiers import (
    GalleryImage,
    digest,
    normalise_region,
    parse_gallery_image,
    parse_resource_id,
    vm_key,
)

VM = "/subscriptions/S-1/resourceGroups/RG-Web/providers/Microsoft.Compute/virtualMachines/Web-01"


def test_a_vm_has_one_key_in_every_spelling_of_its_id() -> None:
    spellings = [VM, VM.lower(), VM.upper(), VM.replace("resourceGroups", "resourcegroups") + "/"]

    assert {vm_key(s) for s in spellings} == {f"s-1.{digest(VM.lower())}"}


def test_a_resource_id_is_taken_apart_level_by_level() -> None:
    instance = VM.replace("virtualMachines/Web-01", "virtualMachineScaleSets/web/virtualMachines/3")

    parsed = parse_resource_id(instance)

    assert parsed.type == "microsoft.compute/virtualmachinescalesets/virtualmachines"
    assert parsed.names == ("web", "3")
    assert parsed.resource_group == "rg-web"


@pytest.mark.parametrize(
    "text",
    ["", "/subscriptions/s", "/subscriptions/s/resourceGroups/r", VM + "/extensions", "web-01"],
)
def test_what_is_no_resource_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not the id of an Azure resource"):
        parse_resource_id(text)


def test_a_gallery_image_is_told_from_its_version() -> None:
    image = (
        "/subscriptions/s/resourceGroups/r/providers/Microsoft.Compute/galleries/G/images/Ubuntu"
    )

    assert parse_gallery_image(image) == GalleryImage(image_id=image.lower())
    assert parse_gallery_image(f"{image}/versions/1.0.0") == GalleryImage(
        image_id=image.lower(), version="1.0.0"
    )
    assert parse_gallery_image(VM) is None


def test_regions_have_one_name() -> None:
    assert normalise_region("East US 2") == normalise_region("eastus2") == "eastus2"


def test_a_digest_does_not_run_its_parts_together() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert len(digest("x")) == 26
