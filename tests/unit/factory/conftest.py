"""What the tests of the factory share."""

from shared.domain.build import Build
from shared.domain.image_definition import build_id
from shared.domain.image_version import ImageVersion
from shared.ports import RunCommandStatus
from tests.fakes.world import World

SOURCE_VERSION = "22.04.202411080"
FAILED = RunCommandStatus(finished=True, exit_code=1, output="PermitRootLogin yes")


class Guest(dict[str, RunCommandStatus]):
    """How commands end in the guest, where the tattoo is what the last template wrote."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def get(  # type: ignore[override]
        self, name: str, default: RunCommandStatus | None = None
    ) -> RunCommandStatus | None:
        if name in self or name != "check-tattoo":
            return super().get(name, default)
        template = self._world.image_builder.created[-1]
        script = self._world.image_builder.templates[template].spec.customizers[-1].script
        facts = script.split("<<'ASSAY_TATTOO'\n")[1].split("ASSAY_TATTOO\n")[0]
        return RunCommandStatus(
            finished=True, exit_code=0, output=f"{facts}os-version=Ubuntu 22.04.5 LTS\n"
        )


def new_world(**changes: object) -> World:
    """Return a world whose guests show their tattoo."""
    world = World(**changes)  # type: ignore[arg-type]
    world.vms.answers = Guest(world)
    return world


def expected_id(world: World) -> str:
    """Return the id of the build that `World.build` starts."""
    return build_id(world.definitions["ubuntu-22-04"], SOURCE_VERSION)


async def build_of(world: World, build_id: str) -> Build:
    """Load a build."""
    stored = await world.records.builds.get(build_id)
    assert stored
    return stored.value


async def version_of(world: World, version: str) -> ImageVersion:
    """Load the register's row of a version."""
    stored = await world.records.image_versions.get("ubuntu-22-04", version)
    assert stored
    return stored.value
