"""A chat channel that keeps what it is told."""

from shared.ports import Note
from tests.fakes.dial import Dial


class FakeNotifier(Dial):
    """Keeps notes in the order they came."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Note] = []

    async def tell(self, note: Note) -> None:
        self._call("tell")
        self.told.append(note)

    async def close(self) -> None:
        """Nothing is open."""
