"""What makes two policy states the same state, and what sort of image an id names."""

from datetime import UTC, datetime

import pytest

from shared.domain.vm_record import ImageKind, PolicyState, kind_of_image


def state(definition: str, reference: str) -> PolicyState:
    return PolicyState(
        assignment_id="a",
        definition_id=definition,
        reference_id=reference,
        state="compliant",
        timestamp=datetime(2026, 11, 22, 12, tzinfo=UTC),
    )


def test_a_policy_of_an_initiative_is_known_by_its_reference() -> None:
    assert state("d1", "only-gallery").key == state("d2", "only-gallery").key


def test_a_policy_assigned_alone_is_known_by_its_definition() -> None:
    assert state("d1", "").key == ("a", "d1", "")
    assert state("d1", "").key != state("d2", "").key


@pytest.mark.parametrize(
    ("image_id", "kind"),
    [
        ("", ImageKind.NONE),
        ("canonical:ubuntuserver:18.04-lts", ImageKind.MARKETPLACE),
        ("/subscriptions/s/resourcegroups/g/providers/microsoft.compute/galleries/g/images/i",
         ImageKind.GALLERY),
        ("/subscriptions/s/resourcegroups/g/providers/microsoft.compute/images/i",
         ImageKind.MANAGED_IMAGE),
        ("/sharedgalleries/s-g/images/i", ImageKind.SHARED_GALLERY),
        ("/communitygalleries/c/images/i", ImageKind.COMMUNITY_GALLERY),
    ],
)  # fmt: skip
def test_an_image_is_known_by_where_it_is_kept(image_id: str, kind: ImageKind) -> None:
    assert kind_of_image(image_id) is kind
