"""What an attempt went through: its steps with times, what Image Builder said, where logs are."""

from dataclasses import dataclass, replace
from datetime import datetime

MAX_REMARKS = 20
"""Image Builder says few different things in a run; the last of them matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One step of an attempt, as our looks saw it; *until* is None while it lasts."""

    name: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something Image Builder said of a run."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLogs:
    """What became of an attempt's logs: where they are, or why they could not be copied."""

    at: datetime
    location: str = ""
    files: tuple[str, ...] = ()
    problem: str = ""
    """Why they are not at *location*; the template, and so its own copy, is then kept."""


def entered(spans: tuple[Span, ...], name: str, at: datetime) -> tuple[Span, ...]:
    """Return *spans* with the step *name* begun, unless it is the one under way."""
    if spans and spans[-1].until is None and spans[-1].name == name:
        return spans
    return (*left(spans, at), Span(name=name, since=at))


def left(spans: tuple[Span, ...], at: datetime) -> tuple[Span, ...]:
    """Return *spans* with the one under way, if any, ended."""
    if not spans or spans[-1].until is not None:
        return spans
    return (*spans[:-1], replace(spans[-1], until=at))


def remarked(remarks: tuple[Remark, ...], text: str, at: datetime) -> tuple[Remark, ...]:
    """Return *remarks* with *text* added, unless nothing was said or it was said last."""
    text = " ".join(text.split())[:1000]
    if not text or (remarks and remarks[-1].text == text):
        return remarks
    return (*remarks, Remark(at=at, text=text))[-MAX_REMARKS:]
