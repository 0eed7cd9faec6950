"""The acts of the scenario: what happens in a company that runs Assay, and what must follow."""

import asyncio
import re

from localcloud.environment import (
    TEAMS_SUBSCRIPTION,
)
from localcloud.scenario.builds import (
    BUILD_HOURS,
    LEAST_SECONDS,
    follow_to_latest,
    newest_build,
)
from localcloud.scenario.clients import Json
from localcloud.scenario.expect import Look, ScenarioError, expect
from localcloud.scenario.fleet_acts import nobody_tells, the_report
from localcloud.scenario.machines import DEBIAN, UBUNTU, Machine
from localcloud.scenario.stage import Stage
from shared.domain.image_definition import ResultFormat

UBUNTU_IMAGE, DEBIAN_IMAGE = "ubuntu-22-04", "debian-12"
WEB_IMAGE = "web-ubuntu-22-04"
FIRST_UBUNTU, SECOND_UBUNTU = "22.04.202601120", "22.04.202602090"
NEXT_DEBIAN = "0.20260210.2384"

OLD_WEB = Machine(name="shop-web-01", team="shop", image=UBUNTU)
OLD_DB = Machine(name="pay-db-01", team="pay", image=DEBIAN)
ASSIGNMENT = "golden-images-only"
ASSIGNMENT_ID = (
    f"/subscriptions/{TEAMS_SUBSCRIPTION}/providers/Microsoft.Authorization"
    f"/policyAssignments/{ASSIGNMENT}"
)


async def deploy_platform(stage: Stage) -> None:
    """The platform team looks up where its images are in the gallery."""
    for image in await stage.assay.images():
        stage.galleries[image["name"]] = image["image_id"]


async def teams_before_assay(stage: Stage) -> None:
    """Teams run VMs made from Marketplace images: each is tracked, none is approved."""
    stage.narrator.act("1  Before: teams run what the Marketplace offers")
    for machine in (OLD_WEB, OLD_DB):
        await _deploy(stage, machine)
        vm = await stage.expect_vm(machine.name, verdict="unapproved", team=machine.team)
        stage.narrator.tell("Assay", f"sees {machine.name}: {vm['verdict']}. {vm['reason']}")


async def upstream_release(stage: Stage) -> None:
    """A new Ubuntu: it is built, a check fails, it is repaired, proved and released.

    On its first look Assay builds every image it has a definition of, so Debian and Windows are
    made alongside.
    """
    stage.narrator.act("2  Canonical publishes a new Ubuntu 22.04")
    await _plant_weakness(stage)
    await _publish_upstream(stage, UBUNTU_IMAGE, FIRST_UBUNTU)
    await stage.assay.look_at_marketplace()
    stage.narrator.tell("Assay", "looks at the Marketplace, as its timer does every 15 minutes")
    ids = []
    for image in await stage.assay.images():
        if "publisher" not in image["source"]:
            continue  # built from one of ours, once that is released
        seen = await stage.expect_source_seen(image["name"])
        build = await newest_build(stage, image["name"], seen)
        stage.narrator.tell("Assay", f"builds {image['name']} from {seen}")
        ids.append(build["id"])
    builds = await _together(stage, ids)
    (ubuntu,) = (b for b in builds if b["definition"] == UBUNTU_IMAGE)
    attempts = ubuntu["attempts"]
    if len(attempts) != 2 or not attempts[1]["repairs"]:  # noqa: PLR2004 - failed, then repaired
        raise ScenarioError(
            "the first attempt to fail a check and the second to be repaired",
            f"{len(attempts)} attempts, repairs {[a['repairs'] for a in attempts]}",
        )
    repairs = ", ".join(attempts[1]["repairs"])
    stage.narrator.good(
        UBUNTU_IMAGE, f"attempt 2, repaired with {repairs}, passed the check that stopped attempt 1"
    )


