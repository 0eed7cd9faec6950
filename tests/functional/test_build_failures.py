"""Every way a build fails in Azure, through the simulator's faults; every message comes twice."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from azure.storage.blob.aio import BlobServiceClient

from localcloud.arm.faults import AsyncFault, Fault, HttpFault, RunFault
from localcloud.arm.guest_commands import GuestRule
from tests.functional.conftest import Json, LocalAssay

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEBIAN = {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2"}
WINDOWS = {
    "publisher": "MicrosoftWindowsServer",
    "offer": "WindowsServer",
    "sku": "2022-datacenter-azure-edition",
}
TEMPLATE = "debian-12-"
_numbers = count(3000)


@pytest.fixture(autouse=True)
def healthy(local: LocalAssay) -> Iterator[None]:
    """Let no fault outlive its test."""
    yield
    local.simulator.cloud.faults.clear()


async def built(local: LocalAssay, *faults: Fault) -> Json:
    """Build debian-12 from a new source version while *faults* are in force."""
    await local.simulation.upstream_publishes(DEBIAN, f"0.20261201.{next(_numbers)}")
    for fault in faults:
        local.simulator.add_fault(fault)
    return await local.finished((await local.assay.publish("debian-12"))["build"])


def shape(build: Json) -> tuple[str, list[str | None]]:
    """Return how the build ended, and the failure class of each attempt."""
    return build["phase"], [
        a["failure"]["class"] if a["failure"] else None for a in build["attempts"]
    ]


async def test_a_status_that_is_blind_for_long_is_no_failure(local: LocalAssay) -> None:
    message = "Internal error occurred. This is a generic error."
    build = await built(
        local,
        HttpFault(operation="ImageTemplates_Get$", path=TEMPLATE, status=500, message=message,
                  times=25),
    )  # fmt: skip
    assert shape(build) == ("released", [None])


async def test_a_504_to_a_run_that_did_start_does_not_start_another(local: LocalAssay) -> None:
    local.simulator.cloud.traffic.clear()
    build = await built(
        local,
        HttpFault(operation="Templates_Run$", path=TEMPLATE, status=504, commit=True, times=1),
    )
    runs = [e for e in local.simulator.cloud.traffic if e.operation.endswith("_Run")]
    assert shape(build) == ("released", [None])
    assert len(runs) == 1


async def test_a_failed_run_that_distributed_its_version_goes_on(local: LocalAssay) -> None:
    build = await built(
        local,
        RunFault(template=TEMPLATE, message="context deadline exceeded", distributed=True, times=1),
    )
    assert shape(build) == ("released", [None])


async def test_a_version_that_outlives_its_runs_timeout_goes_on(local: LocalAssay) -> None:
    build = await built(
        local,
        RunFault(template=TEMPLATE, message="context deadline exceeded", replicating=True, times=1),
    )
    assert shape(build) == ("released", [None])


async def test_a_timeout_without_a_version_gets_more_time(local: LocalAssay) -> None:
    build = await built(
        local, RunFault(template=TEMPLATE, message="context deadline exceeded", times=1)
    )
    first, second = build["attempts"]
    assert shape(build) == ("released", ["timeout", None])
    assert second["timeout_minutes"] == round(first["timeout_minutes"] * 1.5)


async def test_a_template_that_is_canceling_for_ever_is_abandoned(local: LocalAssay) -> None:
    build = await built(
        local, RunFault(template=TEMPLATE, canceled=True, stuck_canceling=True, times=1)
    )
    first, second = build["attempts"]
    assert shape(build) == ("released", ["service", None])
    assert "abandoned" in first["failure"]["message"]
    assert first["template"] != second["template"]


async def test_a_run_somebody_cancelled_is_not_tried_again(local: LocalAssay) -> None:
    build = await built(local, RunFault(template=TEMPLATE, canceled=True, times=1))
    assert shape(build) == ("failed", ["cancelled"])


async def test_a_wrong_configuration_is_said_and_not_tried_again(local: LocalAssay) -> None:
    message = "ValidationFailed: the source is of no use"
    build = await built(
        local,
        AsyncFault(operation="Templates_CreateOrUpdate", path=TEMPLATE, message=message, times=1),
    )
    assert shape(build) == ("failed", ["configuration"])
    assert message in build["history"][-1]["because"]


async def test_a_lack_of_room_is_waited_for(local: LocalAssay) -> None:
    build = await built(
        local, RunFault(template=TEMPLATE, message="ACI quota exceeded in westeurope", times=2)
    )
    assert shape(build) == ("released", ["capacity", "capacity", None])


async def test_an_outage_of_image_builder_is_tried_again(local: LocalAssay) -> None:
    build = await built(
        local, RunFault(template=TEMPLATE, message="InternalOperationError", times=1)
    )
    assert shape(build) == ("released", ["service", None])


async def test_a_failed_customization_without_a_repair_is_rejected(local: LocalAssay) -> None:
    build = await built(local, RunFault(template=TEMPLATE, times=1))
    assert shape(build) == ("rejected", ["customization"])


async def test_throttled_requests_come_back_when_azure_says(local: LocalAssay) -> None:
    build = await built(
        local,
        HttpFault(path="^/subscriptions/", status=429, retry_after=1, code="TooManyRequests",
                  times=12),
    )  # fmt: skip
    assert shape(build) == ("released", [None])


async def test_a_flaky_check_is_recorded_as_flaky(local: LocalAssay) -> None:
    rule = GuestRule(command="check-time-sync$", image="/debian-12/", exit_code=1, stderr="no")
    local.simulator.cloud.guest_rules.add(rule)
    build = await built(local)

    results = {r["check"]: r for r in build["attempts"][-1]["verification"]["results"]}
    assert shape(build) == ("released", [None])
    assert (results["time-sync"]["outcome"], results["time-sync"]["runs"]) == ("flaky", 2)
    assert results["vm-agent"]["outcome"] == "passed"


async def test_a_sound_source_is_built_from_and_a_broken_one_is_not(local: LocalAssay) -> None:
    sound = await local.finished((await local.assay.publish("windows-server-2022"))["build"])
    local.simulator.add_fault(
        AsyncFault(operation="Machines_CreateOrUpdate", path="-source$", message="no boot")
    )
    await local.simulation.upstream_publishes(WINDOWS, "20348.9999.261201")
    broken = await local.finished((await local.assay.publish("windows-server-2022"))["build"])

    seen = [r["check"] for r in sound["source_verification"]["results"]]
    assert sound["phase"] == "released"
    assert sorted(seen) == ["boot", "boot-time", "disk-space", "vm-agent"]
    assert broken["phase"] == "rejected"
    assert broken["attempts"] == []
    assert "source version 20348.9999.261201 is not sound" in broken["history"][-1]["because"]


async def _settled(local: LocalAssay, build_id: str) -> Json:
    """Return the build when its logs are copied, or could not be."""

    async def look() -> Json | None:
        build = await local.assay.build(build_id)
        return build if all(a["logs"] for a in build["attempts"]) else None

    return await local.until(look, f"the logs of build {build_id}")


async def test_the_logs_outlive_their_template(local: LocalAssay) -> None:
    failed = "Packer build command has failed: exit status 7"
    build = await built(local, RunFault(template=TEMPLATE, message=failed, times=1))
    [attempt] = (await _settled(local, build["id"]))["attempts"]

    [file] = attempt["logs"]["files"]
    async with BlobServiceClient.from_connection_string(local.storage) as storage:
        blob = storage.get_blob_client("build-logs", f"{build['id']}/1/{file}")
        text: Any = await (await blob.download_blob()).readall()
    assert attempt["logs"]["location"].endswith(f"/build-logs/{build['id']}/1")
    assert failed in text.decode()
    assert [m["text"] for m in attempt["messages"]] == [failed]

    async def gone() -> bool | None:
        templates = local.simulator.cloud.store.of_type(
            "Microsoft.VirtualMachineImages/imageTemplates"
        )
        return True if attempt["template"] not in {t.name for t in templates} else None

    assert await local.until(gone, f"the end of template {attempt['template']}")


async def test_logs_that_may_not_be_read_keep_their_template(local: LocalAssay) -> None:
    build = await built(
        local,
        HttpFault(operation="StorageAccounts_List", status=403, code="AuthorizationFailed"),
    )
    [attempt] = (await _settled(local, build["id"]))["attempts"]
    assert build["phase"] == "released"
    assert "AuthorizationFailed" in attempt["logs"]["problem"]
    assert attempt["left_behind"] == "its logs could not be copied and would go with it"


async def test_nothing_was_parked_on_the_way(local: LocalAssay) -> None:
    assert await local.assay.parked() == []
