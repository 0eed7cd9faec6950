"""Chains of messages that count their turns: each delivery acts once, whoever repeats it."""

from enum import StrEnum


class Admission(StrEnum):
    """What a delivery may do."""

    ACT = "act"
    GUARD = "guard"
    """A repeat of the delivery before: come back later to see that the work went on."""
    RESEND = "resend"
    """The work did not go on: its next message was lost, send it again."""
    DROP = "drop"
    """The work went on without this delivery."""


def admit(turn: int, *, taken: int, guard: bool) -> Admission:
    """Tell what a delivery for *turn* may do, when *taken* turns were; *guard*: it came back.

    The present turn acts. The turn before is a repeat: its first delivery saved the record but may
    have died before it sent the next message, so it comes back once to see. Older turns are
    dropped: that a later one was taken shows that its message was sent.
    """
    if turn >= taken:
        return Admission.ACT
    if turn < taken - 1:
        return Admission.DROP
    return Admission.RESEND if guard else Admission.GUARD
