"""What must be there before a recorded request, because its recording begins in the middle."""

import re
from copy import deepcopy
from datetime import timedelta
from typing import Any

import aiohttp

from localcloud.arm import ArmSimulator
from localcloud.arm.marketplace import Plan
from localcloud.arm.policy import PolicyState
from tests.conformance.samples import Interaction

_TOKEN = {"Authorization": "Bearer a-token"}
_HOURS = timedelta(hours=3)
_INSTANCE = re.compile(r"/virtualMachineScaleSets/[^/]+/virtualMachines", re.IGNORECASE)
_MACHINE = re.compile(r"/virtualMachines/[^/]+$", re.IGNORECASE)
_PLATFORM = re.compile(
    r"/publishers/([^/]+)(?:/artifacttypes/vmimage/offers(?:/([^/]+)(?:/skus(?:/([^/]+))?)?)?)?",
    re.IGNORECASE,
)


async def prepare(
    sim: ArmSimulator,
    session: aiohttp.ClientSession,
    recorded: Interaction,
    rest: list[Interaction],
) -> None:
    """Make what the request needs; what the recording makes itself is left alone."""
    if "/imageTemplates/" in recorded.path and sim.cloud.store.get(recorded.path) is None:
        await _template(sim, session, recorded)
    if "/publishers" in recorded.path and recorded.status == 200:
        _plans(sim, recorded)
    if recorded.method == "PUT" and recorded.path.count("/virtualMachineScaleSets/"):
        profile = recorded.body["properties"]["virtualMachineProfile"]
        _reachable(sim, profile["storageProfile"]["imageReference"])
    if recorded.method == "GET" and recorded.status == 200:
        await _machines(sim, session, recorded, rest)
    if recorded.path.endswith("/queryResults"):
        _states(sim, recorded)


async def _put(
    sim: ArmSimulator, session: aiohttp.ClientSession, path: str, version: str, body: Any
) -> None:
    if sim.cloud.store.get(path) is not None:
        return
    url = f"{sim.base_url}{path}?api-version={version}"
    async with session.put(url, json=body, headers=_TOKEN) as response:
        assert response.status in {200, 201}, await response.text()
    sim.cloud.scheduler.advance(_HOURS)


async def _template(
    sim: ArmSimulator, session: aiohttp.ClientSession, recorded: Interaction
) -> None:
    if recorded.method == "POST":
        # A recording that begins with the run: its template was an ordinary one.
        path = recorded.path.rsplit("/", 1)[0]
        if sim.cloud.store.get(path) is None:
            await _put(sim, session, path, "2023-07-01", _ordinary_template(path))
        return
    asked = (recorded.body or {}).get("properties", {})
    _reachable(sim, asked.get("source", {}))
    for target in asked.get("distribute", []):
        image = target.get("galleryImageId")
        if image and sim.cloud.store.get(image) is None:
            await _gallery_image(sim, session, image, recorded.body["location"])


def _ordinary_template(path: str) -> Any:
    subscription = path.split("/")[2]
    group = f"/subscriptions/{subscription}/resourceGroups/some"
    identity = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/some"
    return {
        "location": "eastus",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}},
        "properties": {
            "source": {
                "type": "PlatformImage",
                "publisher": "Canonical",
                "offer": "UbuntuServer",
                "sku": "18.04-LTS",
                "version": "latest",
            },
            "distribute": [
                {
                    "type": "ManagedImage",
                    "runOutputName": "some",
                    "imageId": f"{group}/providers/Microsoft.Compute/images/some",
                    "location": "eastus",
                }
            ],
        },
    }


async def _gallery_image(
    sim: ArmSimulator, session: aiohttp.ClientSession, image: str, location: str
) -> None:
    await _put(
        sim, session, image.split("/images/", maxsplit=1)[0], "2023-07-03", {"location": location}
    )
    properties = {
        "osType": "Linux",
        "osState": "Generalized",
        "identifier": {"publisher": "p", "offer": "o", "sku": "s"},
    }
    await _put(sim, session, image, "2023-07-03", {"location": location, "properties": properties})


