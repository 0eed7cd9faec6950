"""The family of an image version as the API answers it: nodes and edges."""

from shared.domain.family import Family, Node, NodeKind
from shared.domain.parentage import RootSource
from shared.web.exchange import Json, Links


def family_view(family: Family, root: RootSource, links: Links) -> Json:
    """Return *family*, whose chain starts at *root*; `cut` says why there may be more."""
    subject = family.named(family.subject)
    return {
        "definition": subject.definition,
        "version": subject.version,
        "source": {
            "publisher": root.publisher,
            "offer": root.offer,
            "sku": root.sku,
            "version": root.version,
            "urn": root.urn,
        },
        "nodes": [_node(node, links) for node in family.nodes],
        "edges": [{"from": parent, "to": child} for parent, child in family.edges],
        "complete": not family.cut,
        "cut": list(family.cut),
    }


def _node(node: Node, links: Links) -> Json:
    common: Json = {"id": node.id, "kind": node.kind.value, "generation": node.generation}
    if node.kind is NodeKind.SOURCE:
        return {**common, "urn": node.definition, "version": node.version}
    return {
        **common,
        "definition": node.definition,
        "version": node.version,
        "state": node.state or None,
        "url": links.to("images", node.definition, "versions", node.version),
    }
