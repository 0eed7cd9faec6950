"""What every act of the scenario has at hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from localcloud.narrator import Narrator
from localcloud.scenario.clients import GALLERY_API, Assay, Azure, Json, Simulation
from localcloud.scenario.expect import Look, expect
from shared.domain.image_definition import ImageDefinition

REACTION_SECONDS = 45.0
"""How soon Assay must have seen a change: events take well under a second here, but a message that
failed comes again only after the 30 seconds of `visibilityTimeout` in host.json."""


@dataclass
class Stage:
    """The actors, the narrator and what was found out so far."""

    assay: Assay
    azure: Azure
    simulation: Simulation
    narrator: Narrator
    definitions: Mapping[str, ImageDefinition]
    time_scale: float
    galleries: dict[str, str] = field(default_factory=dict)
    """Id of the gallery image definition, by the name of our image."""

    async def vm(self, name: str) -> Json | None:
        """Return the record of the VM called *name*; None when there is none."""
        return next((vm for vm in await self.assay.vms() if vm["name"] == name), None)

    async def expect_source_seen(self, image: str) -> str:
        """Wait until Assay has seen a source version of *image*, and return it."""

        async def look() -> Look[str]:
            seen = (await self.assay.image(image))["source_seen"]
            return Look(seen["version"] if seen else None, f"source_seen {seen}")

        within = REACTION_SECONDS
        return await expect(f"a source version of {image} to be seen", look, within=within)

    async def expect_newest(self, image: str, *, other_than: str) -> str:
        """Wait until another version than *other_than* is the newest of *image*; return it."""

        async def look() -> Look[str]:
            newest = (await self.assay.image(image))["newest"]
            version = newest["version"] if newest else ""
            return Look(version if version not in ("", other_than) else None, f"newest {version}")

        text = f"another version of {image} than {other_than} to be the newest"
        return await expect(text, look, within=REACTION_SECONDS)

    async def expect_offered(self, image: str, version: str) -> None:
        """Wait until the gallery itself offers *version* as latest.

        Assay knows what is to be before Azure has done it: whatever is deployed meanwhile may get
        another version.
        """

        async def look() -> Look[bool]:
            resource_id = f"{self.galleries[image]}/versions/{version}"
            shown = (await self.azure.read(resource_id, api=GALLERY_API))["properties"]
            state = shown["provisioningState"]
            excluded = bool(shown["publishingProfile"].get("excludeFromLatest"))
            ready = state == "Succeeded" and not excluded
            return Look(True if ready else None, f"{state}, excluded from latest: {excluded}")

        text = f"{image} {version} to be offered by the gallery"
        await expect(text, look, within=REACTION_SECONDS)

    async def expect_vm(self, name: str, **wanted: str) -> Json:
        """Wait until the record of the VM called *name* says what is *wanted*.

        *wanted* names fields of the answer; `definition` and `version` are the image's, and
        `deleted` is `yes` or `no`.
        """

        async def look() -> Look[Json]:
            vm = await self.vm(name)
            if vm is None:
                return Look(None, "no record of it")
            facts = _facts(vm)
            fits = all(facts[field] == value for field, value in wanted.items())
            return Look(vm if fits else None, ", ".join(f"{f} {facts[f]}" for f in wanted))

        text = ", ".join(f"{field} {value}" for field, value in wanted.items())
        return await expect(f"VM {name} with {text}", look, within=REACTION_SECONDS)


def _facts(vm: Json) -> dict[str, str]:
    plain = {name: str(vm[name] or "") for name in ("verdict", "policy", "team", "kind")}
    return {
        **plain,
        "definition": vm["image"]["definition"] or "",
        "version": vm["image"]["version"] or "",
        "deleted": "yes" if vm["deleted_at"] else "no",
    }
