"""Compute Gallery: galleries and image definitions."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from localcloud.arm.errors import ArmError, bad_request, conflict
from localcloud.arm.gallery_sharing import sharing_profile
from localcloud.arm.ids import compute_id
from localcloud.arm.operations import Family, OperationError
from localcloud.arm.regions import require_region
from localcloud.arm.requests import (
    body_of,
    page,
    properties_of,
    require,
    require_parent,
    scope_of,
    tags_of,
)
from localcloud.arm.routing import GROUP, Call, Reply, Route
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

VERSIONS = frozenset(
    {"2021-10-01", "2022-03-03", "2022-08-03", "2023-07-03", "2024-03-03", "2025-03-03"}
) | {"2026-03-03"}
GALLERY = "Microsoft.Compute/galleries"
IMAGE = "Microsoft.Compute/galleries/images"
VERSION = "Microsoft.Compute/galleries/images/versions"
_GALLERIES = GROUP + "/providers/Microsoft.Compute/galleries"
_GALLERY = _GALLERIES + "/{gallery}"
_IMAGE = _GALLERY + "/images/{image}"
_FIXED = ("osType", "osState", "hyperVGeneration", "identifier")


def gallery_id(call: Call) -> str:
    """The id of the gallery in the path."""
    return compute_id(call.sub, call.rg, "galleries", call.params["gallery"])


def image_id(call: Call) -> str:
    """The id of the image definition in the path."""
    name = f"{call.params['gallery']}/{call.params['image']}"
    return compute_id(call.sub, call.rg, "galleries/images", name)


def _gallery(cloud: "Cloud", call: Call) -> Resource:
    return require(cloud, gallery_id(call), GALLERY, call.params["gallery"], call.rg)


def image_of(cloud: "Cloud", call: Call) -> Resource:
    """The image definition in the path; raises ArmError (404) where there is none."""
    name = f"{call.params['gallery']}/{call.params['image']}"
    return require(cloud, image_id(call), IMAGE, name, call.rg)


def settle(
    cloud: "Cloud", call: Call, resource: Resource, duration: str, *, fresh: bool
) -> dict[str, str]:
    """Run the write of a gallery resource to its end; returns the reply's headers."""
    resource.properties["provisioningState"] = "Creating" if fresh else "Updating"
    call.creates = fresh

    def done(failure: OperationError | None) -> OperationError | None:
        resource.properties["provisioningState"] = "Failed" if failure else "Succeeded"
        return failure

    operation = cloud.operations.run(
        call, Family.GALLERY, resource.body["location"], resource.id, duration=duration, done=done
    )
    retry = 60 if resource.type == VERSION else None
    return cloud.operations.headers(call, operation, retry=retry)


def remove(cloud: "Cloud", call: Call, resource: Resource, duration: str) -> Reply:
    """Delete a gallery resource in the background."""
    resource.properties["provisioningState"] = "Deleting"

    def done(failure: OperationError | None) -> OperationError | None:
        if failure is None:
            cloud.store.delete(resource.id)
        else:
            resource.properties["provisioningState"] = "Failed"
        return failure

    operation = cloud.operations.run(
        call, Family.GALLERY, resource.body["location"], resource.id, duration=duration, done=done
    )
    retry = 60 if resource.type == VERSION else None
    headers = cloud.operations.headers(call, operation, location=True, retry=retry)
    return Reply(HTTPStatus.ACCEPTED, headers=headers)


def _put_gallery(cloud: "Cloud", call: Call) -> Reply:
    location = require_region(call.body.get("location"))
    target = gallery_id(call)
    name = call.params["gallery"]
    if "-" in name:
        raise bad_request("InvalidParameter", f"The gallery name '{name}' has a '-' in it.")
    existing = cloud.store.get(target)
    properties: Json = properties_of(call)
    _share(cloud, properties, existing)
    properties["identifier"] = {"uniqueName": f"{call.sub}-{name.upper()}"}
    body: Json = {
        "name": name,
        "id": target,
        "type": GALLERY,
        "location": location,
        **({"tags": tags_of(call)} if "tags" in call.body else {}),
        "properties": properties,
    }
    gallery = cloud.store.put(Resource(target, GALLERY, body))
    headers = settle(cloud, call, gallery, "gallery", fresh=existing is None)
    return Reply(_written(existing), body, headers)


def _share(cloud: "Cloud", properties: Json, existing: Resource | None) -> None:
    if "sharingProfile" in properties:
        current = existing.properties.get("sharingProfile") if existing else None
        asked = properties["sharingProfile"]
        properties["sharingProfile"] = sharing_profile(cloud, asked, current or {})


def _written(existing: Resource | None) -> int:
    return HTTPStatus.OK if existing else HTTPStatus.CREATED


def _get_gallery(cloud: "Cloud", call: Call) -> Reply:
    return Reply(body=_gallery(cloud, call).body)


