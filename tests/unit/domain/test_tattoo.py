"""The tattoo says the same in the guest, on the gallery version and in the register."""

from datetime import date

from shared.domain.tattoo import Tattoo, differences, parse, render, stamped, tags

TATTOO = Tattoo(
    definition="ubuntu-22-04",
    version="1.20261122.1",
    source_publisher="Canonical",
    source_offer="0001-com-ubuntu-server-jammy",
    source_sku="22_04-lts-gen2",
    source_version="22.04.202411080",
    os="linux",
    build_id="ubuntu-22-04-abc",
    attempt=2,
    customization_digest="d1g3st",
    publish_date=date(2026, 11, 22),
)


def test_what_is_stamped_can_be_read_back() -> None:
    assert parse(render(TATTOO.facts())) == TATTOO.facts()


def test_the_facts_are_these() -> None:
    assert render(TATTOO.facts()) == (
        "definition=ubuntu-22-04\n"
        "version=1.20261122.1\n"
        "source-publisher=Canonical\n"
        "source-offer=0001-com-ubuntu-server-jammy\n"
        "source-sku=22_04-lts-gen2\n"
        "source-version=22.04.202411080\n"
        "os=linux\n"
        "build-id=ubuntu-22-04-abc\n"
        "attempt=2\n"
        "customization-digest=d1g3st\n"
        "publish-date=2026-11-22\n"
    )


def test_tags_are_the_facts_within_what_azure_allows() -> None:
    named = tags(TATTOO.facts())

    assert named["assay-source-version"] == "22.04.202411080"
    assert len(named) == len(TATTOO.facts())
    assert len(named) <= 50
    assert all(len(value) <= 256 for value in named.values())


def test_what_is_learnt_later_was_not_stamped() -> None:
    later = {"os-version": "Ubuntu 22.04.5 LTS", "published-at": "2026-11-22T12:00:00Z"}

    assert stamped({**TATTOO.facts(), **later}) == TATTOO.facts()


def test_every_missing_or_other_fact_is_named() -> None:
    found = {**TATTOO.facts(), "version": "1.0.0", "os-version": "Ubuntu 22.04.5 LTS"}
    del found["build-id"]

    assert differences(TATTOO.facts(), found) == [
        "version is 1.0.0, expected 1.20261122.1",
        "build-id is missing (expected ubuntu-22-04-abc)",
    ]


def test_lines_that_are_no_pairs_are_passed_over() -> None:
    assert parse("hello\n a = b=c \n\n") == {"a": "b=c"}