def _plans(sim: ArmSimulator, recorded: Interaction) -> None:
    found = _PLATFORM.search(recorded.path)
    if found is None:
        return
    publisher, offer, sku = (part or "any" for part in found.groups())
    rows = recorded.answer if isinstance(recorded.answer, list) else [recorded.answer]
    versions = [row["name"] for row in rows] if "/versions" in recorded.path else []
    _plan(sim, publisher, offer, sku, versions or ["1.0.0"])


def _plan(sim: ArmSimulator, publisher: str, offer: str, sku: str, versions: list[str]) -> None:
    market = sim.cloud.marketplace
    plan = market.find(publisher, offer, sku)
    if plan is None:
        system = "Windows" if "Windows" in publisher else "Linux"
        plan = Plan(publisher, offer, sku, system)
        market.add(plan)
    plan.versions += [version for version in versions if version not in plan.versions]


async def _machines(
    sim: ArmSimulator,
    session: aiohttp.ClientSession,
    recorded: Interaction,
    rest: list[Interaction],
) -> None:
    if _INSTANCE.search(recorded.path) or "/virtualMachineScaleSets/" in recorded.path:
        await _scale_set(sim, session, recorded, rest)
    elif _MACHINE.search(recorded.path) or recorded.path.endswith("/virtualMachines"):
        rows = recorded.answer.get("value", [recorded.answer])
        for row in rows:
            if sim.cloud.store.get(row["id"]) is None:
                _reachable(sim, row["properties"]["storageProfile"]["imageReference"])
                await _put(sim, session, row["id"], "2024-07-01", _machine_request(row))


def _reachable(sim: ArmSimulator, reference: Any) -> None:
    if "publisher" in reference:
        asked = reference.get("version", "latest")
        exact = reference.get("exactVersion") or ("1.0.0" if asked == "latest" else asked)
        _plan(sim, reference["publisher"], reference["offer"], reference["sku"], [exact])
    if "sharedGalleryImageId" in reference:
        _rename_shared(sim, reference["sharedGalleryImageId"].split("/")[2])


def _rename_shared(sim: ArmSimulator, unique_name: str) -> None:
    """Give the shared gallery the unique name that the recording, scrubbed, has elsewhere only."""
    for gallery in sim.cloud.store.of_type("Microsoft.Compute/galleries"):
        if gallery.properties.get("sharingProfile", {}).get("permissions") == "Groups":
            gallery.properties["identifier"]["uniqueName"] = unique_name


def _machine_request(row: Any) -> Any:
    row = deepcopy(row)
    properties = row["properties"]
    reference = properties["storageProfile"]["imageReference"]
    reference.pop("exactVersion", None)
    for key in ("provisioningState", "vmId", "instanceView", "timeCreated"):
        properties.pop(key, None)
    return {
        key: row[key]
        for key in ("location", "tags", "identity", "properties", "zones")
        if key in row
    }


async def _scale_set(
    sim: ArmSimulator,
    session: aiohttp.ClientSession,
    recorded: Interaction,
    rest: list[Interaction],
) -> None:
    path = re.sub(r"(/virtualMachineScaleSets/[^/]+).*", r"\1", recorded.path)
    if sim.cloud.store.get(path) is not None:
        return
    model = next((each for each in rest if each.path == path and each.status == 200), None)
    if model is None or model.method != "GET":
        return
    body = deepcopy(model.answer)
    profile = body["properties"]["virtualMachineProfile"]
    _reachable(sim, profile["storageProfile"]["imageReference"])
    # Azure overprovisions, so numbers have gaps: make enough instances to have the ones asked for.
    body["sku"]["capacity"] = 4
    request = {key: body[key] for key in ("location", "tags", "sku", "properties")}
    await _put(sim, session, path, "2024-07-01", request)


def _states(sim: ArmSimulator, recorded: Interaction) -> None:
    for row in recorded.answer["value"]:
        sim.cloud.policy_states.put(
            PolicyState(
                resource_id=row["resourceId"],
                assignment=row["policyAssignmentId"],
                definition=row["policyDefinitionId"],
                reference=row["policyDefinitionReferenceId"],
                state=row["complianceState"],
            )
        )
