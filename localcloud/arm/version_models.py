"""What a gallery image version says of itself: profile, replicas, sizes."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from localcloud.arm.errors import bad_request
from localcloud.arm.ids import with_offset
from localcloud.arm.regions import long_name, require_region, short_name
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

LINUX_GB, WINDOWS_GB = 30, 127


def publishing_profile(asked: Json, location: str, published: str) -> Json:
    """The profile as Azure answers it: long region names, defaults filled in."""
    count = int(asked.get("replicaCount") or 1)
    account = asked.get("storageAccountType") or "Standard_LRS"
    regions = asked.get("targetRegions") or [{"name": location}]
    profile: Json = {
        **asked,
        "targetRegions": [_target_region(region, count, account) for region in regions],
        "replicaCount": count,
        "excludeFromLatest": bool(asked.get("excludeFromLatest", False)),
        "publishedDate": published,
        "storageAccountType": account,
    }
    names = [short_name(region["name"]) for region in profile["targetRegions"]]
    if len(set(names)) != len(names):
        raise bad_request("InvalidParameter", "A target region is named twice.")
    if short_name(location) not in names:
        raise bad_request(
            "InvalidParameter",
            f"The publishing location '{location}' must be among the target regions.",
        )
    return profile


def _target_region(region: Json, count: int, account: str) -> Json:
    require_region(region.get("name"))
    answer: Json = {
        **region,
        "name": long_name(str(region["name"])),
        "regionalReplicaCount": region.get("regionalReplicaCount") or count,
        "storageAccountType": region.get("storageAccountType") or account,
    }
    if not region.get("excludeFromLatest"):
        answer.pop("excludeFromLatest", None)
    return answer


def safety_profile(asked: Json) -> Json:
    """The safety profile with Azure's defaults."""
    return {
        **asked,
        "reportedForPolicyViolation": False,
        "allowDeletionOfReplicatedLocations": bool(
            asked.get("allowDeletionOfReplicatedLocations", False)
        ),
    }


def plan_replicas(cloud: "Cloud", version: Resource) -> None:
    """Note from when each target region will hold a replica; those that have one keep it."""
    known: dict[str, datetime] = version.facts.get("replicas", {})
    now = cloud.clock.now()
    ready = now + cloud.clock.duration("replication")
    regions = version.properties["publishingProfile"]["targetRegions"]
    version.facts["replicas"] = {
        short_name(region["name"]): known.get(short_name(region["name"]), ready)
        for region in regions
    }
    version.facts.setdefault("since", {})
    for region in version.facts["replicas"]:
        version.facts["since"].setdefault(region, now)


def replicated_in(cloud: "Cloud", version: Resource, region: str) -> bool:
    """True where the region holds a finished replica."""
    ready: datetime | None = version.facts["replicas"].get(short_name(region))
    return ready is not None and ready <= cloud.clock.now()


def replication_status(cloud: "Cloud", version: Resource) -> Json:
    """The answer to `$expand=ReplicationStatus`: region names are the short ones here."""
    now = cloud.clock.now()
    failed = version.properties["provisioningState"] == "Failed"
    summary = [
        _region_status(region, version.facts["since"][region], ready, now, failed=failed)
        for region, ready in version.facts["replicas"].items()
    ]
    states = {row["state"] for row in summary}
    overall = "Failed" if failed else "Completed" if states == {"Completed"} else "InProgress"
    return {"aggregatedState": overall, "summary": summary}


def _region_status(
    region: str, since: datetime, ready: datetime, now: datetime, *, failed: bool
) -> Json:
    if failed:
        return {"region": region, "state": "Failed", "details": "", "progress": 0}
    if ready <= now:
        return {"region": region, "state": "Completed", "details": "", "progress": 100}
    whole = max(ready - since, timedelta(seconds=1))
    progress = min(99, int(100 * (now - since) / whole))
    return {"region": region, "state": "Replicating", "details": "", "progress": progress}


def published_now(cloud: "Cloud") -> str:
    """The publishing date of a version made now."""
    return with_offset(cloud.clock.now())
