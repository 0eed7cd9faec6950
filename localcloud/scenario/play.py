"""Plays the scenario from the first act to the table at the end."""

from collections.abc import Mapping

import aiohttp

from localcloud.environment import TEAMS_SUBSCRIPTION
from localcloud.narrator import Narrator
from localcloud.scenario.acts import ACTS
from localcloud.scenario.clients import Assay, Azure, Http, Simulation
from localcloud.scenario.expect import ScenarioError
from localcloud.scenario.stage import Stage
from shared.domain.image_definition import ImageDefinition

ANSWER_SECONDS = 60.0
"""How long one answer may take; a fault may hold it back."""


async def play(
    *,
    functions_url: str,
    arm_url: str,
    definitions: Mapping[str, ImageDefinition],
    narrator: Narrator,
    time_scale: float,
) -> None:
    """Play every act against the running parts.

    Raises ScenarioError that says what was expected and what was seen.
    """
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        arm = Http(session, arm_url)
        stage = Stage(
            assay=Assay(Http(session, functions_url)),
            azure=Azure(arm),
            simulation=Simulation(Http(session, arm_url)),
            narrator=narrator,
            definitions=definitions,
            time_scale=time_scale,
        )
        await stage.azure.sign_in()
        try:
            for act in ACTS:
                await act(stage)
        except* ScenarioError as broken:
            raise _first(broken) from broken
        await _expect_nothing_parked(stage)
        ours = [vm for vm in await stage.assay.vms() if vm["subscription"] == TEAMS_SUBSCRIPTION]
        narrator.vms("Who runs what", sorted(ours, key=lambda vm: (vm["team"], vm["name"])))


async def _expect_nothing_parked(stage: Stage) -> None:
    parked = await stage.assay.parked()
    if parked:
        reasons = "; ".join(f"{p['queue']}: {p['reason']}" for p in parked)
        raise ScenarioError("no message to be parked", reasons)


def _first(group: BaseExceptionGroup[ScenarioError]) -> ScenarioError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, ScenarioError)  # noqa: S101 - except* lets nothing else in
    return error
