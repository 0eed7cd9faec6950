"""Which scale sets make their next instances from an image: one question to Resource Graph."""

from typing import Any, cast

from shared.domain.identifiers import normalise_id
from shared.domain.lineage import shared_form
from shared.gateways.clients import AzureClients
from shared.gateways.errors import translated
from shared.gateways.graph_query import graph_query
from shared.ports import ScaleSetModel

_REFERENCE = "properties.virtualMachineProfile.storageProfile.imageReference"
_QUERY = (
    "Resources"
    " | where type =~ 'Microsoft.Compute/virtualMachineScaleSets'"
    f" | project id, own=tostring({_REFERENCE}.id), "
    f"shared=tostring({_REFERENCE}.sharedGalleryImageId)"
    " | order by id asc"
)
_MOST = 1000
"""Rows Resource Graph answers at once (Azure docs: Working with large data sets)."""


async def models_of(clients: AzureClients, image_id: str) -> list[ScaleSetModel]:
    """List the scale sets in every subscription we may read whose model names *image_id*."""
    wanted = {normalise_id(image_id), shared_form(normalise_id(image_id))}
    return [
        ScaleSetModel(resource_id=normalise_id(str(row["id"])), version=version)
        for row in await _rows(clients)
        for image, version in [_named(row)]
        if image in wanted
    ]


async def _rows(clients: AzureClients) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    token = ""
    while True:
        with translated("list the scale sets"):
            answer = await clients.resource_graph().resources(
                graph_query(_QUERY, top=_MOST, token=token)
            )
        rows += cast("list[dict[str, Any]]", answer.data)
        token = answer.skip_token or ""
        if not token:
            return rows


def _named(row: dict[str, Any]) -> tuple[str, str]:
    """Return image and version a row names; the version is empty where it is the latest."""
    reference = normalise_id(str(row.get("own") or row.get("shared") or ""))
    image, _, version = reference.partition("/versions/")
    return image, "" if version == "latest" else version