async def teams_adopt(stage: Stage) -> None:
    """Teams deploy from the gallery: their VMs run the current image."""
    stage.narrator.act("3  Teams deploy from the gallery")
    image = {"id": stage.galleries[UBUNTU_IMAGE]}
    newest = (await stage.assay.image(UBUNTU_IMAGE))["newest"]["version"]
    for name, team, region in (
        ("shop-web-02", "shop", "westeurope"),
        ("pay-api-01", "pay", "northeurope"),
    ):
        machine = Machine(name=name, team=team, image=image, region=region)
        await _deploy(stage, machine)
        await stage.expect_vm(name, verdict="current", version=newest, team=team, kind="pet")
        stage.narrator.good("Assay", f"{name} runs {UBUNTU_IMAGE} {newest}: current")


async def policy_speaks(stage: Stage) -> None:
    """Azure Policy finds one VM non-compliant: the register shows it."""
    stage.narrator.act("4  Azure Policy looks around")
    vm = await stage.vm("pay-api-01")
    if vm is None:
        raise ScenarioError("a record of pay-api-01", "none")
    await stage.simulation.policy_says(vm["resource_id"], ASSIGNMENT_ID, "NonCompliant")
    stage.narrator.tell("Azure Policy", f"finds pay-api-01 non-compliant with {ASSIGNMENT}")
    await stage.expect_vm("pay-api-01", policy="noncompliant", verdict="current")
    stage.narrator.good("Assay", "shows it beside the verdict: current image, policy not met")


async def next_releases(stage: Stage) -> None:
    """The next Ubuntu makes VMs aged, while a person publishes Debian by hand."""
    stage.narrator.act("5  Canonical publishes again, and somebody does not wait for Debian")
    await _publish_upstream(stage, UBUNTU_IMAGE, SECOND_UBUNTU)
    await stage.assay.look_at_marketplace()
    ubuntu = await newest_build(stage, UBUNTU_IMAGE, SECOND_UBUNTU)
    await _publish_upstream(stage, DEBIAN_IMAGE, NEXT_DEBIAN)
    debian = await stage.assay.publish(DEBIAN_IMAGE)
    stage.narrator.tell("operator", f"POST /api/v1/images/{DEBIAN_IMAGE}/publish: {debian['url']}")
    await _together(stage, [ubuntu["id"], debian["build"]])
    for name in ("shop-web-02", "pay-api-01"):
        vm = await stage.expect_vm(name, verdict="aged")
        stage.narrator.tell("Assay", f"{name} is aged now. {vm['reason']}", style="yellow")


async def cattle_and_goodbye(stage: Stage) -> None:
    """A scale set is deployed from the new Debian; an old VM goes, its record stays."""
    stage.narrator.act("6  A scale set comes, an old VM goes")
    workers = _workers(stage)
    await _deploy(stage, workers)
    newest = (await stage.assay.image(DEBIAN_IMAGE))["newest"]["version"]
    for name in [f"{workers.name}_{number}" for number in range(workers.instances)]:
        await stage.expect_vm(name, verdict="current", version=newest, team="data", kind="cattle")
    stage.narrator.good("Assay", f"sees {workers.instances} instances of {DEBIAN_IMAGE} {newest}")
    await stage.azure.delete(OLD_WEB.id)
    stage.narrator.tell(f"team {OLD_WEB.team}", f"deletes {OLD_WEB.name}")
    await stage.expect_vm(OLD_WEB.name, deleted="yes")
    stage.narrator.good("Assay", f"keeps the record of {OLD_WEB.name}, marked deleted")


async def a_flaw(stage: Stage) -> None:
    """The newest Debian is revoked: its VMs are told at once, latest falls back; then restored."""
    stage.narrator.act("7  A flaw is found, and turns out to be none")
    version = (await stage.assay.image(DEBIAN_IMAGE))["newest"]["version"]
    await stage.assay.revoke(DEBIAN_IMAGE, version, "sudo lets everybody in")
    stage.narrator.tell("security", f"revokes {DEBIAN_IMAGE} {version}: sudo lets everybody in")
    vm = await stage.expect_vm("data-workers_0", verdict="revoked")
    stage.narrator.bad("Assay", f"data-workers_0 is revoked. {vm['reason']}")
    before = await stage.expect_newest(DEBIAN_IMAGE, other_than=version)
    stage.narrator.tell("Assay", f"lets latest and every channel fall back to {before}")
    await stage.assay.restore(DEBIAN_IMAGE, version, "it was another distribution")
    await stage.expect_newest(DEBIAN_IMAGE, other_than=before)
    await stage.expect_offered(DEBIAN_IMAGE, version)
    await stage.expect_vm("data-workers_0", verdict="current")
    stage.narrator.good("Assay", f"{version} is restored, latest again, and its VMs are current")


