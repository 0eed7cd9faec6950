"""What Azure once answered, the simulator answers too."""

import aiohttp
import pytest

from localcloud.arm import ArmSimulator, Dial, Options
from tests.conformance.replay import Replayer
from tests.conformance.samples import load, recording_names, samples_folder

_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize("name", recording_names())
async def test_the_simulator_answers_as_recorded(name: str, record_property: pytest.Item) -> None:
    samples_folder()
    options = Options(subscriptions=(_SUBSCRIPTION,), dial=Dial.MANUAL)
    async with ArmSimulator(options=options) as sim, aiohttp.ClientSession() as session:
        outcome = await Replayer(sim, session).replay(load(name))

    assert outcome.deviations == []
