"""Azure Marketplace VM images: publishers, offers, SKUs and versions."""

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from localcloud.arm.errors import ArmError, bad_request
from localcloud.arm.regions import require_region, short_name
from localcloud.arm.requests import whole_number
from localcloud.arm.routing import Call, Reply, Route
from localcloud.arm.store import Json

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

VERSIONS = frozenset({"2022-11-01", "2023-07-01", "2023-09-01", "2024-07-01", "2024-11-01"}) | {
    "2025-04-01",
    "2026-04-01",
}
_BASE = (
    "/subscriptions/{sub}/providers/Microsoft.Compute/locations/{location}/publishers/"
    "{publisher}/artifacttypes/vmimage/offers"
)
_PLAIN_VERSION = re.compile(r"\d+(\.\d+)+")


@dataclass
class Plan:
    """One publisher, offer and SKU, with its versions and what is deprecated of them."""

    publisher: str
    offer: str
    sku: str
    os: str
    generation: str = "V2"
    size_gb: int = 30
    versions: list[str] = field(default_factory=list)
    deprecations: dict[str, Json] = field(default_factory=dict)

    def newest(self) -> str:
        """The highest version, compared number by number."""
        return max(self.versions, key=numeric)


def numeric(version: str) -> tuple[int, ...]:
    """A version as numbers: `0.20241004.1890` is (0, 20241004, 1890)."""
    return tuple(int(part) for part in version.split("."))


class Marketplace:
    """All plans, found whatever the case of their names."""

    def __init__(self) -> None:
        self._plans: dict[tuple[str, str, str], Plan] = {}

    def add(self, plan: Plan) -> None:
        """Offer a plan."""
        self._plans[_key(plan.publisher, plan.offer, plan.sku)] = plan

    def find(self, publisher: str, offer: str, sku: str) -> Plan | None:
        """The plan, or None."""
        return self._plans.get(_key(publisher, offer, sku))

    def publish(self, publisher: str, offer: str, sku: str, version: str) -> None:
        """Add a version to a plan; raises ArmError where the plan or version is not possible."""
        plan = self.find(publisher, offer, sku)
        if plan is None:
            raise artifact_not_found()
        if not _PLAIN_VERSION.fullmatch(version):
            raise bad_request("InvalidParameter", f"'{version}' is not a version of numbers.")
        if version not in plan.versions:
            plan.versions.append(version)

    def plans(self) -> list[Plan]:
        """All plans."""
        return list(self._plans.values())


def artifact_not_found() -> ArmError:
    """The 404 for an offer, SKU or version."""
    return ArmError(HTTPStatus.NOT_FOUND, "NotFound", "Artifact: VMImage was not found.")


def version_id(subscription: str, location: str, plan: Plan, version: str) -> str:
    """A platform image's id, with the capitals that only this provider uses."""
    return (
        f"/Subscriptions/{subscription}/Providers/Microsoft.Compute/Locations/{location}/Publishers/"
        f"{plan.publisher}/ArtifactTypes/VMImage/Offers/{plan.offer}/Skus/{plan.sku}/"
        f"Versions/{version}"
    )


def _key(publisher: str, offer: str, sku: str) -> tuple[str, str, str]:
    return publisher.lower(), offer.lower(), sku.lower()


def _rows(call: Call, base: str, names: list[str]) -> Reply:
    location = require_region(call.params["location"])
    root = f"/Subscriptions/{call.sub}/Providers/Microsoft.Compute/Locations/{location}/Publishers"
    ordered = sorted(set(names), key=str.lower)
    return Reply(
        body=[{"location": location, "name": n, "id": f"{root}{base}{n}"} for n in ordered]
    )


def _publishers(cloud: "Cloud", call: Call) -> Reply:
    return _rows(call, "/", [plan.publisher for plan in cloud.marketplace.plans()])


def _of_publisher(cloud: "Cloud", call: Call) -> list[Plan]:
    wanted = call.params["publisher"]
    plans = [p for p in cloud.marketplace.plans() if p.publisher.lower() == wanted.lower()]
    if not plans:
        raise ArmError(HTTPStatus.NOT_FOUND, "NotFound", f"Publisher: {wanted} was not found.")
    return plans


