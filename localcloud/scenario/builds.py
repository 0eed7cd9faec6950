"""Watches builds and tells each phase as it ends."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from localcloud.narrator import length
from localcloud.scenario.clients import Json
from localcloud.scenario.expect import Look, ScenarioError, expect
from localcloud.scenario.stage import Stage

MADE_SECONDS = 30.0
"""How soon a build must be on record after what caused it."""
BUILD_HOURS = 4.0
"""How long a build may take in the simulated cloud: two attempts take about one and a half."""
PROMOTED_SECONDS = 60.0
"""How soon a released version must be the latest in real time; its soak time is a few seconds."""
LEAST_SECONDS = 90.0
"""How long a build may take in real time, however fast the simulated cloud is."""

BEGINS = {
    "queued": "tries again, {because}",
    "building": "Image Builder is at work: {because}",
    "tattooing": "stamps it with its tattoo",
    "verifying": "boots a VM from it and runs every check in there",
    "repairing": "looks for a repair",
    "attesting": "writes down and signs what is known of it",
    "publishing": "releases it to its regions",
}
ENDS = {
    "building": "built in {took}",
    "tattooing": "tattooed in {took}",
    "verifying": "verified in {took}",
}
"""What is told when a phase begins and when it ends; a phase not named passes unremarked."""


async def newest_build(stage: Stage, image: str, source_version: str) -> Json:
    """Wait for the build of *image* from *source_version*."""

    async def look() -> Look[Json]:
        builds = await stage.assay.builds(image)
        found = [b for b in builds if b["source_version"] == source_version]
        seen = ", ".join(b["source_version"] for b in builds) or "none"
        return Look(found[0] if found else None, f"builds from {seen}")

    return await expect(f"a build of {image} from {source_version}", look, within=MADE_SECONDS)


async def follow(stage: Stage, build_id: str) -> Json:
    """Tell how the build goes until it has ended; return it as it ended.

    Raises ScenarioError when it takes too long.
    """
    teller = _Teller(stage, build_id)

    async def look() -> Look[Json]:
        build = await stage.assay.build(build_id)
        teller.tell(build)
        seen = f"{build['phase']}, {build['progress'] or 'no progress yet'}"
        return Look(build if build["finished"] else None, seen)

    within = max(LEAST_SECONDS, BUILD_HOURS * 3600 / stage.time_scale)
    return await expect(f"build {build_id} to end", look, within=within)


async def follow_to_release(stage: Stage, build_id: str) -> Json:
    """Tell how the build goes; ScenarioError unless it ends as released."""
    build = await follow(stage, build_id)
    if build["phase"] != "released":
        why = build["history"][-1]["because"] if build["history"] else "no history"
        raise ScenarioError(
            f"build {build_id} to be released", f"{build['phase']}: {why}; {build['url']}"
        )
    return build


async def follow_to_latest(stage: Stage, build_id: str) -> Json:
    """Tell how the build goes until its version is what `latest` means; return the build."""
    build = await follow_to_release(stage, build_id)
    name, version = build["definition"], build["attempts"][-1]["version"]

    async def look() -> Look[bool]:
        newest = (await stage.assay.image(name))["newest"]
        seen = newest["version"] if newest else "none"
        return Look(True if seen == version else None, f"newest version {seen}")

    await expect(f"{name} {version} to be promoted to stable", look, within=PROMOTED_SECONDS)
    stage.narrator.good(name, f"{version} proved itself in canary: promoted to stable, the latest")
    return build


@dataclass
class _Teller:
    """Knows what was told of a build already."""

    stage: Stage
    build_id: str
    told: int = 0
    results_told: set[tuple[int, str]] = field(default_factory=set)

    def tell(self, build: Json) -> None:
        """Tell what is new: phases entered, with how long the one before took; failed checks."""
        self._tell_failed_checks(build)
        history = build["history"]
        for index in range(self.told, len(history)):
            before = history[index - 1]["at"] if index else build["created_at"]
            self._tell_step(build, history[index], before)
        self.told = len(history)

    def _tell_step(self, build: Json, step: Json, since: str) -> None:
        who, narrator = build["definition"], self.stage.narrator
        took = length(self._simulated(since, step["at"]))
        match step["to"]:
            case "released":
                narrator.good(who, f"version {build['version']} is released, in {took}")
            case "rejected" | "failed":
                narrator.bad(who, f"{step['to']}: {step['because']}")
            case phase:
                end = ENDS.get(step["from"], "").format(took=took)
                begin = BEGINS[phase].format(because=step["because"])
                narrator.tell(who, "; ".join(part for part in (end, begin) if part))

    def _tell_failed_checks(self, build: Json) -> None:
        for attempt in build["attempts"]:
            for result in (attempt["verification"] or {"results": []})["results"]:
                key = (attempt["number"], result["check"])
                if result["outcome"] == "passed" or key in self.results_told:
                    continue
                self.results_told.add(key)
                detail = f": {result['detail']}" if result["detail"] else ""
                self.stage.narrator.bad(
                    build["definition"], f"check {result['check']} {result['outcome']}{detail}"
                )

    def _simulated(self, start: str, end: str) -> timedelta:
        real = datetime.fromisoformat(end) - datetime.fromisoformat(start)
        return real * self.stage.time_scale
