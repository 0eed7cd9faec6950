"""Azure Policy as far as it takes attestations, in memory."""

from shared.domain.attestation import Statement
from shared.domain.identifiers import normalise_id
from shared.ports import Reception
from tests.fakes.dial import Dial


class FakeAttestations(Dial):
    """What is attested, by the normalised id of the machine."""

    def __init__(self) -> None:
        super().__init__()
        self.evaluated: set[str] = set()
        """Machines that Azure Policy has evaluated under the assignment."""
        self.gone: set[str] = set()
        self.held: dict[str, Statement] = {}
        self.asked: list[tuple[str, Statement]] = []
        """Every call that reached Azure, in order."""

    async def put(self, resource_id: str, statement: Statement) -> Reception:
        machine = normalise_id(resource_id)
        self.asked.append((machine, statement))
        self._call("put")
        if machine in self.gone:
            return Reception.GONE
        if machine not in self.evaluated:
            return Reception.NOT_NOW
        self.held[machine] = statement
        return Reception.TAKEN
