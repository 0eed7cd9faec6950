"""The acts about the whole fleet: what no event told of, and what those who answer for it ask."""

from localcloud.scenario.clients import Json
from localcloud.scenario.expect import Look, ScenarioError, expect
from localcloud.scenario.machines import Machine
from localcloud.scenario.stage import REACTION_SECONDS, Stage


async def nobody_tells(stage: Stage, herd: Machine) -> None:
    """A scale set grows by itself, of which Azure tells nobody: the sweep finds its instance."""
    stage.narrator.act("9  What no event tells")
    grown, newcomer = herd.instances + 1, f"{herd.name}_{herd.instances}"
    await stage.simulation.autoscale(herd.id, grown)
    stage.narrator.tell("Azure", f"scales {herd.name} out to {grown}, and sends no event")
    if await stage.vm(newcomer) is not None:
        raise ScenarioError(f"no record of {newcomer} before the sweep", "there is one")
    await stage.assay.fire("look_at_fleet")
    await stage.expect_vm(newcomer, verdict="current", team=herd.team, kind="cattle")
    sweep, *_ = await stage.assay.sweeps()
    found = f"{newcomer} is found by the sweep of {sweep['subscriptions']} subscriptions"
    stage.narrator.good("Assay", found)


async def the_report(stage: Stage, image: str) -> None:
    """Who answers for the fleet sees how it stands, and who runs the newest version."""
    stage.narrator.act("10  How does the fleet stand?")
    await stage.assay.fire("look_at_numbers")

    async def look() -> Look[Json]:
        summary = await stage.assay.summary()
        return Look(summary, "no summary")

    summary = await expect("a summary of the fleet", look, within=REACTION_SECONDS)
    stands = summary["by"]["verdict"]
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict, counts in sorted(stands.items()))
    stage.narrator.tell("report", f"{summary['vms']} VMs: {told}")
    newest = (await stage.assay.image(image))["newest"]["version"]
    users = [u for u in await stage.assay.users(image, newest) if u["machine"] != "scale-set"]
    if not users:
        raise ScenarioError(f"VMs that run {image} {newest}", "none")
    names = ", ".join(sorted(f"{vm['name']} ({vm['team']})" for vm in users))
    stage.narrator.tell("report", f"{image} {newest} is run by {names}")
