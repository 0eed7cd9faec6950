"""What was true of a VM, when, and for how long."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.history import Transition
from shared.domain.periods import POLICY, VERDICT, Presence, Standing, past_of
from shared.domain.vm_record import Kind, TattooReading, TattooState, Verdict
from tests.unit.domain.pasts import NOON, Story, a_line, a_record, minute, shown

HOUR = timedelta(hours=1)


def a_story() -> Story:
    return Story(a_record(policy="compliant"))


def test_a_vm_nothing_happened_to_is_today_as_it_was_first_seen() -> None:
    story = a_story()
    past = past_of(story.record, story.lines)
    assert {what: shown(periods) for what, periods in past.periods.items()} == {
        "deleted": [("", 0, None)],
        "image": [("/galleries/golden/images/ubuntu 1.0.0", 0, None)],
        "region": [("westeurope", 0, None)],
        "team": [("web", 0, None)],
        "kind": [("pet", 0, None)],
        "verdict": [("current", 0, None)],
        "policy": [("compliant", 0, None)],
        "tattoo": [("", 0, None)],
    }
    assert past.known_from == NOON


def test_every_change_ends_a_period_and_begins_one_for_its_reason() -> None:
    read = TattooReading(state=TattooState.MATCH, read_at=minute(3), by="run-command")
    story = a_story().then(minute(2), team="db", kind=Kind.CATTLE).then(minute(3), tattoo=read)
    story.then(minute(5), team="ops")
    past = past_of(story.record, story.lines)
    assert shown(past.periods["team"]) == [("web", 0, 2), ("db", 2, 5), ("ops", 5, None)]
    assert shown(past.periods["kind"]) == [("pet", 0, 2), ("cattle", 2, None)]
    assert shown(past.periods["tattoo"]) == [("", 0, 3), ("match", 3, None)]
    assert [p.because for p in past.periods["team"]] == ["line 1", "line 4", "line 7"]


def test_a_period_begins_with_its_moment_and_ends_before_the_next() -> None:
    story = a_story().then(minute(2), team="db")
    past = past_of(story.record, story.lines)
    teams = [past.at(minute(m))["team"] for m in (0, 1.99, 2, 500)]
    assert [t and t.value for t in teams] == ["web", "web", "db", "db"]
    assert past.at(minute(-1))["team"] is None


def test_at_the_time_people_are_told_what_began_then_is_true() -> None:
    story = Story(a_record(first_seen_at=NOON + timedelta(microseconds=123_456)))
    story.then(minute(2) + timedelta(microseconds=999_999), team="db")
    past = past_of(story.record, story.lines)
    told = minute(2) + timedelta(milliseconds=999)
    team = past.at(told)["team"]
    assert team is not None
    assert (team.value, team.start) == ("db", told)
    assert past.first_seen_at == past.known_from == NOON + timedelta(milliseconds=123)
    assert past.presence(past.first_seen_at) is Presence.PRESENT


def test_of_changes_at_one_time_the_last_number_counts() -> None:
    story = a_story().then(minute(2), team="db").then(minute(2), team="ops")
    past = past_of(story.record, reversed(story.lines))
    assert shown(past.periods["team"]) == [("web", 0, 2), ("ops", 2, None)]


def test_a_clock_that_is_behind_does_not_turn_the_order_round() -> None:
    story = a_story().then(minute(5), team="db").then(minute(4), team="ops", kind=Kind.CATTLE)
    past = past_of(story.record, story.lines)
    assert shown(past.periods["team"]) == [("web", 0, 5), ("ops", 5, None)]
    assert shown(past.periods["kind"]) == [("pet", 0, 5), ("cattle", 5, None)]


def test_lines_written_after_the_record_was_read_are_left_out() -> None:
    story = a_story()
    read = story.record
    story.then(minute(1), team="db")
    assert shown(past_of(read, story.lines).periods["team"]) == [("web", 0, None)]


def test_a_vm_comes_goes_and_comes_back() -> None:
    story = a_story().then(minute(2), deleted_at=minute(2)).then(minute(4), deleted_at=None)
    past = past_of(story.record, story.lines)
    assert [past.presence(minute(m)) for m in (-1, 0, 2, 3, 4)] == [
        Presence.NOT_SEEN,
        Presence.PRESENT,
        Presence.DELETED,
        Presence.DELETED,
        Presence.PRESENT,
    ]


def test_out_of_policy_has_two_answers() -> None:
    story = a_story().then(minute(10), policy="noncompliant").then(minute(30), policy="compliant")
    story.then(minute(50), verdict=Verdict.AGED).then(minute(55), verdict=Verdict.REVOKED)
    past = past_of(story.record, story.lines)
    by_policy, by_verdict = (past.compliance(w, NOON, minute(60)) for w in (POLICY, VERDICT))
    assert shown(by_policy.out) == [("noncompliant", 10, 30)]
    assert by_policy.durations[Standing.OUT] == timedelta(minutes=20)
    assert by_policy.durations[Standing.IN] == timedelta(minutes=40)
    assert shown(by_verdict.out) == [("aged", 50, 55), ("revoked", 55, None)]
    assert by_verdict.durations[Standing.OUT] == timedelta(minutes=10)
    assert (by_policy.ever_out, by_verdict.ever_out) == (True, True)


def test_only_the_time_asked_for_counts() -> None:
    story = a_story().then(minute(10), policy="noncompliant").then(minute(30), policy="compliant")
    past = past_of(story.record, story.lines)
    stood = past.compliance(POLICY, minute(20), minute(25))
    assert shown(stood.out) == [("noncompliant", 10, 30)]
    assert stood.durations[Standing.OUT] == timedelta(minutes=5)
    for since, until in ((0, 10), (30, 40), (20, 20)):
        stood = past.compliance(POLICY, minute(since), minute(until))
        assert (stood.out, stood.ever_out) == ((), False)


def test_a_deleted_vm_is_neither_in_nor_out() -> None:
    story = (
        a_story().then(minute(10), policy="noncompliant").then(minute(20), deleted_at=minute(20))
    )
    story.then(minute(50), deleted_at=None)
    stood = past_of(story.record, story.lines).compliance(POLICY, minute(-10), minute(60))
    assert shown(stood.out) == [("noncompliant", 10, 20), ("noncompliant", 50, None)]
    assert stood.durations[Standing.OUT] == timedelta(minutes=20)
    assert stood.durations[Standing.ABSENT] == timedelta(minutes=40)


def test_before_it_was_seen_a_vm_is_neither_in_nor_out() -> None:
    story = Story(a_record(policy="noncompliant"))
    stood = past_of(story.record, story.lines).compliance(POLICY, minute(-60), minute(-30))
    assert stood.durations[Standing.ABSENT] == HOUR / 2
    assert stood.ever_out is False


def test_what_azure_policy_did_not_judge_is_neither_in_nor_out() -> None:
    story = Story(a_record()).then(minute(20), policy="exempt").then(minute(40), policy="compliant")
    stood = past_of(story.record, story.lines).compliance(POLICY, NOON, minute(60))
    assert stood.durations[Standing.SILENT] == timedelta(minutes=40)
    assert stood.durations[Standing.IN] == timedelta(minutes=20)


def a_long_story() -> Story:
    story = a_story().then(minute(10), policy="noncompliant").then(minute(20), policy="compliant")
    return story.then(minute(30), policy="noncompliant").then(minute(40), policy="compliant")


def test_of_a_trimmed_history_the_path_is_known_from_the_last_line_before_the_cut_on() -> None:
    story = a_long_story().trimmed(minute(35))
    past = past_of(story.record, story.lines)
    assert past.known_from == minute(30)
    assert shown(past.periods["policy"]) == [("noncompliant", 30, 40), ("compliant", 40, None)]
    assert shown(past.periods["team"]) == [("web", 0, None)]
    assert past.at(minute(25))["policy"] is None


def test_a_fact_that_first_changed_after_the_cut_is_known_from_the_beginning() -> None:
    story = a_long_story().trimmed(minute(35)).then(minute(50), team="db")
    past = past_of(story.record, story.lines)
    assert shown(past.periods["team"]) == [("web", 0, 50), ("db", 50, None)]


def test_where_lines_are_gone_nobody_says_it_was_never_out() -> None:
    story = a_long_story().trimmed(minute(45))
    past = past_of(story.record, story.lines)
    whole, later = (past.compliance(POLICY, since, minute(60)) for since in (NOON, minute(50)))
    assert shown(past.periods["policy"]) == [("compliant", 40, None)]
    assert (whole.ever_out, later.ever_out) == (None, False)
    assert whole.durations[Standing.UNKNOWN] == timedelta(minutes=40)


def test_a_cut_that_no_line_fell_to_hides_nothing() -> None:
    story = a_story().then(minute(10), team="db").trimmed(minute(20))
    past = past_of(story.record, story.lines)
    assert past.known_from == NOON
    assert shown(past.periods["team"]) == [("web", 0, 10), ("db", 10, None)]


def test_lines_that_go_while_they_are_read_show_as_a_gap() -> None:
    """The record was read before it was noted that its history is cut."""
    story = a_long_story()
    read = story.record
    past = past_of(read, story.trimmed(minute(35)).lines)
    assert past.known_from == minute(30)
    assert past.at(minute(5))["policy"] is None


def test_whether_it_was_deleted_may_be_unknown_too() -> None:
    story = a_story().then(minute(1), deleted_at=minute(1)).then(minute(2), deleted_at=None)
    story = story.trimmed(minute(3))
    past = past_of(story.record, story.lines)
    assert past.presence(minute(0)) is Presence.UNKNOWN
    stood = past.compliance(POLICY, NOON, minute(10))
    assert stood.durations[Standing.UNKNOWN] == timedelta(minutes=2)
    assert stood.durations[Standing.IN] == timedelta(minutes=8)


def test_a_history_without_any_line_is_that_of_its_record() -> None:
    record = a_record(history_from=None)
    assert shown(past_of(record, []).periods["team"]) == [("web", 0, None)]


def test_a_line_that_says_the_same_time_as_the_record_is_no_gap() -> None:
    line = a_line(1, Transition(what="team", old="db", new="web", at=NOON, because="b"))
    past = past_of(replace(a_record(), transitions=1), [line])
    assert shown(past.periods["team"]) == [("web", 0, None)]


changes = st.lists(
    st.tuples(
        st.integers(min_value=0, max_value=4),
        st.sampled_from(
            [
                {"policy": "compliant"}, {"policy": "noncompliant"}, {"policy": "exempt"},
                {"verdict": Verdict.CURRENT}, {"verdict": Verdict.AGED}, {"team": "db"},
                {"team": "web"}, {"deleted": True}, {"deleted": False},
            ]
        ),
    ),
    max_size=25,
)  # fmt: skip
WINDOW = 40


def told(steps: list[tuple[int, dict[str, object]]]) -> tuple[Story, dict[int, Story]]:
    """Return the story, and how it stood after each minute."""
    story, now = a_story(), 0
    by_minute = {0: replace_story(story)}
    for gap, change in steps:
        now += gap
        if "deleted" in change:
            gone = story.record.deleted_at or minute(now)
            story.then(minute(now), deleted_at=gone if change["deleted"] else None)
        else:
            story.then(minute(now), **change)
        by_minute[now] = replace_story(story)
    return story, by_minute


def replace_story(story: Story) -> Story:
    copy = Story(story.record)
    copy.record, copy.lines = story.record, list(story.lines)
    return copy


def stood_then(by_minute: dict[int, Story], now: int) -> Story:
    return by_minute[max(m for m in by_minute if m <= now)]


@given(changes)
def test_the_state_at_a_moment_is_the_record_of_that_moment(
    steps: list[tuple[int, dict[str, object]]],
) -> None:
    story, by_minute = told(steps)
    past = past_of(story.record, story.lines)
    for now in range(WINDOW):
        record = stood_then(by_minute, now).record
        at = past.at(minute(now))
        found = {what: at[what] for what in ("policy", "verdict", "team")}
        assert {what: p and p.value for what, p in found.items()} == {
            "policy": record.policy,
            "verdict": str(record.verdict),
            "team": record.team,
        }
        gone = record.deleted_at is not None
        assert past.presence(minute(now)) is (Presence.DELETED if gone else Presence.PRESENT)


@given(changes, st.integers(-5, WINDOW), st.integers(0, WINDOW))
def test_durations_add_up_to_the_time_asked_for_and_are_those_of_each_minute(
    steps: list[tuple[int, dict[str, object]]], first: int, length: int
) -> None:
    story, by_minute = told(steps)
    since, until = minute(first), minute(first + length)
    stood = past_of(story.record, story.lines).compliance(POLICY, since, until)
    assert sum(stood.durations.values(), timedelta()) == until - since
    out = [
        now
        for now in range(first, first + length)
        if now >= 0
        and (record := stood_then(by_minute, now).record).policy == "noncompliant"
        and record.deleted_at is None
    ]
    assert stood.durations[Standing.OUT] == timedelta(minutes=len(out))
    assert sum((s.within(since, until) for s in stood.out), timedelta()) == timedelta(
        minutes=len(out)
    )


@given(changes, st.integers(0, WINDOW))
def test_trimming_takes_away_knowledge_of_the_time_before_and_bends_none(
    steps: list[tuple[int, dict[str, object]]], cut: int
) -> None:
    story, _ = told(steps)
    whole = past_of(story.record, story.lines)
    short = story.trimmed(minute(cut))
    trimmed = past_of(short.record, short.lines)
    assert trimmed.known_from <= minute(cut)
    for now in range(WINDOW):
        before, after = values(whole.at(minute(now))), values(trimmed.at(minute(now)))
        if minute(now) >= trimmed.known_from:
            assert after == before
        assert all(value in (None, before[what]) for what, value in after.items())


def values(state: Mapping[str, object]) -> dict[str, str | None]:
    return {what: getattr(period, "value", None) for what, period in state.items()}
