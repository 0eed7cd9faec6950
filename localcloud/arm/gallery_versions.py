"""Compute Gallery: image versions."""

import re
from copy import deepcopy
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from localcloud.arm.errors import ArmError, bad_request, conflict
from localcloud.arm.gallery import VERSION, VERSIONS, image_id, image_of, remove, settle
from localcloud.arm.guests import Guest
from localcloud.arm.ids import compute_id
from localcloud.arm.regions import require_region, short_name
from localcloud.arm.requests import page, properties_of, require, require_parent, tags_of
from localcloud.arm.routing import GROUP, Call, Reply, Route
from localcloud.arm.store import Json, Resource
from localcloud.arm.version_models import (
    LINUX_GB,
    WINDOWS_GB,
    plan_replicas,
    published_now,
    publishing_profile,
    replication_status,
    safety_profile,
)

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

_PATH = GROUP + "/providers/Microsoft.Compute/galleries/{gallery}/images/{image}/versions"
_NAME = re.compile(r"\d{1,10}\.\d{1,10}\.\d{1,10}")


def version_id(call: Call) -> str:
    """The id of the image version in the path."""
    name = f"{call.params['gallery']}/{call.params['image']}/{call.params['version']}"
    return compute_id(call.sub, call.rg, "galleries/images/versions", name)


def version_of(cloud: "Cloud", call: Call) -> Resource:
    """The image version in the path; raises ArmError (404) where there is none."""
    name = f"{call.params['gallery']}/{call.params['image']}/{call.params['version']}"
    return require(cloud, version_id(call), VERSION, name, call.rg)


def _put(cloud: "Cloud", call: Call) -> Reply:
    image = require_parent(cloud, image_id(call))
    name = call.params["version"]
    if not _NAME.fullmatch(name):
        raise bad_request("InvalidParameter", f"The version '{name}' is not Major.Minor.Patch.")
    require_region(call.body.get("location"))
    existing = cloud.store.get(version_id(call))
    if existing is None:
        version = _create(cloud, call, image)
        headers = settle(cloud, call, version, "version_write", fresh=True)
        return Reply(HTTPStatus.CREATED, _shown(version), headers)
    if "tags" in call.body:
        existing.body["tags"] = tags_of(call)
    _update(cloud, existing, properties_of(call))
    headers = settle(cloud, call, existing, "version_write", fresh=False)
    return Reply(body=_shown(existing), headers=headers)


def _shown(version: Resource) -> Json:
    body = deepcopy(version.body)
    # Recorded: until the version is made, its storage profile is what was asked for.
    if body["properties"]["provisioningState"] == "Creating":
        body["properties"]["storageProfile"] = deepcopy(version.facts["asked_storage"])
    return body


def _create(cloud: "Cloud", call: Call, image: Resource) -> Resource:
    properties = properties_of(call)
    storage = properties.get("storageProfile") or {}
    source = _source_id(storage)
    if not source:
        raise bad_request(
            "InvalidParameter", "Required parameter 'storageProfile.source.id' is missing (null)."
        )
    return make_version(
        cloud,
        image,
        call.params["version"],
        tags=tags_of(call) if "tags" in call.body else None,
        profile=properties.get("publishingProfile") or {},
        safety=properties.get("safetyProfile") or {},
        storage=storage,
        guest=_guest_of(cloud, source, image),
    )


def make_version(
    cloud: "Cloud",
    image: Resource,
    name: str,
    *,
    tags: Json | None,
    profile: Json,
    safety: Json,
    storage: Json,
    guest: Guest,
) -> Resource:
    """Store a new version of an image definition, in its definition's region."""
    location = str(image.body["location"])
    target = f"{image.id}/versions/{name}"
    body: Json = {"name": name, "id": target, "type": VERSION, "location": location}
    if tags is not None:
        body["tags"] = tags
    body["properties"] = {
        "publishingProfile": publishing_profile(profile, location, published_now(cloud)),
        "storageProfile": _storage(storage, image),
        "safetyProfile": safety_profile(safety),
        "provisioningState": "Creating",
    }
    version = Resource(target, VERSION, body, facts={"guest": guest})
    version.facts["asked_storage"] = _asked(storage)
    plan_replicas(cloud, version)
    return cloud.store.put(version)


def _asked(storage: Json) -> Json:
    disk = storage.get("osDiskImage")
    return {**storage, "osDiskImage": {"hostCaching": "ReadWrite", **disk}} if disk else storage


def _storage(storage: Json, image: Resource) -> Json:
    size = WINDOWS_GB if image.properties["osType"] == "Windows" else LINUX_GB
    disk = {"sizeInGB": size, "hostCaching": "ReadWrite", "source": {}}
    return {**storage, "osDiskImage": {**disk, **(storage.get("osDiskImage") or {})}}


