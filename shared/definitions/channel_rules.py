"""What must hold between the channels, the waves and the regions of a definition."""

from collections.abc import Iterator

from shared.definitions.documents import Place, Problem
from shared.definitions.file_format import ChannelSection, DefinitionFile
from shared.domain.identifiers import normalise_region


def problems_of_channels(file: DefinitionFile) -> Iterator[Problem]:
    """Yield what is wrong with the channels of *file*, and with the bounds of its replicas."""
    seen: set[str] = set()
    for i, channel in enumerate(file.channels):
        if channel.name in seen:
            yield Problem(("channels", i, "name"), f"{channel.name} is used above already")
        seen.add(channel.name)
        if channel.waves and i < len(file.channels) - 1:
            says = "only the last channel has waves: the others do not move latest"
            yield Problem(("channels", i, "waves"), says)
    if file.channels:
        last = len(file.channels) - 1
        yield from _waves(file, file.channels[last], ("channels", last, "waves"))
    if file.channels and file.channels[0].approval:
        says = "the first channel needs no approval: every release enters it"
        yield Problem(("channels", 0, "approval"), says)
    for i, region in enumerate(file.regions):
        if region.max_replicas is not None and region.max_replicas < region.replicas:
            says = f"must be at least replicas ({region.replicas}), is {region.max_replicas}"
            yield Problem(("regions", i, "max_replicas"), says)


def _waves(file: DefinitionFile, channel: ChannelSection, place: Place) -> Iterator[Problem]:
    if not channel.waves:
        return
    regions = [normalise_region(r.name) for r in file.regions]
    named = [normalise_region(r) for wave in channel.waves for r in wave]
    for i, wave in enumerate(channel.waves):
        if not wave:
            yield Problem((*place, i), "a wave names at least one region")
        for j, name in enumerate(wave):
            if normalise_region(name) not in regions:
                says = f"{name} is no region of this image; there are {', '.join(regions)}"
                yield Problem((*place, i, j), says)
    for name in dict.fromkeys(named):
        if named.count(name) > 1:
            yield Problem(place, f"{name} is in more than one wave")
    missing = [r for r in regions if r not in named]
    if missing:
        yield Problem(place, f"{', '.join(missing)}: every region is in a wave")
