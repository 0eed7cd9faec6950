"""What an image definition says of itself."""

from dataclasses import replace

import pytest

from shared.domain.image_definition import CUSTOMIZE, Repair, build_id, customization_digest
from tests.fakes.definitions import shell, ubuntu


def names(*repairs: str) -> list[str]:
    mend = Repair(name="mend", answers=(CUSTOMIZE,), customizers=(shell("mend-apt"),))
    definition = ubuntu(repairs=(*ubuntu().repairs, mend))
    return [c.name for c in definition.customizers_with(repairs)]


def test_a_repair_of_a_check_follows_the_customizers() -> None:
    assert names("reset-sshd") == ["hardening", "agent", "reset-sshd"]


def test_a_repair_of_a_failed_customization_goes_first() -> None:
    assert names("reset-sshd", "mend") == ["mend-apt", "hardening", "agent", "reset-sshd"]


def test_no_repair_is_in_force_until_it_is_named() -> None:
    assert names() == ["hardening", "agent"]


def test_the_same_inputs_are_the_same_build() -> None:
    assert build_id(ubuntu(), "1.2.3") == build_id(ubuntu(), "1.2.3")


def test_whatever_changes_the_image_or_its_proof_changes_the_build() -> None:
    definition = ubuntu()
    check = replace(definition.checks[0], script="sshd -t\n")
    others = {
        build_id(definition, "1.2.4"),
        build_id(definition, "1.2.3", force="token"),
        build_id(ubuntu(customizers=(shell("hardening", "false\n"),)), "1.2.3"),
        build_id(ubuntu(checks=(check,)), "1.2.3"),
        build_id(ubuntu(name="ubuntu-22-05"), "1.2.3"),
    }

    assert build_id(definition, "1.2.3") not in others
    assert len(others) == 5


def test_a_change_of_words_or_regions_is_no_other_build() -> None:
    changed = ubuntu(description="other words", regions=ubuntu().regions[:1])

    assert build_id(changed, "1.2.3") == build_id(ubuntu(), "1.2.3")


def test_repairs_in_force_change_the_customization() -> None:
    plain, repaired = (
        customization_digest(ubuntu()),
        customization_digest(ubuntu(), ("reset-sshd",)),
    )

    assert plain != repaired


def test_a_build_id_leaves_room_for_the_names_made_from_it() -> None:
    longest = ubuntu(name="a" * 40)

    assert len(f"{build_id(longest, '1.2.3')}-a10-verify") <= 64


@pytest.mark.parametrize(
    "changes",
    [
        {"repairs": ()},
        {"checks": ()},
        {"customizers": ()},
        {"max_attempts": 9},
        {"verify_vm_size": "Standard_D4s_v5"},
        {"verify_source": True},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_any_other_change_of_the_file_is_another_build(changes: dict[str, object]) -> None:
    assert build_id(ubuntu(**changes), "1.0.0") != build_id(ubuntu(), "1.0.0")