def _patch_gallery(cloud: "Cloud", call: Call) -> Reply:
    gallery = _gallery(cloud, call)
    if "tags" in call.body:
        gallery.body["tags"] = tags_of(call)
    properties = properties_of(call)
    _share(cloud, properties, gallery)
    gallery.properties.update(properties)
    return Reply(body=gallery.body, headers=settle(cloud, call, gallery, "gallery", fresh=False))


def _list_galleries(cloud: "Cloud", call: Call) -> Reply:
    return page(cloud, call, list(cloud.store.of_type(GALLERY, scope_of(call))), body_of)


def _delete_gallery(cloud: "Cloud", call: Call) -> Reply:
    gallery = cloud.store.get(gallery_id(call))
    if gallery is None:
        return Reply(HTTPStatus.NO_CONTENT)
    _refuse_nested(cloud, gallery, IMAGE)
    return remove(cloud, call, gallery, "gallery")


def _refuse_nested(cloud: "Cloud", resource: Resource, nested: str) -> None:
    if next(cloud.store.of_type(nested, resource.id), None) is not None:
        raise conflict(
            "CannotDeleteResource",
            "Can not delete resource before nested resources are deleted.",
        )


def _put_image(cloud: "Cloud", call: Call) -> Reply:
    require_parent(cloud, gallery_id(call))
    location = require_region(call.body.get("location"))
    target = image_id(call)
    properties: Json = {"hyperVGeneration": "V1", "architecture": "x64", **properties_of(call)}
    for key in ("osType", "osState", "identifier"):
        if key not in properties:
            raise bad_request("InvalidParameter", f"Required parameter '{key}' is missing (null).")
    properties.pop("disallowed", None)
    existing = cloud.store.get(target)
    if existing is not None:
        _refuse_change(existing, properties)
    body: Json = {
        "name": call.params["image"],
        "id": target,
        "type": IMAGE,
        "location": location,
        **({"tags": tags_of(call)} if "tags" in call.body else {}),
        "properties": properties,
    }
    image = cloud.store.put(Resource(target, IMAGE, body))
    headers = settle(cloud, call, image, "gallery_image", fresh=existing is None)
    return Reply(_written(existing), body, headers)


def _refuse_change(existing: Resource, properties: Json) -> None:
    for key in _FIXED:
        if key in properties and properties[key] != existing.properties.get(key):
            raise ArmError(
                HTTPStatus.CONFLICT,
                "PropertyChangeNotAllowed",
                f"Changing property 'galleryImage.properties.{key}' is not allowed.",
                target=f"galleryImage.properties.{key}",
            )


def _get_image(cloud: "Cloud", call: Call) -> Reply:
    return Reply(body=image_of(cloud, call).body)


def _patch_image(cloud: "Cloud", call: Call) -> Reply:
    image = image_of(cloud, call)
    properties = properties_of(call)
    _refuse_change(image, properties)
    if "tags" in call.body:
        image.body["tags"] = tags_of(call)
    image.properties.update(properties)
    headers = settle(cloud, call, image, "gallery_image", fresh=False)
    return Reply(body=image.body, headers=headers)


def _list_images(cloud: "Cloud", call: Call) -> Reply:
    gallery = _gallery(cloud, call)
    return page(cloud, call, list(cloud.store.of_type(IMAGE, gallery.id)), body_of)


def _delete_image(cloud: "Cloud", call: Call) -> Reply:
    image = cloud.store.get(image_id(call))
    if image is None:
        return Reply(HTTPStatus.NO_CONTENT)
    _refuse_nested(cloud, image, VERSION)
    return remove(cloud, call, image, "gallery_image")


_W, _D = "Microsoft.Compute/galleries/write", "Microsoft.Compute/galleries/delete"
_IW, _ID = "Microsoft.Compute/galleries/images/write", "Microsoft.Compute/galleries/images/delete"
_ALL = "/subscriptions/{sub}/providers/Microsoft.Compute/galleries"
ROUTES = [
    Route("Galleries_CreateOrUpdate", "PUT", _GALLERY, _put_gallery, VERSIONS, _W),
    Route("Galleries_Update", "PATCH", _GALLERY, _patch_gallery, VERSIONS, _W),
    Route("Galleries_Get", "GET", _GALLERY, _get_gallery, VERSIONS),
    Route("Galleries_Delete", "DELETE", _GALLERY, _delete_gallery, VERSIONS, _D),
    Route("Galleries_ListByResourceGroup", "GET", _GALLERIES, _list_galleries, VERSIONS),
    Route("Galleries_List", "GET", _ALL, _list_galleries, VERSIONS),
    Route("GalleryImages_CreateOrUpdate", "PUT", _IMAGE, _put_image, VERSIONS, _IW),
    Route("GalleryImages_Update", "PATCH", _IMAGE, _patch_image, VERSIONS, _IW),
    Route("GalleryImages_Get", "GET", _IMAGE, _get_image, VERSIONS),
    Route("GalleryImages_Delete", "DELETE", _IMAGE, _delete_image, VERSIONS, _ID),
    Route("GalleryImages_ListByGallery", "GET", _GALLERY + "/images", _list_images, VERSIONS),
]
