"""Mixes up the order in which one queue's messages are handled, the same way for the same seed.

Azure's queues promise no order across messages, and a function runs several at a time: code that
relies on an order must fail here, and not first in Azure.
"""

import random
from dataclasses import dataclass

LONGEST_HOLD_S = 0.5
HELD_SHARE = 1 / 3
"""Of all deliveries; the others are not held back."""


@dataclass(frozen=True)
class Holds:
    """For how many seconds the two deliveries of a message are held back."""

    first: float = 0.0
    second: float = 0.0


class Disorder:
    """The disorder of one queue; without a seed there is none."""

    def __init__(self, seed: int | None, queue_name: str) -> None:
        # Each queue has its own: what is drawn must not depend on how queues take turns.
        self._random = None if seed is None else random.Random(f"{seed}/{queue_name}")  # noqa: S311 - no secret

    def mix[Message](self, batch: list[Message]) -> list[tuple[Message, Holds]]:
        """The messages of a batch in the order to start them in, each with its holds."""
        chance = self._random
        if chance is None:
            return [(message, Holds()) for message in batch]
        mixed = chance.sample(batch, len(batch))
        return [(message, Holds(_hold(chance), _hold(chance))) for message in mixed]


def _hold(chance: random.Random) -> float:
    share, seconds = chance.random(), chance.uniform(0, LONGEST_HOLD_S)
    return seconds if share < HELD_SHARE else 0.0
