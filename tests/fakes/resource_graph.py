"""Azure Resource Graph in memory: what the fleet is, in pages."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from shared.domain.identifiers import parse_resource_id
from shared.domain.lineage import from_reference
from shared.domain.vm_record import VmFacts
from shared.ports import (
    RANKS,
    MachinesPage,
    ShownSubscription,
    ShownSubscriptions,
)
from tests.fakes.dial import Dial
from tests.fakes.fleet import SUBSCRIPTION, FakeFleet


class FakeResourceGraph(Dial):
    """Implements `shared.ports.ResourceGraph` over the machines of a fake fleet."""

    def __init__(self, fleet: FakeFleet) -> None:
        super().__init__()
        self.fleet = fleet
        self.page_size = 1000
        self.shown: dict[str, tuple[str, ...]] = {SUBSCRIPTION: ("root",)}
        """Management groups by subscription: of all we may read."""
        self.whole = True
        self.wait = timedelta()
        """What each page asks to wait."""
        self.late: dict[str, VmFacts | None] = {}
        """What it still says of machines, by id: it is behind; None for not yet."""
        self.queries: list[tuple[int, str]] = []
        """Rank and token of every question."""
        self.order: Callable[[VmFacts], str] = lambda facts: facts.resource_id
        self.short_lived = False
        """Whether no token is good for long enough."""
        self._generation = 1

    def hide(self, subscription_id: str) -> None:
        """Take away every right to a subscription."""
        self.shown.pop(subscription_id)
        self.fleet.hidden.add(subscription_id)

    def show(self, subscription_id: str, *management_groups: str) -> None:
        """Give the rights back."""
        self.shown[subscription_id] = management_groups or ("root",)
        self.fleet.hidden.discard(subscription_id)

    def expire_tokens(self) -> None:
        """Take none of the tokens given out so far any more."""
        self._generation += 1

    async def subscriptions(self) -> ShownSubscriptions:
        self._call("subscriptions")
        return ShownSubscriptions(
            subscriptions=tuple(
                ShownSubscription(subscription_id=name, management_groups=groups)
                for name, groups in self.shown.items()
            ),
            whole=self.whole,
        )

    async def machines(
        self, subscription_ids: tuple[str, ...], rank: int, *, token: str = ""
    ) -> MachinesPage | None:
        self._call("machines")
        self.queries.append((rank, token))
        start = 0
        if token:
            generation, _, text = token.partition(":")
            if self.short_lived or int(generation) != self._generation:
                return None
            start = int(text)
        rows = self._rows(set(subscription_ids) & self.shown.keys(), rank)
        end = start + self.page_size
        return MachinesPage(
            machines=tuple(rows[start:end]),
            token=f"{self._generation}:{end}" if end < len(rows) else "",
            wait=self.wait,
        )

    def _rows(self, subscriptions: set[str], rank: int) -> list[VmFacts]:
        known: dict[str, VmFacts | None] = {**self.fleet.vms, **self.fleet.scale_sets, **self.late}
        rows = [
            facts
            for facts in known.values()
            if facts
            and facts.machine in RANKS[rank]
            and parse_resource_id(facts.resource_id).subscription_id in subscriptions
        ]
        return sorted(map(_as_row, rows), key=self.order)


def _as_row(facts: VmFacts) -> VmFacts:
    """Return a machine with the image its reference names: no row tells of disks."""
    image_id, _, version = facts.boot.reference.partition("@")
    named = facts.image.image_id == image_id and facts.image.version == version
    image = facts.image if named else from_reference({"id": image_id, "exactVersion": version})
    return replace(facts, image=image)
