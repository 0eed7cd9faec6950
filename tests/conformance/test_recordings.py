"""What Azure once answered, the simulator answers too."""

import aiohttp
import pytest

from localcloud.arm import ArmSimulator, Dial, Options
from tests.conformance.replay import Outcome, Replayer
from tests.conformance.samples import load, recording_names, samples_folder

_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


async def _replay(name: str) -> Outcome:
    options = Options(subscriptions=(_SUBSCRIPTION,), dial=Dial.MANUAL)
    async with ArmSimulator(options=options) as sim, aiohttp.ClientSession() as session:
        return await Replayer(sim, session).replay(load(name))


@pytest.mark.parametrize("name", recording_names())
async def test_the_simulator_answers_as_recorded(name: str) -> None:
    samples_folder()

    outcome = await _replay(name)

    assert outcome.deviations == []


async def test_most_of_what_was_recorded_is_compared() -> None:
    samples_folder()
    outcomes = [await _replay(name) for name in recording_names()]

    compared = sum(outcome.compared for outcome in outcomes)
    skipped = sum(len(outcome.skipped) for outcome in outcomes)

    assert (compared, skipped) == (274, 102)
