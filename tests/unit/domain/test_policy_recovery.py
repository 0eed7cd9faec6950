"""What a list of Azure Policy changes in what is held, and how it is counted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.policy_recovery import Found, recover, unlisted
from shared.domain.policy_subject import PolicySubject, subject_of
from shared.domain.policy_sweep import MAX_RESTARTS, PolicySweep, Position
from shared.domain.turns import Admission
from shared.domain.vm_record import PolicyState

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
FRESH = NOON - timedelta(hours=24)
GROUP = "/subscriptions/S/resourceGroups/RG/providers"
VM = f"{GROUP}/Microsoft.Compute/virtualMachines/Web"
GUEST = "providers/Microsoft.GuestConfiguration/guestConfigurationAssignments"


def state(says: str, *, hours: float = -1, assignment: str = "a", **more: object) -> PolicyState:
    word = PolicyState(
        assignment_id=assignment,
        definition_id="d",
        reference_id="",
        state=says,
        timestamp=NOON + timedelta(hours=hours),
    )
    return replace(word, **more)  # type: ignore[arg-type]


def recovered(
    held: tuple[PolicyState, ...], *listed: PolicyState, gone: tuple[PolicyState, ...] = ()
) -> tuple[tuple[PolicyState, ...], Found]:
    return recover(held, listed, gone=gone, now=NOON, fresh_since=FRESH)


def test_a_state_nobody_told_of_is_new() -> None:
    assert recovered((), state("compliant")) == (
        (state("compliant"),),
        Found(states=1, new=1),
    )


@pytest.mark.parametrize(
    "word",
    [state("noncompliant"), state("compliant", reason_code="R"), state("compliant", about="")],
)
def test_another_word_evaluated_later_is_a_change(word: PolicyState) -> None:
    held = (state("exempt", hours=-2),)
    assert recovered(held, word) == ((word,), Found(states=1, changed=1))


def test_an_older_word_is_not_taken() -> None:
    held = (state("exempt"),)
    assert recovered(held, state("noncompliant", hours=-2)) == (held, Found(states=1))


def test_the_same_word_evaluated_anew_is_taken_only_where_ours_is_old() -> None:
    young, old, anew = (state("exempt", hours=h) for h in (-24, -24.1, -1))
    assert recovered((young,), anew) == ((young,), Found(states=1))
    assert recovered((old,), anew) == ((anew,), Found(states=1, refreshed=1))


def test_a_time_in_the_future_is_mended_though_the_word_is_the_same() -> None:
    held = (state("exempt", hours=99),)
    assert recovered(held, state("exempt")) == ((state("exempt"),), Found(states=1, refreshed=1))


def test_what_is_gone_leaves_a_tombstone_of_its_own_time() -> None:
    held = (state("noncompliant", reason_code="R"),)
    states, found = recovered(held, gone=held)
    assert states == (state("", deleted=True),)
    assert found == Found(removed=1)
    assert recovered(states, gone=held) == (states, Found())
    assert recovered(states, state("compliant", hours=-0.5))[1] == Found(states=1, changed=1)
    assert recovered(states, state("noncompliant", reason_code="R"))[1] == Found(states=1)


def test_only_living_states_can_be_missing_from_a_list() -> None:
    held = (
        state("compliant"),
        state("", assignment="b", deleted=True),
        state("compliant", assignment="c"),
        state("compliant", assignment="c", about="gc"),
    )
    missing = unlisted(held, [state("noncompliant", hours=0), state("x", assignment="c")])
    assert missing == (held[3],)


def test_what_was_found_adds_up() -> None:
    one = Found(states=1, new=2, changed=3, removed=4, refreshed=5)
    assert one + one == Found(states=2, new=4, changed=6, removed=8, refreshed=10)
    assert one.missed == 9


# --- whom a state is about ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource_id", "about"),
    [
        (VM, ""),
        (f" {VM.upper()}/ ", ""),
        (f"{GROUP}/Microsoft.Compute/virtualMachineScaleSets/Api/virtualMachines/3", ""),
        (f"{VM}/{GUEST}/Tattoo", "tattoo"),
        (f"{VM}/{GUEST.upper()}/TATTOO", "tattoo"),
    ],
)
def test_a_machine_in_any_spelling_and_its_guest_configurations_are_subjects(
    resource_id: str, about: str
) -> None:
    subject = subject_of(resource_id)
    assert subject
    assert subject.about == about
    assert subject.resource_id == resource_id.strip().rstrip("/").lower()


@pytest.mark.parametrize(
    "resource_id",
    [
        f"{GROUP}/Microsoft.Compute/virtualMachineScaleSets/Api",
        f"{GROUP}/Microsoft.Compute/virtualMachineScaleSets/Api/{GUEST}/x",
        f"{GROUP}/Microsoft.HybridCompute/machines/arc/{GUEST}/x",
        f"{GROUP}/{GUEST.removeprefix('providers/')}/x",
        f"{VM}/extensions/agent",
        f"{VM}/{GUEST}",
        f"{VM}/{GUEST}/x/reports/1",
        "/subscriptions/S",
        "nonsense",
        "",
    ],
)
def test_nothing_else_is_a_subject(resource_id: str) -> None:
    assert subject_of(resource_id) is None


def test_a_subject_of_the_vm_itself_has_the_id_of_the_vm() -> None:
    assert PolicySubject(vm_id="/vm").resource_id == "/vm"


# --- the turns of a sweep -------------------------------------------------------------------------

SWEEP = PolicySweep(subscription_id="s", began_at=NOON)


def test_a_turn_that_is_repeated_counts_once() -> None:
    counted = SWEEP.counting(Found(new=2))
    assert counted.counting(Found(new=1)) == counted
    moved = counted.moved(Found(new=1), at=Position(page_after="/a"), now=NOON)
    assert (moved.found, moved.turn, moved.counted) == (Found(new=2), 1, False)
    assert moved.counting(Found(new=1)).found == Found(new=3)


@pytest.mark.parametrize(
    ("turn", "guard", "admission"),
    [
        (2, False, Admission.ACT),
        (3, False, Admission.ACT),
        (1, False, Admission.GUARD),
        (1, True, Admission.RESEND),
        (0, True, Admission.DROP),
    ],
)
def test_only_the_present_turn_acts(turn: int, guard: bool, admission: Admission) -> None:
    assert replace(SWEEP, turn=2).admit(turn, guard=guard) is admission
    assert replace(SWEEP, turn=2, ended_at=NOON).admit(turn, guard=guard) is Admission.DROP


def test_a_sweep_begins_anew_a_few_times_and_then_stops() -> None:
    sweep = replace(SWEEP, at=Position(skip_token="x"), found=Found(states=9, new=1))
    for restart in range(1, MAX_RESTARTS + 1):
        sweep = sweep.begun_anew(now=NOON)
        assert (sweep.restarts, sweep.at, sweep.ended_at) == (restart, Position(), None)
    assert sweep.found == Found(new=1)
    stopped = sweep.begun_anew(now=NOON)
    assert (stopped.ended_at, bool(stopped.problem)) == (NOON, True)


def test_the_register_is_compared_from_the_last_vm_on() -> None:
    assert Position(page_after="/b", done_to="/c").after == "/c"
    assert Position(page_after="/b", done_to="/a").after == "/b"
