"""The disorder of a queue: random, bounded and the same for the same seed."""

from localcloud.host.disorder import HELD_SHARE, LONGEST_HOLD_S, Disorder, Holds

_BATCH = list(range(16))


def test_without_a_seed_there_is_no_disorder() -> None:
    assert Disorder(None, "q").mix(["a", "b"]) == [("a", Holds()), ("b", Holds())]


def test_the_same_seed_mixes_the_same_way() -> None:
    assert Disorder(3, "q").mix(_BATCH) == Disorder(3, "q").mix(_BATCH)


def test_seeds_and_queues_differ_in_their_disorder() -> None:
    first = Disorder(3, "q").mix(_BATCH)

    assert Disorder(4, "q").mix(_BATCH) != first
    assert Disorder(3, "other").mix(_BATCH) != first


def test_every_message_comes_once_and_none_is_held_for_long() -> None:
    disorder = Disorder(3, "q")
    mixed = [each for _ in range(100) for each in disorder.mix(_BATCH)]

    assert sorted(message for message, _ in mixed) == sorted(_BATCH * 100)
    holds = [hold for _, each in mixed for hold in (each.first, each.second)]
    assert max(holds) <= LONGEST_HOLD_S
    held = sum(hold > 0 for hold in holds) / len(holds)
    assert abs(held - HELD_SHARE) < 0.03
