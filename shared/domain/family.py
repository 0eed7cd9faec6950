"""The family of an image version: parents up to the Marketplace, children to any depth.

A picture of it is text in a common notation (Mermaid or DOT), so that nothing need be installed to
make one.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class NodeKind(StrEnum):
    """What stands at one place of a family."""

    VERSION = "version"
    """A version of one of our golden images."""
    SOURCE = "source"
    """A version of a Marketplace image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One member of a family; *definition* is the URN where it is a Marketplace image."""

    kind: NodeKind
    definition: str
    version: str
    generation: int
    """0 for who was asked for, 1 for its children, -1 for its parent, and so on."""
    state: str = ""
    """State of an image version; empty for the Marketplace, or when the register lost it."""

    @property
    def id(self) -> str:
        """Definition and version: unique in the family."""
        return f"{self.definition}/{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Who was asked for, everyone found, and the lines from what was built from to what was."""

    subject: str
    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]
    """Pairs of node ids: from the parent to the child."""
    cut: tuple[str, ...] = ()
    """Why there may be more than this; empty when this is all."""

    def named(self, node_id: str) -> Node:
        """Return the node with this id."""
        return next(n for n in self.nodes if n.id == node_id)


_STYLES = {
    "source": ("fill:#e8eef7,stroke:#5b7db1", 'fillcolor="#e8eef7", shape=cylinder'),
    "released": ("fill:#e3f4e3,stroke:#3c8a3c", 'fillcolor="#e3f4e3"'),
    "aged": ("fill:#fdf3d7,stroke:#b58900", 'fillcolor="#fdf3d7"'),
    "revoked": ("fill:#fbe0e0,stroke:#b52a2a", 'fillcolor="#fbe0e0"'),
    "other": ("fill:#f2f2f2,stroke:#808080", 'fillcolor="#f2f2f2"'),
}
"""How a member looks in Mermaid and in DOT, by what it is."""

_MERMAID_WORDS = re.compile(r"[^A-Za-z0-9 .,:@_/-]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def draw_mermaid(family: Family) -> str:
    """Return *family* as a Mermaid flowchart, parents above (https://mermaid.js.org/syntax).

    Names are letters and numbers of our own, and in labels every character that could mean
    something is an entity code, so no name can end a label or add a line.
    """
    names = {node.id: f"n{number}" for number, node in enumerate(family.nodes)}
    lines = ["flowchart TD"]
    for node in family.nodes:
        label = "<br/>".join(_mermaid_text(line) for line in _label(node))
        box = f'[("{label}")]' if node.kind is NodeKind.SOURCE else f'["{label}"]'
        lines.append(f"    {names[node.id]}{box}:::{_style(node)}")
    lines += [f"    {names[parent]} --> {names[child]}" for parent, child in family.edges]
    lines.append(f"    style {names[family.subject]} stroke-width:3px")
    lines += [f"    classDef {name} {style}" for name, (style, _) in _STYLES.items()]
    lines += [f"    %% cut: {_mermaid_text(reason)}" for reason in family.cut]
    return "\n".join(lines) + "\n"


def draw_dot(family: Family) -> str:
    """Return *family* as a graph in the DOT language (https://graphviz.org/doc/info/lang.html)."""
    names = {node.id: f"n{number}" for number, node in enumerate(family.nodes)}
    lines = ["digraph lineage {", '    node [shape=box, style="rounded,filled"];']
    for node in family.nodes:
        label = "\\n".join(_dot_text(line) for line in _label(node))
        extra = ", penwidth=3" if node.id == family.subject else ""
        lines.append(f'    {names[node.id]} [label="{label}", {_STYLES[_style(node)][1]}{extra}];')
    lines += [f"    {names[parent]} -> {names[child]};" for parent, child in family.edges]
    lines += [f'    label="cut: {_dot_text("; ".join(family.cut))}";'] if family.cut else []
    return "\n".join([*lines, "}"]) + "\n"


def _label(node: Node) -> list[str]:
    lines = [node.definition, node.version]
    return [*lines, node.state] if node.state else lines


def _style(node: Node) -> str:
    if node.kind is NodeKind.SOURCE:
        return "source"
    return node.state if node.state in _STYLES else "other"


def _mermaid_text(text: str) -> str:
    """Write all but plain characters as Mermaid's entity codes, `#` and the number of each."""
    return _MERMAID_WORDS.sub(lambda match: f"#{ord(match[0])};", _CONTROL.sub(" ", text))


def _dot_text(text: str) -> str:
    return _CONTROL.sub(" ", text).replace("\\", "\\\\").replace('"', '\\"')