async def the_chain(stage: Stage) -> None:
    """The image built from Ubuntu followed its releases by itself; its lineage says from what."""
    stage.narrator.act("8  The image that is built from ours followed by itself")
    build = await _first_release(stage, WEB_IMAGE)
    lineage = await stage.assay.lineage(WEB_IMAGE, build["version"])
    names = [node["id"] for node in lineage["nodes"]]
    parent = f"{UBUNTU_IMAGE}/{build['source_version']}"
    wanted = [
        f"{lineage['source']['urn']}/{FIRST_UBUNTU}",
        parent,
        f"{WEB_IMAGE}/{build['version']}",
    ]
    if names != wanted:
        raise ScenarioError(f"the lineage {' > '.join(wanted)}", " > ".join(names))
    made = f"built and released {WEB_IMAGE} {build['version']} when channel stable showed {parent}"
    stage.narrator.good("Assay", made)
    for node in lineage["nodes"]:
        stage.narrator.tell("lineage", f"{'  ' * (node['generation'] + 2)}{node['id']}")


async def _first_release(stage: Stage, image: str) -> Json:
    """Wait for the end of the first build of *image*, which nobody asked for by hand."""

    async def look() -> Look[Json]:
        builds = await stage.assay.builds(image)
        phase = builds[-1]["phase"] if builds else "no build"
        return Look(builds[-1] if phase == "released" else None, phase)

    within = max(LEAST_SECONDS, BUILD_HOURS * 3600 / stage.time_scale)
    return await expect(f"a release of {image}", look, within=within)


async def the_fleet(stage: Stage) -> None:
    """An instance no event told of is found; the fleet is counted."""
    await nobody_tells(stage, _workers(stage))
    await the_report(stage, DEBIAN_IMAGE)


def _workers(stage: Stage) -> Machine:
    image = {"id": stage.galleries[DEBIAN_IMAGE]}
    return Machine(name="data-workers", team="data", image=image, instances=3)


ACTS = (
    deploy_platform,
    teams_before_assay,
    upstream_release,
    teams_adopt,
    policy_speaks,
    next_releases,
    cattle_and_goodbye,
    a_flaw,
    the_chain,
    the_fleet,
)


async def _deploy(stage: Stage, machine: Machine) -> None:
    image = machine.image.get("id", "").rsplit("/", 1)[-1] or machine.image.get("sku", "")
    what = f"a scale set of {machine.instances}" if machine.instances else "a VM"
    stage.narrator.tell(f"team {machine.team}", f"deploys {machine.name}, {what} from {image}")
    await stage.azure.deploy(machine.id, machine.body())


async def _plant_weakness(stage: Stage) -> None:
    """Let a check that the definition has a repair for fail until that repair is in the image."""
    definition = stage.definitions[UBUNTU_IMAGE]
    by_exit_code = {c.name for c in definition.checks if c.results is ResultFormat.EXIT_CODE}
    repair = next(r for r in definition.repairs if by_exit_code & set(r.answers))
    check = next(answer for answer in repair.answers if answer in by_exit_code)
    await stage.simulation.let_check_fail(
        command=re.escape(check),
        image=f"/{UBUNTU_IMAGE}/",
        unless="|".join(re.escape(c.name) for c in repair.customizers),
        says="found a setting that upstream changed",
    )


async def _publish_upstream(stage: Stage, image: str, version: str) -> None:
    source = (await stage.assay.image(image))["source"]
    await stage.simulation.upstream_publishes(source, version)
    stage.narrator.tell(source["publisher"], f"publishes {source['offer']} {version}")


async def _together(stage: Stage, build_ids: list[str]) -> list[Json]:
    """Follow several builds at once until each is latest; the first that goes wrong ends all."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(follow_to_latest(stage, b)) for b in build_ids]
    return [task.result() for task in tasks]
