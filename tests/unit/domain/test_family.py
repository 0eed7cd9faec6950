"""A family as text that others draw."""

from shared.domain.family import Family, Node, NodeKind, draw_dot, draw_mermaid

SOURCE = Node(kind=NodeKind.SOURCE, definition="a:b:c", version="22.04.1", generation=-2)
BASE = Node(
    kind=NodeKind.VERSION, definition="base", version="1.2.3", generation=-1, state="released"
)
WEB = Node(kind=NodeKind.VERSION, definition="web", version="1.2.4", generation=0, state="revoked")
FAMILY = Family(
    subject=WEB.id,
    nodes=(SOURCE, BASE, WEB),
    edges=((SOURCE.id, BASE.id), (BASE.id, WEB.id)),
)


def test_mermaid_shows_parents_above_children() -> None:
    assert draw_mermaid(FAMILY).splitlines()[:7] == [
        "flowchart TD",
        '    n0[("a:b:c<br/>22.04.1")]:::source',
        '    n1["base<br/>1.2.3<br/>released"]:::released',
        '    n2["web<br/>1.2.4<br/>revoked"]:::revoked',
        "    n0 --> n1",
        "    n1 --> n2",
        "    style n2 stroke-width:3px",
    ]


def test_dot_shows_the_same() -> None:
    assert draw_dot(FAMILY) == (
        "digraph lineage {\n"
        '    node [shape=box, style="rounded,filled"];\n'
        '    n0 [label="a:b:c\\n22.04.1", fillcolor="#e8eef7", shape=cylinder];\n'
        '    n1 [label="base\\n1.2.3\\nreleased", fillcolor="#e3f4e3"];\n'
        '    n2 [label="web\\n1.2.4\\nrevoked", fillcolor="#fbe0e0", penwidth=3];\n'
        "    n0 -> n1;\n"
        "    n1 -> n2;\n"
        "}\n"
    )


def test_what_was_left_out_is_said_in_the_drawing_too() -> None:
    cut = Family(subject=WEB.id, nodes=(WEB,), edges=(), cut=("more than 500 versions",))

    assert "    %% cut: more than 500 versions\n" in draw_mermaid(cut)
    assert '    label="cut: more than 500 versions";\n' in draw_dot(cut)


def test_no_name_can_end_a_label_or_add_a_line() -> None:
    bad = 'x"]; click n0 "javascript:alert(1)"\n<script>#\\"'
    evil = Node(kind=NodeKind.VERSION, definition=bad, version="1", generation=0)
    family = Family(subject=evil.id, nodes=(evil,), edges=())

    mermaid, dot = draw_mermaid(family), draw_dot(family)

    assert mermaid.splitlines()[1] == (
        '    n0["x#34;#93;#59; click n0 #34;javascript:alert#40;1#41;#34; '
        '#60;script#62;#35;#92;#34;<br/>1"]:::other'
    )
    assert dot.splitlines()[2] == (
        r'    n0 [label="x\"]; click n0 \"javascript:alert(1)\" <script>#\\\"\n1", '
        'fillcolor="#f2f2f2", penwidth=3];'
    )
