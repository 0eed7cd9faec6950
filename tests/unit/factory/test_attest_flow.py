"""Evidence along the publish flow: every message once, twice, and killed at every call."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.signer._key import SSlibKey

from shared.domain.build import Build, Phase
from shared.domain.evidence import BUILD_STATEMENT, PROVENANCE, SBOM, SOFTWARE, sha256
from shared.domain.image_version import ImageVersion, VersionState
from shared.domain.proof import prove_tattoo
from shared.domain.tattoo import render
from shared.domain.verification import Outcome
from shared.errors import RefusedError, ThrottledError, UnavailableError
from shared.ports import RunCommandStatus
from tests.fakes.evidence import KEY_ID
from tests.fakes.guest_software import LISTING, printed
from tests.fakes.world import Crashes, World
from tests.unit.factory.test_publish_flow import build_of, new_world, tattooed, version_of

FIRST = "1.20261122.1"
NAME = "ubuntu-22-04"


async def released(world: World) -> tuple[Build, ImageVersion]:
    build = await build_of(world, await world.build())
    return build, await version_of(world, build.attempt.version)


def document(world: World, name: str, version: str = FIRST) -> bytes:
    return world.evidence.held[NAME, version, name]


def payload(world: World, name: str, version: str = FIRST) -> Any:
    return json.loads(base64.b64decode(json.loads(document(world, name, version))["payload"]))


async def verified(world: World, name: str) -> None:
    """Raise when the envelope called *name* was not signed with the key of *world*."""
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - only here
        load_pem_public_key,
    )

    public = load_pem_public_key((await world.signer.public_key()).encode())
    envelope = Envelope.from_dict(json.loads(document(world, name)))
    envelope.verify([SSlibKey.from_crypto(public, keyid=KEY_ID)], 1)


@pytest.mark.parametrize("twice", [False, True])
async def test_a_released_version_has_all_its_evidence(twice: bool) -> None:
    world = new_world(twice=twice)

    build, version = await released(world)

    assert build.phase is Phase.RELEASED
    assert {name for _, _, name in world.evidence.held} == {
        SOFTWARE, SBOM, BUILD_STATEMENT, PROVENANCE,
    }  # fmt: skip
    held = version.evidence
    assert held.software == sha256(document(world, SOFTWARE))
    assert held.sbom == sha256(document(world, SBOM))
    assert held.signed_by == KEY_ID
    assert held.statement == build.attempt.statement == version.tattoo["statement-digest"]
    tags = world.gallery.held[version.resource_id].tags
    assert tags["assay-provenance-digest"] == held.provenance
    assert tags["assay-statement-digest"] == held.statement
    await verified(world, PROVENANCE)
    await verified(world, BUILD_STATEMENT)
    assert world.signer.signed == 2


async def test_the_provenance_says_what_was_built_from_what_and_how_it_was_judged() -> None:
    world = new_world()
    world.vms.answers["check-agent"] = RunCommandStatus(finished=True, exit_code=0)

    build, version = await released(world)
    said = payload(world, PROVENANCE)

    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["predicateType"] == "https://slsa.dev/provenance/v1"
    (subject,) = said["subject"]
    assert subject["uri"] == version.resource_id
    assert subject["digest"] == {"sha256": version.evidence.tattoo}
    definition = said["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["source"] == {
        "uri": "azure-marketplace:canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2",
        "version": "22.04.202411080",
    }
    run = said["predicate"]["runDetails"]
    assert run["metadata"]["invocationId"] == f"{build.id}/1"
    attempts = run["byproducts"][3]["annotations"]["attempts"]
    assert [(c["name"], c["outcome"]) for c in attempts[0]["checks"]] == [
        ("boot", "passed"), ("vm-agent", "passed"), ("sshd", "passed"), ("agent", "passed"),
        ("tattoo", "passed"), ("software", "passed"),
    ]  # fmt: skip


async def test_failed_attempts_and_repairs_are_part_of_the_provenance() -> None:
    world = new_world()
    world.vms.answers["check-sshd"] = RunCommandStatus(finished=True, exit_code=1, output="no")
    original = world.image_builder.create

    async def create(spec: Any) -> None:
        if "reset-sshd" in [c.name for c in spec.customizers]:
            world.vms.answers.pop("check-sshd", None)
        await original(spec)

    world.image_builder.create = create  # type: ignore[method-assign]
    await released(world)
    said = payload(world, PROVENANCE, "1.20261122.2")

    first, second = said["predicate"]["runDetails"]["byproducts"][3]["annotations"]["attempts"]
    assert first["failure"].startswith("checks failed: sshd")
    assert second["repairs"] == ["reset-sshd"]
    assert [c["name"] for c in said["predicate"]["buildDefinition"]["internalParameters"][
        "customizers"
    ]] == ["hardening", "agent", "reset-sshd"]  # fmt: skip
    assert (NAME, FIRST, SOFTWARE) in world.evidence.held
    assert (NAME, FIRST, PROVENANCE) not in world.evidence.held


async def test_a_vms_tattoo_is_proved_against_the_register_and_a_forged_one_is_not() -> None:
    world = new_world()
    _, version = await released(world)
    facts = {k: v for k, v in version.tattoo.items() if k != "published-at"}

    assert prove_tattoo(render(facts), version).proved
    forged = prove_tattoo(render({**facts, "source-version": "22.04.1"}), version)
    added = prove_tattoo(render({**facts, "approved-by": "me"}), version)

    assert forged.faults[0] == "source-version is 22.04.1, expected 22.04.202411080"
    assert len(added.faults) == 1
    assert added.faults[0].startswith("its digest is ")


async def test_without_a_key_the_evidence_is_unsigned_and_says_so() -> None:
    world = new_world()
    world.signer.off = True

    build, version = await released(world)

    assert build.phase is Phase.RELEASED
    assert version.evidence.signed_by == ""
    assert json.loads(document(world, PROVENANCE))["signatures"] == []
    said = next(h.because for h in build.history if h.new == Phase.PUBLISHING)
    assert said == "attested, unsigned: ASSAY_SIGNING_KEY is not set"


async def test_a_key_that_may_not_be_used_stops_the_build_and_says_why() -> None:
    world = new_world()
    world.signer.fail_next("sign", RefusedError("give the identity the role Key Vault Crypto User"))

    build = await build_of(world, await world.build())

    assert build.phase is Phase.FAILED
    assert "Key Vault Crypto User" in build.history[-1].because


async def test_a_throttled_vault_is_asked_again() -> None:
    world = new_world()
    world.signer.fail_next("sign", ThrottledError("429"))

    build, version = await released(world)

    assert build.phase is Phase.RELEASED
    assert version.evidence.signed_by == KEY_ID


async def test_a_guest_that_cannot_say_what_it_holds_is_not_released() -> None:
    world = new_world()
    world.vms.answers["software-1"] = RunCommandStatus(finished=True, exit_code=1, error="locked")

    build = await build_of(world, await world.build())

    assert build.phase is Phase.REJECTED
    assert build.attempt.verification
    result = build.attempt.verification.results[-1]
    assert (result.name, result.outcome) == ("software", Outcome.ERRORED)
    assert result.detail == "the list of software could not be made (exit code 1: locked)"


async def test_an_unreadable_list_does_not_keep_a_repair_from_being_tried() -> None:
    world = new_world()
    world.vms.answers["software-1"] = RunCommandStatus(finished=True, exit_code=1)
    world.vms.answers["check-sshd"] = RunCommandStatus(finished=True, exit_code=1)

    build = await build_of(world, await world.build())

    assert [a.repairs for a in build.attempts] == [(), ("reset-sshd",)]


async def test_what_changed_since_the_last_release_is_said_at_the_release() -> None:
    world = new_world()
    await world.build("22.04.202409120")
    newer = LISTING.replace("1.18", "1.19") + "deb\tzsh\t5.9\tamd64\n"
    world.vms.answers["software-1"] = printed("software-1", newer)

    await world.build("22.04.202411080")
    second = await version_of(world, "1.20261122.2")

    assert second.evidence.compared_with == FIRST
    assert second.evidence.changes == "1 changed, 1 added, 0 removed"


async def test_evidence_somebody_changed_is_noticed() -> None:
    world = new_world()
    original = world.vms.delete

    async def delete(vm_name: str) -> None:
        world.evidence.held[NAME, FIRST, BUILD_STATEMENT] = b'{"payload": "e30=", "signatures": []}'
        await original(vm_name)

    world.vms.delete = delete  # type: ignore[method-assign]
    build = await build_of(world, await world.build())

    assert build.phase is Phase.FAILED
    assert "is not the one in the tattoo" in build.history[-1].because


async def test_a_build_that_an_earlier_release_began_is_attested_too() -> None:
    world = new_world()
    original = world.vms.delete

    async def delete(vm_name: str) -> None:
        for stored in world.records.builds._shelf.values():
            old = replace(stored.value.attempt, statement="")
            await world.records.builds.save(
                replace(stored, value=replace(stored.value, attempts=(old,)))
            )
        world.evidence.held.pop((NAME, FIRST, BUILD_STATEMENT))
        world.vms.delete = original  # type: ignore[method-assign]
        raise UnavailableError("the upgrade")

    world.vms.delete = delete  # type: ignore[method-assign]
    build, version = await released(world)

    assert build.phase is Phase.RELEASED
    assert version.evidence.signed_by == KEY_ID
    byproducts = payload(world, PROVENANCE)["predicate"]["runDetails"]["byproducts"]
    assert byproducts[0] == {"name": "build-statement"}


async def count_calls() -> int:
    world = new_world()
    await world.build()
    return world.crashes.calls


async def test_killed_at_every_call_the_evidence_is_whole() -> None:
    for at in range(1, await count_calls() + 1):
        world = World(crashes=Crashes(at=at))
        tattooed(world)
        _, version = await released(world)

        held = version.evidence
        assert version.state is VersionState.RELEASED, at
        assert held.software == sha256(document(world, SOFTWARE)), at
        assert held.sbom == sha256(document(world, SBOM)), at
        sealed = base64.b64decode(json.loads(document(world, PROVENANCE))["payload"])
        assert held.provenance == sha256(sealed), at
        assert held.signed_by == KEY_ID, at
        assert held.statement == version.tattoo["statement-digest"], at
        await verified(world, PROVENANCE)
