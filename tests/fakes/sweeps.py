"""The sweeps in memory."""

from shared.domain.sweep import Sweep, SweepBatch, SweepState, Tally
from shared.ports import Page, Stored, SweepReport
from tests.fakes.shelf import Shelf, page_of


class MemorySweeps:
    """Implements `shared.ports.Sweeps`."""

    def __init__(self) -> None:
        self._states = Shelf[SweepState]()
        self._sweeps = Shelf[Sweep]()
        self._batches = Shelf[SweepBatch]()
        self._counts: dict[str, dict[str, Tally]] = {}

    async def state(self) -> Stored[SweepState]:
        return self._states.get("state") or Stored(SweepState())

    async def save_state(self, state: Stored[SweepState]) -> Stored[SweepState]:
        return self._states.save("state", state)

    async def get(self, sweep_id: str) -> Stored[Sweep] | None:
        return self._sweeps.get(sweep_id)

    async def save(self, sweep: Stored[Sweep]) -> Stored[Sweep]:
        return self._sweeps.save(sweep.value.id, sweep)

    async def batches(self, sweep_id: str) -> list[Stored[SweepBatch]]:
        own = [b for b in self._batches.values() if b.value.sweep_id == sweep_id]
        return sorted(own, key=lambda b: b.value.number)

    async def batch(self, sweep_id: str, number: int) -> Stored[SweepBatch] | None:
        return self._batches.get(f"{sweep_id} {number}")

    async def save_batch(self, batch: Stored[SweepBatch]) -> Stored[SweepBatch]:
        return self._batches.save(f"{batch.value.sweep_id} {batch.value.number}", batch)

    async def count(self, sweep_id: str, part: str, tally: Tally) -> None:
        self._counts.setdefault(sweep_id, {}).setdefault(part, tally)

    async def report(self, sweep_id: str) -> SweepReport | None:
        stored = self._sweeps.get(sweep_id)
        if stored is None:
            return None
        batches = tuple(b.value for b in await self.batches(sweep_id))
        tally = Tally()
        for part in (*(b.tally for b in batches), *self._counts.get(sweep_id, {}).values()):
            tally = tally.plus(part)
        return SweepReport(sweep=stored.value, batches=batches, tally=tally)

    async def list(self, *, limit: int = 20, cursor: str = "") -> Page[SweepReport]:
        sweeps = sorted((s.value for s in self._sweeps.values()), key=lambda s: s.id)
        sweeps.sort(key=lambda s: s.began_at, reverse=True)
        page = page_of([s.id for s in sweeps], of="sweeps", limit=limit, cursor=cursor)
        reports = [await self.report(sweep_id) for sweep_id in page.items]
        return Page(items=tuple(r for r in reports if r), cursor=page.cursor)
