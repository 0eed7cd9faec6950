"""Our Compute Gallery: image definitions and versions."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

from shared.domain.identifiers import normalise_id, normalise_region, parse_resource_id
from shared.domain.image_definition import ImageDefinition
from shared.errors import NotFoundError, UnavailableError
from shared.gateways.clients import AzureClients
from shared.gateways.errors import found, translated
from shared.gateways.words import word
from shared.ports import GalleryVersion, Publishing
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.mgmt.compute import types
    from azure.mgmt.compute.models import GalleryImageVersion, RegionalReplicationStatus

_SOON = timedelta(seconds=5)
"""How long an image definition takes to be made, about."""


def gallery_image_id(settings: Settings, definition: ImageDefinition) -> str:
    """Return the normalised id of the gallery image definition of *definition*."""
    return normalise_id(
        f"/subscriptions/{settings.subscription_id}/resourceGroups/{settings.resource_group}"
        f"/providers/Microsoft.Compute/galleries/{settings.gallery}/images/{definition.name}"
    )


class GalleryGateway:
    """Image definitions and versions of the gallery named in the settings."""

    def __init__(self, clients: AzureClients, settings: Settings) -> None:
        self._clients = clients
        self._settings = settings

    def image_id(self, definition: ImageDefinition) -> str:
        """Return the normalised id of the gallery image definition of *definition*."""
        return gallery_image_id(self._settings, definition)

    async def ensure_image(self, definition: ImageDefinition) -> None:
        """Create the gallery image definition where it is missing.

        Raises UnavailableError while Azure still makes it.
        """
        images = self._clients.compute().gallery_images
        where = (self._settings.resource_group, self._settings.gallery, definition.name)
        image = await found(images.get(*where), f"read the gallery image {definition.name}")
        state = word(image.provisioning_state) if image else ""
        if state == "Succeeded":
            return
        if state in ("", "Failed"):
            body = _image_body(definition, self._settings.location)
            with translated(f"create the gallery image {definition.name}"):
                await images.begin_create_or_update(*where, body, polling=False)
        raise UnavailableError(
            f"gallery image {definition.name} is being created; try again", after=_SOON
        )

    async def version(self, image_id: str, version: str) -> GalleryVersion | None:
        """Read a version with its replication; None when it does not exist."""
        versions = self._clients.compute().gallery_image_versions
        call = versions.get(*_where(image_id), version, expand="ReplicationStatus")
        answer = await found(call, f"read version {version} of {image_id}")
        if answer is None:
            return None
        return read_version(answer, f"{normalise_id(image_id)}/versions/{version}")

    async def versions(self, image_id: str) -> list[str]:
        """List the version numbers the gallery holds; none when it lacks the image."""
        versions = self._clients.compute().gallery_image_versions
        try:
            with translated(f"list the versions of {image_id}"):
                pages = versions.list_by_gallery_image(*_where(image_id))
                return [str(v.name) async for v in pages]
        except NotFoundError:
            return []

    async def tag(self, image_id: str, version: str, tags: dict[str, str]) -> None:
        """Add *tags* to those of a version; no call when it has them already.

        Raises NotFoundError when the version does not exist.
        """
        versions = self._clients.compute().gallery_image_versions
        where = (*_where(image_id), version)
        with translated(f"tag version {version} of {image_id}"):
            present = (await versions.get(*where)).tags or {}
            if tags.items() <= present.items():
                return
            # PATCH replaces the tags as a whole, and leaves everything else alone; the published
            # specification wants the storage profile named, though it may be empty.
            body: types.GalleryImageVersionUpdate = {
                "tags": present | tags,
                "properties": {"storageProfile": {}},
            }
            await versions.begin_update(*where, body, polling=False)

    async def set_publishing(self, image_id: str, version: str, publishing: Publishing) -> None:
        """Ask for *publishing*, with the full list of regions.

        Always the full list: Azure takes a partial one as an order to remove the other regions
        (https://github.com/Azure/azure-cli/issues/24099). A PATCH with an empty storage profile
        leaves source, tags and safety profile as they are (Azure REST API specifications:
        GalleryImageVersion_Update_WithoutSourceId).

        Raises NotFoundError when the version does not exist.
        """
        body = _publishing_body(publishing)
        with translated(f"set how version {version} of {image_id} is published"):
            await self._clients.compute().gallery_image_versions.begin_update(
                *_where(image_id), version, body, polling=False
            )

    async def delete(self, image_id: str, version: str) -> None:
        """Ask for the deletion of a version; no error when it is gone or going.

        Raises RefusedError before its end of life, when deletion is blocked until then.
        """
        versions = self._clients.compute().gallery_image_versions
        where = (*_where(image_id), version)
        doing = f"delete version {version} of {image_id}"
        present = await found(versions.get(*where), doing)
        if present is None or word(present.provisioning_state) == "Deleting":
            return
        with translated(doing):
            await versions.begin_delete(*where, polling=False)


def _publishing_body(publishing: Publishing) -> "types.GalleryImageVersionUpdate":
    regions: list[types.TargetRegion] = [
        {
            "name": name,
            "regionalReplicaCount": replicas,
            "storageAccountType": "Standard_LRS",
            "excludeFromLatest": name in publishing.excluded_regions,
        }
        for name, replicas in publishing.regions.items()
    ]
    profile: types.GalleryImageVersionPublishingProfile = {
        "targetRegions": regions,
        "excludeFromLatest": publishing.excluded_from_latest,
    }
    if publishing.end_of_life is not None:
        profile["endOfLifeDate"] = _timestamp(publishing.end_of_life)
    properties: types.GalleryImageVersionProperties = {
        "publishingProfile": profile,
        "storageProfile": {},
    }
    if publishing.block_deletion is not None:
        # The SDK's type asks for fields that are Azure's own to write.
        properties["safetyProfile"] = cast(
            "types.GalleryImageVersionSafetyProfile",
            {
                "allowDeletionOfReplicatedLocations": False,
                "blockDeletionBeforeEndOfLife": publishing.block_deletion,
            },
        )
    body: types.GalleryImageVersionUpdate = {"properties": properties}
    if publishing.tags is not None:
        body["tags"] = publishing.tags
    return body


def _timestamp(moment: datetime) -> str:
    """Return *moment* as Azure writes dates: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _where(image_id: str) -> tuple[str, str, str]:
    parsed = parse_resource_id(image_id)
    return parsed.resource_group, parsed.names[0], parsed.names[1]


def _image_body(definition: ImageDefinition, location: str) -> "types.GalleryImage":
    body: types.GalleryImage = {
        "location": location,
        "tags": {},
        "properties": {
            "description": definition.description,
            "osType": definition.os.value.capitalize(),
            "osState": "Generalized",
            "hyperVGeneration": definition.hyper_v_generation,
            "architecture": definition.architecture,
            "identifier": {
                "publisher": definition.publisher,
                "offer": definition.offer,
                "sku": definition.sku,
            },
        },
    }
    if definition.security_type:
        feature: types.GalleryImageFeature = {
            "name": "SecurityType",
            "value": definition.security_type,
        }
        body["properties"]["features"] = [feature]
    return body


def read_version(answer: "GalleryImageVersion", resource_id: str) -> GalleryVersion:
    """Return what *answer*, read with its replication, says of the version *resource_id*.

    Azure writes regions long and short within one answer; here they are all short.
    """
    profile = answer.publishing_profile
    targets = (profile.target_regions or []) if profile else []
    status = answer.replication_status
    summary = (status.summary or []) if status else []
    safety = answer.safety_profile
    return GalleryVersion(
        resource_id=resource_id,
        provisioning_state=word(answer.provisioning_state),
        excluded_from_latest=bool(profile and profile.exclude_from_latest),
        regions={normalise_region(t.name): t.regional_replica_count or 1 for t in targets},
        excluded_regions=frozenset(
            normalise_region(t.name) for t in targets if t.exclude_from_latest
        ),
        replicated=_regions_in("Completed", summary),
        failed_regions=_regions_in("Failed", summary),
        tags=dict(answer.tags or {}),
        end_of_life=profile.end_of_life_date if profile else None,
        deletion_blocked=bool(safety and safety.block_deletion_before_end_of_life),
    )


def _regions_in(state: str, summary: "list[RegionalReplicationStatus]") -> frozenset[str]:
    return frozenset(normalise_region(r.region or "") for r in summary if r.state == state)
