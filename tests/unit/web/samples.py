"""The definition, build, version and VM that the tests of the API look at."""

from datetime import UTC, datetime, timedelta

from shared.domain.build import Attempt, Build, Phase
from shared.domain.failure import Failure, FailureClass
from shared.domain.history import Transition
from shared.domain.identifiers import vm_key
from shared.domain.image_definition import (
    Check,
    Customizer,
    CustomizerKind,
    ImageDefinition,
    MarketplaceSource,
    OperatingSystem,
    Repair,
    TargetRegion,
    build_id,
    customization_digest,
)
from shared.domain.image_version import ImageVersion, VersionState
from shared.domain.verification import CheckResult, Outcome, Stage, Verification
from shared.domain.vm_record import Image, Kind, LineageSource, PolicyState, Verdict, VmRecord
from shared.ports import ParkedMessage
from shared.web.exchange import ApiRequest, Links

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOON_TEXT = "2026-11-22T12:00:00.000Z"
HOUR_AGO = NOON - timedelta(hours=1)
HOUR_AGO_TEXT = "2026-11-22T11:00:00.000Z"
BASE = "https://assay.example/api/v1"
LINKS = Links(BASE)
URN = "canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2"
SOURCE_VERSION = "22.04.202611200"
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
IMAGE_ID = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups/rg-assay"
    "/providers/microsoft.compute/galleries/assay/images/ubuntu"
)
VM_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-pay"
    "/providers/microsoft.compute/virtualmachines/web-1"
)
VM_KEY = vm_key(VM_ID)

DEFINITION = ImageDefinition(
    name="ubuntu",
    description="Hardened Ubuntu 22.04",
    os=OperatingSystem.LINUX,
    major=1,
    source=MarketplaceSource(
        publisher="Canonical", offer="0001-com-ubuntu-server-jammy", sku="22_04-lts-gen2"
    ),
    publisher="contoso",
    offer="ubuntu",
    sku="22.04",
    hyper_v_generation="V2",
    architecture="x64",
    security_type=None,
    regions=(TargetRegion(name="westeurope", replicas=2), TargetRegion(name="northeurope")),
    customizers=(
        Customizer(name="harden", kind=CustomizerKind.SHELL, script="#!/bin/sh\nexit 0\n"),
    ),
    checks=(Check(name="no-telnet", script="#!/bin/sh\nexit 0\n"),),
    repairs=(
        Repair(
            name="remove-telnet",
            answers=("no-telnet",),
            customizers=(
                Customizer(name="purge-telnet", kind=CustomizerKind.SHELL, script="exit 0\n"),
            ),
        ),
    ),
    boot_seconds=300,
    max_attempts=3,
    build_vm_size="Standard_D2s_v5",
    verify_vm_size="Standard_D2s_v5",
    build_timeout_minutes=120,
    verify_timeout_minutes=30,
)
BUILD_ID = build_id(DEFINITION, SOURCE_VERSION)


def build(
    phase: Phase = Phase.QUEUED,
    *,
    attempts: tuple[Attempt, ...] = (),
    number: str = BUILD_ID,
    created_at: datetime = HOUR_AGO,
) -> Build:
    """Return a build of the definition, in *phase*."""
    return Build(
        id=number,
        definition="ubuntu",
        image_id=IMAGE_ID,
        source_urn=URN,
        source_version=SOURCE_VERSION,
        customization_digest=customization_digest(DEFINITION),
        requested_by="http",
        forced=False,
        created_at=created_at,
        updated_at=NOON,
        phase=phase,
        attempts=attempts,
        history=(Transition(what="phase", old="queued", new=phase, at=NOON, because="test"),),
    )


def failed_attempt() -> Attempt:
    """Return an attempt whose check failed."""
    return Attempt(
        number=1,
        version="1.20261122.1",
        template="ubuntu-1",
        started_at=HOUR_AGO,
        run_requested_at=HOUR_AGO,
        ended_at=NOON,
        progress="Succeeded",
        failure=Failure(failure_class=FailureClass.CHECK, message="no-telnet failed"),
        verification=Verification(
            vm_name="verify-1",
            started_at=HOUR_AGO,
            deadline=NOON,
            stage=Stage.REMOVING,
            results=(
                CheckResult(
                    name="no-telnet",
                    outcome=Outcome.FAILED,
                    detail="telnet is installed",
                    seconds=1.5,
                ),
            ),
        ),
    )


def version(
    number: str = "1.20261122.1",
    *,
    state: VersionState = VersionState.RELEASED,
    regions: tuple[str, ...] = ("westeurope",),
) -> ImageVersion:
    """Return an image version that "latest" may mean."""
    return ImageVersion(
        definition="ubuntu",
        version=number,
        image_id=IMAGE_ID,
        state=state,
        build_id=BUILD_ID,
        attempt=1,
        source_urn=URN,
        source_version=SOURCE_VERSION,
        customization_digest="abc",
        created_at=HOUR_AGO,
        tattoo={"definition": "ubuntu", "version": number},
        regions=regions,
        excluded_from_latest=False,
        published_at=NOON,
        history=(
            Transition(what="state", old="candidate", new=state, at=NOON, because="published"),
        ),
    )


def vm(
    resource_id: str = VM_ID, *, team: str = "payments", verdict: Verdict = Verdict.CURRENT
) -> VmRecord:
    """Return a VM that runs the image."""
    return VmRecord(
        key=vm_key(resource_id),
        resource_id=resource_id,
        name=resource_id.rsplit("/", 1)[1],
        subscription_id=SUBSCRIPTION,
        resource_group="rg-pay",
        region="westeurope",
        image=Image(
            image_id=IMAGE_ID, version="1.20261122.1", source=LineageSource.IMAGE_REFERENCE
        ),
        definition="ubuntu",
        team=team,
        kind=Kind.PET,
        verdict=verdict,
        reason="It runs the newest version.",
        policy="noncompliant",
        first_seen_at=HOUR_AGO,
        changed_at=HOUR_AGO,
        as_of=NOON,
        os="linux",
    )


POLICY_STATE = PolicyState(
    assignment_id="/subscriptions/x/providers/microsoft.authorization/policyassignments/golden",
    definition_id="/providers/microsoft.authorization/policydefinitions/golden",
    reference_id="",
    state="noncompliant",
    timestamp=HOUR_AGO,
)


def parked(number: str = "m1", *, queue: str = "track-vm", text: str = "{}") -> ParkedMessage:
    """Return a parked message."""
    return ParkedMessage(
        id=number,
        queue=queue,
        text=text,
        reason="Azure refuses: no access",
        tries=5,
        parked_at=NOON,
        kind="track_vm",
        correlation_id="c-1",
    )


def request(
    path: str,
    *,
    method: str = "GET",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    **route: str,
) -> ApiRequest:
    """Return a request for *path* (under the base), its route values by name."""
    return ApiRequest(
        method=method,
        url=f"{BASE}/{path}",
        correlation_id="c-1",
        route=route,
        query=query or {},
        headers=headers or {},
        body=body,
    )
