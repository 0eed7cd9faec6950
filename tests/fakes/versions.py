"""Image versions in the register, written without the factory."""

from datetime import datetime
from typing import Any

from shared.domain.image_version import ImageVersion, VersionState
from shared.ports import ImageVersions, Stored


async def put_version(
    image_versions: ImageVersions, version: str, *, image_id: str, now: datetime, **changes: Any
) -> None:
    """Write a version of the image *image_id*, released unless *changes* say otherwise.

    It takes the place of what is there.
    """
    name = image_id.rpartition("/")[2]
    usual: dict[str, Any] = {
        "definition": name,
        "version": version,
        "image_id": image_id,
        "state": VersionState.RELEASED,
        "build_id": f"{name}-build",
        "attempt": 1,
        "source_urn": "canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2",
        "source_version": "22.04.202411080",
        "customization_digest": "d",
        "created_at": now,
        "tattoo": {},
        "regions": ("westeurope",),
        "excluded_from_latest": False,
    }
    stored = await image_versions.get(name, version)
    row = ImageVersion(**{**usual, **changes})
    await image_versions.save(Stored(row, stored.etag if stored else ""))
