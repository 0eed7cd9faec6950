"""Walking from a version to its parents, its children and the Marketplace."""

from dataclasses import replace

from shared.domain.chain import as_parent
from shared.domain.family import NodeKind
from shared.domain.image_version import ImageVersion, VersionState
from shared.factory.lineage import descendants, family_of
from shared.ports import Stored
from tests.fakes.records import MemoryImageVersions
from tests.fakes.world import NOON

URN = "canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2"


def a_version(
    definition: str, version: str = "1.1.1", *, parent: ImageVersion | None = None
) -> ImageVersion:
    return ImageVersion(
        definition=definition,
        version=version,
        image_id=f"/images/{definition}",
        state=VersionState.RELEASED,
        build_id="b",
        attempt=1,
        source_urn=f"{parent.definition}@stable" if parent else URN,
        source_version=parent.version if parent else "22.04.1",
        customization_digest="d",
        created_at=NOON,
        tattoo={},
        parent=as_parent(parent) if parent else None,
    )


async def held(*versions: ImageVersion) -> MemoryImageVersions:
    register = MemoryImageVersions()
    for version in versions:
        await register.save(Stored(version))
    return register


async def test_the_family_reaches_from_the_marketplace_to_the_grandchildren() -> None:
    base = a_version("base")
    web = a_version("web", parent=base)
    shop = a_version("shop", parent=web)
    api = a_version("api", parent=base)
    register = await held(base, web, shop, api, a_version("base", "1.1.2"))

    family = await family_of(web, image_versions=register)

    assert [(n.id, n.kind, n.generation) for n in family.nodes] == [
        (f"{URN}/22.04.1", NodeKind.SOURCE, -2),
        ("base/1.1.1", NodeKind.VERSION, -1),
        ("web/1.1.1", NodeKind.VERSION, 0),
        ("shop/1.1.1", NodeKind.VERSION, 1),
    ]
    assert set(family.edges) == {
        (f"{URN}/22.04.1", "base/1.1.1"),
        ("base/1.1.1", "web/1.1.1"),
        ("web/1.1.1", "shop/1.1.1"),
    }
    assert (family.subject, family.cut) == ("web/1.1.1", ())


async def test_a_chain_of_forty_is_walked_to_both_ends() -> None:
    chain = [a_version("n-0")]
    for number in range(1, 41):
        chain.append(a_version(f"n-{number}", parent=chain[-1]))
    register = await held(*chain)

    family = await family_of(chain[20], image_versions=register)

    assert len(family.nodes) == 42
    assert len(family.edges) == 41
    assert family.nodes[0].definition == URN
    assert family.cut == ()


async def test_depth_cuts_both_ways_and_says_so() -> None:
    chain = [a_version("n-0")]
    for number in range(1, 7):
        chain.append(a_version(f"n-{number}", parent=chain[-1]))
    register = await held(*chain)

    family = await family_of(chain[3], image_versions=register, depth=2)

    assert [n.definition for n in family.nodes] == ["n-1", "n-2", "n-3", "n-4", "n-5"]
    assert family.cut == (
        "more than 2 generations of parents",
        "more than 2 generations of children",
    )


async def test_depth_that_just_reaches_is_not_called_cut() -> None:
    base = a_version("base")
    web = a_version("web", parent=base)
    register = await held(base, web)

    assert (await family_of(base, image_versions=register, depth=1)).cut == ()
    assert (await family_of(web, image_versions=register, depth=1)).cut == ()


async def test_a_parent_the_register_lost_is_still_named() -> None:
    web = a_version("web", parent=a_version("base"))
    register = await held(web)

    family = await family_of(web, image_versions=register)

    assert [(n.id, n.state) for n in family.nodes] == [
        ("base/1.1.1", ""),
        ("web/1.1.1", "released"),
    ]
    assert family.cut == ("the register has no version 1.1.1 of base",)


async def test_descendants_are_bounded_in_number() -> None:
    base = a_version("base")
    children = [a_version(f"c-{number}", parent=base) for number in range(5)]
    register = await held(base, *children)

    all_of_them = await descendants("base", "1.1.1", image_versions=register, limit=5)
    some = await descendants("base", "1.1.1", image_versions=register, limit=4)

    assert (len(all_of_them.versions), all_of_them.cut) == (5, ())
    assert (len(some.versions), some.cut) == (4, ("more than 4 versions",))


async def test_a_register_that_goes_round_in_a_circle_is_walked_once() -> None:
    base, web = a_version("base"), a_version("web")
    base = replace(base, parent=as_parent(web))
    web = replace(web, parent=as_parent(base))
    register = await held(base, web)

    descent = await descendants("base", "1.1.1", image_versions=register)
    family = await family_of(base, image_versions=register)

    assert [v.definition for v in descent.versions] == ["web"]
    assert {n.id for n in family.nodes} == {"base/1.1.1", "web/1.1.1"}
    assert family.cut == ("the register has base go round in a circle",)
