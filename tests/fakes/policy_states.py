"""Azure Policy and its sweeps, in memory."""

from collections.abc import Sequence
from datetime import datetime

from shared.domain.policy_subject import PolicySubject
from shared.domain.policy_sweep import PolicySweep
from shared.domain.vm_record import PolicyState
from shared.ports import Page, PolicyPage, PolicyRow, Stored
from shared.records.keys import newest_first
from tests.fakes.dial import Dial
from tests.fakes.shelf import Shelf, page_of


class FakePolicyStates(Dial):
    """What Azure Policy says of VMs, listed by resource id, *page_size* states at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.page_size = 3
        self.said: dict[tuple[str, tuple[str, str, str]], PolicyState] = {}
        """By VM id and key."""
        self.asked: list[str] = []
        """Resources asked for alone."""
        self.alone: dict[str, PolicyState] = {}
        """By VM id, what is only found when the VM is asked for alone: it came meanwhile."""
        self.forgets_tokens = 0
        """How many of the next pages Azure no longer knows."""

    def says(self, vm_id: str, state: PolicyState) -> None:
        """Let Azure Policy say *state* of a VM."""
        self.said[(vm_id, state.key)] = state

    def withdraws(self, vm_id: str, state: PolicyState) -> None:
        """Let Azure Policy no longer say it."""
        del self.said[(vm_id, state.key)]

    async def page(self, subscription_id: str, skip_token: str = "") -> PolicyPage | None:
        self._call("page")
        if skip_token and self.forgets_tokens:
            self.forgets_tokens -= 1
            return None
        if skip_token and not skip_token.isdigit():
            return None
        rows = [
            PolicyRow(vm_id=vm_id, state=state)
            for (vm_id, _), state in self.said.items()
            if f"/{subscription_id.lower()}/" in vm_id
        ]
        rows.sort(key=lambda r: PolicySubject(vm_id=r.vm_id, about=r.state.about).resource_id)
        start = int(skip_token or 0)
        end = start + self.page_size
        return PolicyPage(
            rows=tuple(rows[start:end]), skip_token=str(end) if end < len(rows) else ""
        )

    async def of(self, subject: PolicySubject) -> Sequence[PolicyState]:
        self._call("of")
        self.asked.append(subject.resource_id)
        said = [(vm_id, state) for (vm_id, _), state in self.said.items()]
        return [
            state
            for vm_id, state in (*said, *self.alone.items())
            if (vm_id, state.about) == (subject.vm_id, subject.about)
        ]


class MemoryPolicySweeps:
    """Implements `shared.ports.PolicySweeps`."""

    def __init__(self) -> None:
        self._shelf = Shelf[PolicySweep]()

    async def get(self, began_at: datetime, subscription_id: str) -> Stored[PolicySweep] | None:
        return self._shelf.get(_key(began_at, subscription_id))

    async def save(self, sweep: Stored[PolicySweep]) -> Stored[PolicySweep]:
        return self._shelf.save(_key(sweep.value.began_at, sweep.value.subscription_id), sweep)

    async def list(self, *, limit: int = 100, cursor: str = "") -> Page[PolicySweep]:
        sweeps = [s.value for s in self._shelf.values()]
        sweeps.sort(key=lambda s: _key(s.began_at, s.subscription_id))
        return page_of(sweeps, of="policy sweeps", limit=limit, cursor=cursor)

    async def forget(self, *, before: datetime) -> None:
        for sweep in [s.value for s in self._shelf.values()]:
            if sweep.began_at < before:
                self._shelf.remove(_key(sweep.began_at, sweep.subscription_id))


def _key(began_at: datetime, subscription_id: str) -> str:
    return f"{newest_first(began_at)} {subscription_id}"
