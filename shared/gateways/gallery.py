"""Our Compute Gallery: image definitions and versions."""

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.domain.identifiers import normalise_id, normalise_region, parse_resource_id
from shared.domain.image_definition import ImageDefinition
from shared.errors import NotFoundError, UnavailableError
from shared.gateways.clients import AzureClients
from shared.gateways.errors import found, translated
from shared.gateways.words import word
from shared.ports import GalleryVersion
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

    async def set_publishing(
        self, definition: ImageDefinition, version: str, *, excluded_from_latest: bool
    ) -> None:
        """Send the definition's full region list with *excluded_from_latest*.

        Always the full list: Azure takes a partial one as an order to remove the other regions
        (https://github.com/Azure/azure-cli/issues/24099). A PATCH with an empty storage profile
        leaves source, tags and safety profile as they are (Azure REST API specifications:
        GalleryImageVersion_Update_WithoutSourceId).

        Raises NotFoundError when the version does not exist.
        """
        regions: list[types.TargetRegion] = [
            {
                "name": r.name,
                "regionalReplicaCount": r.replicas,
                "storageAccountType": "Standard_LRS",
                "excludeFromLatest": False,
            }
            for r in definition.regions
        ]
        body: types.GalleryImageVersionUpdate = {
            "properties": {
                "publishingProfile": {
                    "targetRegions": regions,
                    "excludeFromLatest": excluded_from_latest,
                },
                "storageProfile": {},
            }
        }
        image_id = self.image_id(definition)
        with translated(f"set how version {version} of {image_id} is published"):
            await self._clients.compute().gallery_image_versions.begin_update(
                *_where(image_id), version, body, polling=False
            )


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
    )


def _regions_in(state: str, summary: "list[RegionalReplicationStatus]") -> frozenset[str]:
    return frozenset(normalise_region(r.region or "") for r in summary if r.state == state)
