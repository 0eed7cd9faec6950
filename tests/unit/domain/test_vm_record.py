"""What makes two policy states the same state."""

from datetime import UTC, datetime

from shared.domain.vm_record import PolicyState


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
    assert state("d1", "").key == ("a", "d1")
    assert state("d1", "").key != state("d2", "").key