def _offers(cloud: "Cloud", call: Call) -> Reply:
    plans = _of_publisher(cloud, call)
    base = f"/{plans[0].publisher}/ArtifactTypes/VMImage/Offers/"
    return _rows(call, base, [plan.offer for plan in plans])


def _skus(cloud: "Cloud", call: Call) -> Reply:
    offer = call.params["offer"].lower()
    plans = [plan for plan in _of_publisher(cloud, call) if plan.offer.lower() == offer]
    if not plans:
        raise artifact_not_found()
    base = f"/{plans[0].publisher}/ArtifactTypes/VMImage/Offers/{plans[0].offer}/Skus/"
    reply = _rows(call, base, [plan.sku for plan in plans])
    upgrade = {"automaticOSUpgradeProperties": {"automaticOSUpgradeSupported": True}}
    return Reply(body=[{"properties": upgrade, **row} for row in reply.body])


def _plan(cloud: "Cloud", call: Call) -> Plan:
    _of_publisher(cloud, call)
    plan = cloud.marketplace.find(
        call.params["publisher"], call.params["offer"], call.params["sku"]
    )
    if plan is None:
        raise artifact_not_found()
    return plan


def _versions(cloud: "Cloud", call: Call) -> Reply:
    plan = _plan(cloud, call)
    location = short_name(require_region(call.params["location"]))
    # As text, not as numbers: Azure's own order, and the reason not to trust $top=1.
    names = sorted(plan.versions)
    if "desc" in call.query.get("$orderby", "").lower():
        names.reverse()
    names = names[: whole_number(call, "$top")]
    rows: list[Json] = []
    for name in names:
        row: Json = {
            "location": location,
            "name": name,
            "id": version_id(call.sub, location, plan, name),
        }
        if call.expands("properties"):
            row = {"properties": _summary(plan), "extendedLocation": None, **row}
        rows.append(row)
    return Reply(body=rows)


def _summary(plan: Plan) -> Json:
    return {
        "hyperVGeneration": plan.generation,
        "architecture": "x64",
        "replicaType": "Unmanaged",
        "replicaCount": None,
    }


def _version(cloud: "Cloud", call: Call) -> Reply:
    plan = _plan(cloud, call)
    name = call.params["version"]
    if name not in plan.versions:
        raise artifact_not_found()
    location = require_region(call.params["location"])
    gigabyte = 1024**3
    properties: Json = {
        "hyperVGeneration": plan.generation,
        "architecture": "x64",
        "replicaType": "Unmanaged",
        "disallowed": {"vmDiskType": "None"},
        "automaticOSUpgradeProperties": {"automaticOSUpgradeSupported": True},
        "imageDeprecationStatus": plan.deprecations.get(name, {"imageState": "Active"}),
        "features": [
            {"name": "SecurityType", "value": "TrustedLaunchSupported"},
            {"name": "IsAcceleratedNetworkSupported", "value": "True"},
            {"name": "DiskControllerTypes", "value": "SCSI, NVMe"},
        ],
        "osDiskImage": {
            "operatingSystem": plan.os,
            "sizeInGb": plan.size_gb,
            "sizeInBytes": plan.size_gb * gigabyte + 512,
        },
        "dataDiskImages": [],
    }
    return Reply(
        body={
            "properties": properties,
            "location": location,
            "name": name,
            "id": version_id(call.sub, location, plan, name),
        }
    )


_SKUS = _BASE + "/{offer}/skus"
ROUTES = [
    Route(
        "VirtualMachineImages_ListPublishers",
        "GET",
        "/subscriptions/{sub}/providers/Microsoft.Compute/locations/{location}/publishers",
        _publishers,
        VERSIONS,
    ),
    Route("VirtualMachineImages_ListOffers", "GET", _BASE, _offers, VERSIONS),
    Route("VirtualMachineImages_ListSkus", "GET", _SKUS, _skus, VERSIONS),
    Route("VirtualMachineImages_List", "GET", _SKUS + "/{sku}/versions", _versions, VERSIONS),
    Route(
        "VirtualMachineImages_Get",
        "GET",
        _SKUS + "/{sku}/versions/{version}",
        _version,
        VERSIONS,
    ),
]
