"""What must hold between definitions that are built from one another."""

from collections.abc import Iterator, Mapping

from shared.domain.image_definition import ImageDefinition, ParentSource

type Fault = tuple[str, str, str]
"""Name of a definition, the field of its source, and what is wrong there."""


def faults_of_chains(
    definitions: Mapping[str, ImageDefinition], unread: frozenset[str] = frozenset()
) -> list[Fault]:
    """Return what is wrong with how *definitions* are built from one another.

    *unread* names definitions with faults of their own: whether they fit is not known yet.
    """
    faults: list[Fault] = []
    for definition in definitions.values():
        if definition.parent and definition.parent.image not in unread:
            faults += _between(definition, definition.parent, definitions)
    return [*faults, *_cycles(definitions)]


def _between(
    child: ImageDefinition, source: ParentSource, definitions: Mapping[str, ImageDefinition]
) -> Iterator[Fault]:
    parent = definitions.get(source.image)
    if parent is None:
        known = ", ".join(sorted(definitions.keys() - {child.name})) or "no other"
        yield child.name, "image", f"there is no definition {source.image}; there are: {known}"
        return
    channels = [c.name for c in parent.channels]
    if source.channel not in channels:
        known = ", ".join(channels)
        yield (
            child.name,
            "channel",
            f"{parent.name} has no channel {source.channel}; it has: {known}",
        )
    for field, ours, theirs in (
        ("os", child.os, parent.os),
        ("hyper_v_generation", child.hyper_v_generation, parent.hyper_v_generation),
        ("architecture", child.architecture, parent.architecture),
        ("security_type", child.security_type, parent.security_type),
    ):
        if ours != theirs:
            says = f"{field} must be that of {parent.name}, {theirs or 'none'}, is {ours or 'none'}"
            yield child.name, "image", says


def _cycles(definitions: Mapping[str, ImageDefinition]) -> Iterator[Fault]:
    """Yield one fault per cycle, at its first definition by name, with the whole way round."""
    told: set[str] = set()
    for start in sorted(definitions):
        way: list[str] = []
        name: str | None = start
        while name is not None and name not in way and name not in told:
            way.append(name)
            name = _parent_name(definitions, name)
        if name is not None and name in way:
            cycle = way[way.index(name) :]
            first = cycle.index(min(cycle))
            turned = [*cycle[first:], *cycle[: first + 1]]
            yield turned[0], "image", f"goes round in a circle: {' from '.join(turned)}"
        told.update(way)


def _parent_name(definitions: Mapping[str, ImageDefinition], name: str) -> str | None:
    definition = definitions.get(name)
    return definition.parent.image if definition and definition.parent else None
