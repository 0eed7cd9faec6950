"""Azure Image Builder: what a run leaves behind."""

from typing import TYPE_CHECKING

from localcloud.arm.errors import bad_request, conflict
from localcloud.arm.events import ResourceChange, change_event
from localcloud.arm.gallery_versions import make_version, versions_under
from localcloud.arm.guests import Guest
from localcloud.arm.ids import compute_id, group_of, last_segment
from localcloud.arm.image_models import managed_image
from localcloud.arm.marketplace import numeric
from localcloud.arm.regions import short_name
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

OUTPUT_TYPE = "Microsoft.VirtualMachineImages/imageTemplates/runOutputs"
_VERSION_WRITE = "Microsoft.Compute/galleries/images/versions/write"


def distribute(cloud: "Cloud", template: Resource) -> None:
    """Make every output of a template; raises ArmError where the gallery refuses one."""
    guest = _guest(cloud, template)
    for target in template.properties["distribute"]:
        if target["type"] == "SharedImage":
            artifact = {"artifactId": _gallery_version(cloud, template, target, guest).id}
        elif target["type"] == "ManagedImage":
            artifact = {"artifactId": _managed_image(cloud, target, guest).id}
        else:
            artifact = {"artifactUri": _blob(cloud)}
        name = str(target["runOutputName"])
        output = f"{template.id}/runOutputs/{name}"
        body: Json = {
            "properties": {**artifact, "provisioningState": "Succeeded"},
            "id": output,
            "name": name,
            "type": OUTPUT_TYPE,
        }
        cloud.store.put(Resource(output, OUTPUT_TYPE, body))


def distribute_late(cloud: "Cloud", template: Resource) -> None:
    """Make the gallery versions, but leave them replicating and tell of no output.

    So it is when Image Builder's time is up while the gallery still works.
    """
    distribute(cloud, template)
    for output in list(cloud.store.of_type(OUTPUT_TYPE, template.id)):
        version = cloud.store.get(str(output.properties.get("artifactId", "")))
        cloud.store.delete(output.id)
        if version is not None:
            _replicate(cloud, version)


def _replicate(cloud: "Cloud", version: Resource) -> None:
    takes = cloud.clock.duration("replication")
    version.properties["provisioningState"] = "Creating"
    ready = cloud.clock.now() + takes
    version.facts["replicas"] = dict.fromkeys(version.facts["replicas"], ready)

    def done() -> None:
        version.properties["provisioningState"] = "Succeeded"

    cloud.scheduler.after(takes, done)


def _guest(cloud: "Cloud", template: Resource) -> Guest:
    source = template.properties["source"]
    if source["type"] == "PlatformImage":
        plan = cloud.marketplace.find(source["publisher"], source["offer"], source["sku"])
        urn = f"{source['publisher']}:{source['offer']}:{source['sku']}".lower()
        exact = str(source.get("exactVersion") or source["version"])
        guest = Guest(os=plan.os if plan else "Linux", source=urn, source_version=exact)
    else:
        parent = cloud.store.get(str(source["exactVersion"]))
        guest = parent.facts["guest"].copy() if parent else Guest()
    for customizer in template.properties.get("customize", []):
        guest.customize(customizer)
    return guest


def _gallery_version(cloud: "Cloud", template: Resource, target: Json, guest: Guest) -> Resource:
    image, name = _image_and_name(cloud, template, target)
    correlation = cloud.guids.next()
    version = make_version(
        cloud,
        image,
        name,
        tags={
            **target["artifactTags"],
            "VMImageBuilderSource": _source_text(template.properties["source"]),
            "correlationId": correlation,
        },
        profile=_profile(target, str(image.body["location"])),
        safety={},
        storage=_storage(cloud, template),
        guest=guest.copy(),
    )
    version.properties["provisioningState"] = "Succeeded"
    # Image Builder ends its run only when the regions have their replicas.
    version.facts["replicas"] = dict.fromkeys(version.facts["replicas"], cloud.clock.now())
    change = ResourceChange(version.id, _VERSION_WRITE, "PUT", "", correlation, creates=True)
    cloud.events.publish(change_event(cloud, change, "Succeeded"))
    return version


def _image_and_name(cloud: "Cloud", template: Resource, target: Json) -> tuple[Resource, str]:
    image_id, _, name = str(target["galleryImageId"]).partition("/versions/")
    image = cloud.store.get(image_id)
    if image is None:
        raise bad_request("BadSharedImageDistribute", f"'{image_id}' was not found.")
    scheme = template.facts["versioning"].get(target["runOutputName"]) or {}
    name = name or _next_name(cloud, image_id, scheme.get("major"))
    if cloud.store.get(f"{image.id}/versions/{name}") is not None:
        raise conflict(
            "PropertyChangeNotAllowed",
            "Changing property 'galleryImageVersion.properties.storageProfile.source' is not "
            f"allowed: version {name} exists.",
        )
    return image, name


def _profile(target: Json, location: str) -> Json:
    regions = [
        {
            "name": region["name"],
            "regionalReplicaCount": region["replicaCount"],
            "storageAccountType": region["storageAccountType"],
        }
        for region in target.get("targetRegions") or []
    ]
    names = target.get("replicationRegions") or ([] if regions else [location])
    regions += [{"name": short_name(name)} for name in names]
    return {"targetRegions": regions, "excludeFromLatest": target["excludeFromLatest"]}


def _next_name(cloud: "Cloud", image_id: str, within: int | None) -> str:
    """Azure docs, "versioning": one patch above the highest, of one major version if told so."""
    names = [numeric(version.name) for version in versions_under(cloud, image_id)]
    taken = [name for name in names if within in (None, name[0])]
    if not taken:
        return f"{1 if within is None else within}.0.0"
    major, minor, patch = max(taken)
    return f"{major}.{minor}.{patch + 1}"


def _source_text(source: Json) -> str:
    if source["type"] != "PlatformImage":
        return f"{source['type']} {source['exactVersion']}"
    urn = "::".join(str(source[key]) for key in ("publisher", "offer", "sku", "version"))
    exact = f" ({source['exactVersion']})" if source["version"] == "latest" else ""
    return f"PlatformImage {urn}{exact}"


def _storage(cloud: "Cloud", template: Resource) -> Json:
    group = str(template.properties["exactStagingResourceGroup"]).replace(
        "/resourceGroups/", "/resourcegroups/"
    )
    account = cloud.guids.text(24)
    provider = f"{group}/providers/Microsoft.Storage/storageAccounts"
    uri = _blob(cloud, account)
    return {
        "osDiskImage": {
            "source": {
                "uri": uri,
                "storageAccountId": f"{provider}/{account}",
            }
        }
    }


def _blob(cloud: "Cloud", account: str | None = None) -> str:
    host = f"{account or cloud.guids.text(24)}.blob.core.windows.net"
    return f"https://{host}/vhds/{cloud.guids.next()}.vhd"


def _managed_image(cloud: "Cloud", target: Json, guest: Guest) -> Resource:
    asked = str(target["imageId"])
    name = last_segment(asked)
    subscription = asked.split("/")[2]
    image_id = compute_id(subscription, group_of(asked), "images", name)
    os_disk = {"osType": guest.os, "osState": "Generalized", "blobUri": _blob(cloud)}
    image = managed_image(cloud, image_id, str(target["location"]), os_disk, guest.copy())
    image.body["tags"] = dict(target["artifactTags"])
    return image
