"""When the tattoo in a guest is read, and what a look at it amounts to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.fleet_policy import FleetPolicy
from shared.domain.tattoo_reading import (
    BY_COMMAND,
    Found,
    Held,
    from_command,
    from_configuration,
    is_news,
    needs_reading,
    reading_of,
)
from shared.domain.vm_record import (
    Image,
    Kind,
    Machine,
    TattooReading,
    TattooState,
    Verdict,
    VmRecord,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
POLICY = FleetPolicy()
FACTS = {"definition": "ubuntu", "version": "1.0.2", "build-id": "b-7"}
TAGS = {
    "assay-definition": "ubuntu",
    "assay-version": "1.0.2",
    "assay-build-id": "b-7",
    "cost": "x",
}
HELD = Held(register=FACTS, tags=TAGS)
OURS = Image(image_id="/s/galleries/assay/images/ubuntu", version="1.0.2")
VM = VmRecord(
    key="s.k",
    resource_id="/s/vm-1",
    name="vm-1",
    subscription_id="s",
    resource_group="rg",
    region="westeurope",
    image=OURS,
    definition="ubuntu",
    team="web",
    kind=Kind.PET,
    verdict=Verdict.CURRENT,
    reason="",
    policy="",
    first_seen_at=NOON - timedelta(days=30),
    changed_at=NOON,
    as_of=NOON,
    runs_since=NOON - timedelta(days=30),
    os="linux",
    labels={"assay-read-tattoo": "True"},
)


def last(**changes: object) -> TattooReading:
    reading = TattooReading(
        state=TattooState.MATCH,
        read_at=NOON - timedelta(days=1),
        by=BY_COMMAND,
        version="1.0.2",
        since=NOON - timedelta(days=9),
    )
    return replace(reading, **changes)  # type: ignore[arg-type]


def read(found: Found, held: Held = HELD, vm: VmRecord = VM) -> TattooReading:
    return reading_of(vm, found, held, by=BY_COMMAND, at=NOON)


def differences(guest: dict[str, str], held: Held = HELD) -> tuple[str, ...]:
    reading = read(Found(facts=guest), held)
    assert reading.state is TattooState.MISMATCH
    return reading.differences


# --- when -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "vm",
    [
        replace(VM, labels={}),
        replace(VM, labels={"assay-read-tattoo": "yes"}),
        replace(VM, deleted_at=NOON),
        replace(VM, machine=Machine.SCALE_SET),
    ],
)
def test_only_a_machine_that_is_there_and_opted_in_is_read(vm: VmRecord) -> None:
    assert needs_reading(VM, NOON, POLICY)
    assert not needs_reading(vm, NOON, POLICY)


def test_a_tattoo_is_read_again_after_the_days_of_the_policy() -> None:
    vm = replace(VM, tattoo=last(read_at=NOON))
    assert not needs_reading(vm, NOON + timedelta(days=7, seconds=-1), POLICY)
    assert needs_reading(vm, NOON + timedelta(days=7), POLICY)
    assert needs_reading(vm, NOON + timedelta(days=1), FleetPolicy(tattoo_every=timedelta(days=1)))


def test_a_tattoo_is_read_again_when_the_vm_runs_another_image() -> None:
    vm = replace(VM, tattoo=last())
    assert not needs_reading(vm, NOON, POLICY)
    assert needs_reading(replace(vm, image=replace(OURS, version="1.0.3")), NOON, POLICY)
    assert needs_reading(replace(vm, runs_since=NOON), NOON, POLICY)


# --- what was found -------------------------------------------------------------------------------


def test_a_script_that_ended_well_found_what_it_printed() -> None:
    assert from_command(0, "version=1\nos-version=x\n", "") == Found(
        facts={"version": "1", "os-version": "x"}
    )


@pytest.mark.parametrize(
    "error",
    [
        "cat: /etc/assay/tattoo: No such file or directory\n",
        "Get-ItemProperty : Cannot find path 'HKLM:\\SOFTWARE\\Assay\\Tattoo' because …",
        "… + FullyQualifiedErrorId : PathNotFound,Microsoft.PowerShell.Commands…",
    ],
)
def test_a_script_that_found_nothing_says_so_in_either_system(error: str) -> None:
    assert from_command(1, "", error) == Found()


def test_a_script_that_ended_badly_for_another_reason_found_nothing_out() -> None:
    assert from_command(126, "", "cat:\n Permission  denied\n") == Found(
        unreadable="the script ended with exit code 126: cat: Permission denied"
    )
    assert from_command(None, "", "").unreadable == (
        "the script ended with exit code None: it said nothing"
    )


def test_machine_configuration_tells_the_facts_in_a_phrase() -> None:
    facts = {"definition": "ubuntu", "version": "1.0.2"}
    for phrase in ("definition=ubuntu\nversion=1.0.2", "definition=ubuntu; version=1.0.2"):
        reasons = [("Other:Other:x", "version=9"), ("AssayTattoo:AssayTattoo:Tattoo", phrase)]
        assert from_configuration(reasons) == Found(facts=facts)
    assert from_configuration([("AssayTattoo:AssayTattoo:Absent", "no tattoo")]) == Found()


def test_machine_configuration_without_facts_tells_nothing() -> None:
    assert from_configuration([]) is None
    assert from_configuration([("AssayTattoo:AssayTattoo:Tattoo", "it is as it should be")]) is None


# --- what it amounts to ---------------------------------------------------------------------------


def test_three_places_that_say_the_same_match() -> None:
    reading = read(Found(facts={**FACTS, "os-version": "Ubuntu 22.04"}))
    assert reading == TattooReading(
        state=TattooState.MATCH, read_at=NOON, by="run-command", version="1.0.2", since=NOON
    )


def test_facts_the_register_learned_later_are_not_looked_for() -> None:
    held = replace(HELD, register={**FACTS, "published-at": "2026-11-22T12:00:00Z"})
    assert read(Found(facts=FACTS), held).state is TattooState.MATCH


def test_whoever_stands_alone_is_named_first() -> None:
    assert differences({**FACTS, "version": "9.9.9"}) == (
        "version: the guest says 9.9.9, the register and the gallery say 1.0.2",
    )
    assert differences(FACTS, replace(HELD, tags={**TAGS, "assay-version": "9.9.9"})) == (
        "version: the gallery says 9.9.9, the guest and the register say 1.0.2",
    )
    assert differences(FACTS, replace(HELD, register={**FACTS, "version": "9.9.9"})) == (
        "version: the register says 9.9.9, the guest and the gallery say 1.0.2",
    )


def test_what_one_of_them_lacks_is_a_difference_too() -> None:
    assert differences({"definition": "ubuntu", "build-id": "b-8"}, replace(HELD, tags={})) == (
        "definition: the gallery says nothing, the guest and the register say ubuntu",
        "version: the register says 1.0.2, the guest and the gallery say nothing",
        "build-id: the guest says b-8, the register says b-7, the gallery says nothing",
    )


def test_a_version_the_gallery_no_longer_has_is_compared_with_the_register_alone() -> None:
    gone = replace(HELD, tags=None)
    assert read(Found(facts=FACTS), gone).state is TattooState.MATCH
    assert differences({**FACTS, "version": "9"}, gone) == (
        "version: the guest says 9, the register says 1.0.2",
    )


def test_a_value_is_cut_where_it_is_very_long() -> None:
    [sentence] = differences({**FACTS, "version": "9" * 5000})
    assert len(sentence) < 200


def test_a_guest_without_a_tattoo_is_absent_whatever_its_image() -> None:
    foreign = replace(VM, definition="", image=Image(image_id="canonical:a:b", version="2"))
    assert read(Found()).state is TattooState.ABSENT
    assert read(Found(), Held(), foreign).state is TattooState.ABSENT


@pytest.mark.parametrize(
    ("image", "definition", "runs"),
    [
        (
            Image(image_id="canonical:a:b", version="2"),
            "",
            "canonical:a:b 2, which is none of ours",
        ),
        (OURS, "ubuntu", f"{OURS.image_id} 1.0.2, of which the register has no tattoo"),
        (Image(), "", "an image nobody can name"),
    ],
)
def test_a_guest_that_falsely_claims_to_be_ours_is_a_mismatch(
    image: Image, definition: str, runs: str
) -> None:
    vm = replace(VM, image=image, definition=definition)
    reading = read(Found(facts=FACTS), Held(), vm)
    assert reading.state is TattooState.MISMATCH
    assert reading.differences == (
        f"the guest claims to be version 1.0.2 of ubuntu, but the VM runs {runs}",
    )


def test_a_guest_that_cannot_be_read_says_why() -> None:
    reading = read(Found(unreadable="the VM is off"))
    assert (reading.state, reading.differences) == (TattooState.UNREADABLE, ("the VM is off",))


# --- what is news ---------------------------------------------------------------------------------


def test_a_reading_keeps_since_when_it_says_so() -> None:
    again = read(Found(facts=FACTS), vm=replace(VM, tattoo=last()))
    assert (again.since, again.read_at) == (NOON - timedelta(days=9), NOON)
    other = read(Found(), vm=replace(VM, tattoo=last()))
    assert other.since == NOON


def test_a_wrong_tattoo_is_news_once_and_again_when_it_is_wrong_differently() -> None:
    wrong = read(Found(facts={**FACTS, "version": "9"}))
    assert is_news(wrong)
    vm = replace(VM, tattoo=replace(wrong, read_at=NOON - timedelta(1), since=NOON - timedelta(1)))
    assert not is_news(read(Found(facts={**FACTS, "version": "9"}), vm=vm))
    assert is_news(read(Found(facts={**FACTS, "version": "8"}), vm=vm))
    assert is_news(read(Found(), vm=vm))


def test_a_tattoo_that_matches_or_cannot_be_read_is_no_news() -> None:
    assert not is_news(read(Found(facts=FACTS)))
    assert not is_news(read(Found(unreadable="the VM is off")))
