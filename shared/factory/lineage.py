"""Walking the register from parent to child and back: what a version came from and led to."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.domain.chain import root_of
from shared.domain.family import Family, Node, NodeKind
from shared.domain.image_version import ImageVersion
from shared.ports import ImageVersions

MAX_DEPTH = 50
MAX_NODES = 500
"""No walk goes further, or finds more; what is left out is said. Each version costs one read, and
each one looked under one more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Descent:
    """Versions built from one, directly or not, nearest first; *cut* says why there may be more."""

    versions: tuple[ImageVersion, ...]
    generations: dict[tuple[str, str], int]
    """By definition and version; children are 1."""
    cut: tuple[str, ...] = ()


async def descendants(
    definition: str,
    version: str,
    *,
    image_versions: ImageVersions,
    depth: int = MAX_DEPTH,
    limit: int = MAX_NODES,
) -> Descent:
    """Return what was built from *version*, to *depth* generations and at most *limit* in all.

    Each is given once, however the register looks; parents come before their children.
    """
    seen = {(definition, version)}
    found: list[ImageVersion] = []
    generations: dict[tuple[str, str], int] = {}
    cut: list[str] = []
    front: Sequence[tuple[str, str]] = [(definition, version)]
    generation = 0
    while front:
        generation += 1
        born: list[ImageVersion] = []
        for name, number in front:
            room = limit - len(found) - len(born)
            children = await image_versions.children(name, number, limit=room + 1)
            fresh = [c for c in children if (c.definition, c.version) not in seen]
            seen |= {(c.definition, c.version) for c in fresh[:room]}
            born += fresh[:room]
            if len(children) > room:
                cut.append(f"more than {limit} versions")
                break
        if born and generation > depth:
            return Descent(
                versions=tuple(found),
                generations=generations,
                cut=(f"{_more_than(depth)} of children",),
            )
        found += born
        generations |= {(c.definition, c.version): generation for c in born}
        front = [] if cut else [(c.definition, c.version) for c in born]
    return Descent(versions=tuple(found), generations=generations, cut=tuple(cut))


def _more_than(depth: int) -> str:
    return "more than 1 generation" if depth == 1 else f"more than {depth} generations"


@dataclass(slots=True)
class _Tree:
    """A family as it grows."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)

    def add(self, version: ImageVersion, generation: int) -> Node:
        return self.put(
            Node(
                kind=NodeKind.VERSION,
                definition=version.definition,
                version=version.version,
                generation=generation,
                state=str(version.state),
            )
        )

    def put(self, node: Node) -> Node:
        return self.nodes.setdefault(node.id, node)


async def family_of(
    version: ImageVersion, *, image_versions: ImageVersions, depth: int = MAX_DEPTH
) -> Family:
    """Return parents, children and the Marketplace source of *version*, *depth* either way."""
    tree = _Tree()
    subject = tree.add(version, 0)
    cut = await _climb(tree, version, image_versions, depth)
    descent = await descendants(
        version.definition, version.version, image_versions=image_versions, depth=depth
    )
    for child in descent.versions:
        node = tree.add(child, descent.generations[child.definition, child.version])
        if child.parent:
            tree.edges.append((f"{child.parent.definition}/{child.parent.version}", node.id))
    return Family(
        subject=subject.id,
        nodes=tuple(sorted(tree.nodes.values(), key=lambda n: n.generation)),
        edges=tuple(tree.edges),
        cut=(*cut, *descent.cut),
    )


async def _climb(
    tree: _Tree, version: ImageVersion, image_versions: ImageVersions, depth: int
) -> list[str]:
    """Add the parents of *version* and the Marketplace source; return what was left out."""
    row, below = version, tree.nodes[f"{version.definition}/{version.version}"]
    for generation in range(-1, -depth - 1, -1):
        if row.parent is None:
            break
        pointer = row.parent
        if f"{pointer.definition}/{pointer.version}" in tree.nodes:
            return [f"the register has {pointer.definition} go round in a circle"]
        stored = await image_versions.get(pointer.definition, pointer.version)
        lost = Node(
            kind=NodeKind.VERSION,
            definition=pointer.definition,
            version=pointer.version,
            generation=generation,
        )
        node = tree.add(stored.value, generation) if stored else tree.put(lost)
        tree.edges.append((node.id, below.id))
        below = node
        if stored is None:
            return [f"the register has no version {pointer.version} of {pointer.definition}"]
        row = stored.value
    if row.parent is not None:
        return [f"{_more_than(depth)} of parents"]
    root = root_of(row)
    source = tree.put(
        Node(
            kind=NodeKind.SOURCE,
            definition=root.urn,
            version=root.version,
            generation=below.generation - 1,
        )
    )
    tree.edges.append((source.id, below.id))
    return []