def _source_id(storage: Json) -> str:
    source = storage.get("source") or (storage.get("osDiskImage") or {}).get("source") or {}
    return str(source.get("id") or source.get("virtualMachineId") or source.get("uri") or "")


def _guest_of(cloud: "Cloud", source: str, image: Resource) -> Guest:
    known = cloud.store.get(source)
    if known is not None and isinstance(known.facts.get("guest"), Guest):
        guest: Guest = known.facts["guest"]
        return guest.copy()
    return Guest(os=str(image.properties["osType"]))


def _update(cloud: "Cloud", version: Resource, properties: Json) -> None:
    _refuse_new_source(version, properties.get("storageProfile") or {})
    current = version.properties["publishingProfile"]
    asked = properties.get("publishingProfile")
    if asked is not None:
        if asked.get("replicationMode") not in {None, current.get("replicationMode")}:
            raise _not_allowed("galleryImageVersion.properties.publishingProfile.replicationMode")
        location = str(version.body["location"])
        kept = {
            key: current[key]
            for key in ("endOfLifeDate", "replicationMode", "excludeFromLatest")
            if key in current
        }
        version.properties["publishingProfile"] = publishing_profile(
            {**kept, **asked}, location, current["publishedDate"]
        )
        plan_replicas(cloud, version)
    if "safetyProfile" in properties:
        merged = {**version.properties["safetyProfile"], **properties["safetyProfile"]}
        version.properties["safetyProfile"] = safety_profile(merged)


def _refuse_new_source(version: Resource, storage: Json) -> None:
    asked = _source_id(storage)
    if asked and asked.lower() != _source_id(version.properties["storageProfile"]).lower():
        raise _not_allowed("galleryImageVersion.properties.storageProfile.source.id")


def _not_allowed(target: str) -> ArmError:
    return conflict(
        "PropertyChangeNotAllowed", f"Changing property '{target}' is not allowed.", target=target
    )


def _patch(cloud: "Cloud", call: Call) -> Reply:
    version = version_of(cloud, call)
    if "tags" in call.body:
        version.body["tags"] = tags_of(call)
    _update(cloud, version, properties_of(call))
    headers = settle(cloud, call, version, "version_write", fresh=False)
    return Reply(body=version.body, headers=headers)


def _get(cloud: "Cloud", call: Call) -> Reply:
    version = version_of(cloud, call)
    body = _shown(version)
    if call.expands("ReplicationStatus"):
        body["properties"]["replicationStatus"] = replication_status(cloud, version)
    return Reply(body=body)


def _list(cloud: "Cloud", call: Call) -> Reply:
    image = image_of(cloud, call)
    return page(cloud, call, versions_under(cloud, image.id), _shown)


def _delete(cloud: "Cloud", call: Call) -> Reply:
    version = cloud.store.get(version_id(call))
    if version is None:
        return Reply(HTTPStatus.NO_CONTENT)
    blocked = version.properties["safetyProfile"].get("blockDeletionBeforeEndOfLife")
    until = version.properties["publishingProfile"].get("endOfLifeDate")
    if blocked and until and _moment(until) > cloud.clock.now():
        raise conflict(
            "DeleteGalleryImageVersionBlockedBeforeEndOfLife",
            f"The gallery image version '{version.id}' cannot be deleted before its end of life "
            f"date '{until}', because blockDeletionBeforeEndOfLife is set.",
        )
    return remove(cloud, call, version, "version_delete")


def _moment(text: Any) -> datetime:
    moment = datetime.fromisoformat(str(text))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def versions_under(cloud: "Cloud", image: str) -> list[Resource]:
    """All versions of an image definition."""
    return list(cloud.store.of_type(VERSION, image))


def region_entry(version: Resource, region: str) -> Json | None:
    """The target region of a version, whatever the form of the name; None where it is not one."""
    for entry in version.properties["publishingProfile"]["targetRegions"]:
        if short_name(entry["name"]) == short_name(region):
            found: Json = entry
            return found
    return None


_WRITE = "Microsoft.Compute/galleries/images/versions/write"
_DELETE = "Microsoft.Compute/galleries/images/versions/delete"
_ONE = _PATH + "/{version}"
ROUTES = [
    Route("GalleryImageVersions_CreateOrUpdate", "PUT", _ONE, _put, VERSIONS, _WRITE),
    Route("GalleryImageVersions_Update", "PATCH", _ONE, _patch, VERSIONS, _WRITE),
    Route("GalleryImageVersions_Get", "GET", _ONE, _get, VERSIONS),
    Route("GalleryImageVersions_Delete", "DELETE", _ONE, _delete, VERSIONS, _DELETE),
    Route("GalleryImageVersions_ListByGalleryImage", "GET", _PATH, _list, VERSIONS),
]
