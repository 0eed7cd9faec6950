"""How the scenario speaks to Assay, to Azure and to the simulation: over HTTP, like anybody."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import aiohttp

from localcloud.environment import IDENTITY_HEADER
from localcloud.scenario.expect import Look, ScenarioError, expect

type Json = dict[str, Any]

COMPUTE_API = "2024-07-01"
GALLERY_API = "2024-03-03"
TRIES = 8
WRITE_SECONDS = 60.0
_LATER = {HTTPStatus.TOO_MANY_REQUESTS, *(s for s in HTTPStatus if s.is_server_error)}


@dataclass
class Http:
    """One server; *headers* go with every request."""

    session: aiohttp.ClientSession
    base_url: str
    headers: dict[str, str] = field(default_factory=dict)

    async def call(
        self, method: str, path: str, body: Json | None = None, *, missing: bool = False
    ) -> Any:
        """Ask, and again while the server is busy; None for a 404 where *missing* allows it.

        Raises ScenarioError for any other answer than a success, and for none.
        """
        for left in reversed(range(TRIES)):
            status, text, wait = await self._ask(method, path, body)
            if status < HTTPStatus.BAD_REQUEST:
                return json.loads(text) if text else {}
            if missing and status == HTTPStatus.NOT_FOUND:
                return None
            if status not in _LATER or not left:
                break
            await asyncio.sleep(wait)
        raise ScenarioError(
            f"{method} {self.base_url}{path} to succeed", f"status {status}: {text[:500]}"
        )

    async def _ask(self, method: str, path: str, body: Json | None) -> tuple[int, str, float]:
        """Return status, text and seconds to wait before asking again."""
        url = self.base_url + path
        try:
            async with self.session.request(
                method, url, json=body, headers=self.headers
            ) as response:
                wait = float(response.headers.get("Retry-After") or 1)
                return response.status, await response.text(), wait
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ScenarioError(f"an answer to {method} {url}", f"none: {error!r}") from error


@dataclass
class Assay:
    """Assay's own API, and the timer that looks at the Marketplace."""

    http: Http

    async def image(self, name: str) -> Json:
        """Read an image."""
        return dict(await self.http.call("GET", f"/api/v1/images/{name}"))

    async def images(self) -> list[Json]:
        """List the images."""
        return list((await self.http.call("GET", "/api/v1/images"))["items"])

    async def publish(self, image: str) -> Json:
        """Ask for a build from the newest source version."""
        return dict(await self.http.call("POST", f"/api/v1/images/{image}/publish"))

    async def revoke(self, image: str, version: str, reason: str) -> Json:
        """Let a version be used no more."""
        path = f"/api/v1/images/{image}/versions/{version}/revoke"
        return dict(await self.http.call("POST", path, {"reason": reason}))

    async def restore(self, image: str, version: str, reason: str) -> Json:
        """Undo the revocation of a version."""
        path = f"/api/v1/images/{image}/versions/{version}/restore"
        return dict(await self.http.call("POST", path, {"reason": reason}))

    async def lineage(self, image: str, version: str) -> Json:
        """Read what a version was built from, and what was built from it."""
        path = f"/api/v1/images/{image}/versions/{version}/lineage"
        return dict(await self.http.call("GET", path))

    async def builds(self, definition: str) -> list[Json]:
        """List the builds of an image, newest first."""
        query = urlencode({"definition": definition, "limit": 100})
        return list((await self.http.call("GET", f"/api/v1/builds?{query}"))["items"])

    async def build(self, build_id: str) -> Json:
        """Read a build."""
        return dict(await self.http.call("GET", f"/api/v1/builds/{build_id}"))

    async def vms(self) -> list[Json]:
        """List every VM, the deleted ones too."""
        return list((await self.http.call("GET", "/api/v1/vms?deleted=true&limit=500"))["items"])

    async def vm(self, key: str) -> Json:
        """Read a VM with its history."""
        return dict(await self.http.call("GET", f"/api/v1/vms/{key}"))

    async def parked(self) -> list[Json]:
        """List the messages that could not be done."""
        return list((await self.http.call("GET", "/api/v1/messages/parked"))["items"])

    async def sweeps(self) -> list[Json]:
        """List the sweeps through the fleet, newest first."""
        return list((await self.http.call("GET", "/api/v1/sweeps"))["items"])

    async def summary(self) -> Json | None:
        """Read how the fleet stands; None before the first snapshot."""
        found = await self.http.call("GET", "/api/v1/reports/summary", missing=True)
        return dict(found) if found else None

    async def users(self, image: str, version: str) -> list[Json]:
        """List the VMs that run a version."""
        path = f"/api/v1/images/{image}/versions/{version}/users"
        return list((await self.http.call("GET", path))["items"])

    async def fire(self, timer: str) -> None:
        """Let a timer run now."""
        await self.http.call("POST", f"/admin/functions/{timer}", {"input": ""})

    async def look_at_marketplace(self) -> None:
        """Fire the timer that looks for new source versions."""
        await self.fire("look_for_sources")


@dataclass
class Azure:
    """Azure Resource Manager, as a team's pipeline uses it."""

    http: Http

    async def sign_in(self) -> None:
        """Get a token, the way a machine with a managed identity does."""
        query = urlencode({"api-version": "2019-08-01", "resource": "https://management.azure.com"})
        asking = Http(self.http.session, self.http.base_url, {"X-IDENTITY-HEADER": IDENTITY_HEADER})
        answer = await asking.call("GET", f"/msi/token?{query}")
        self.http.headers["Authorization"] = f"Bearer {answer['access_token']}"

    async def deploy(self, resource_id: str, body: Json, *, api: str = COMPUTE_API) -> Json:
        """Create or replace a resource and wait until Azure is done."""
        path = f"{resource_id}?api-version={api}"
        await self.http.call("PUT", path, body)

        async def look() -> Look[Json]:
            state = (await self.http.call("GET", path))["properties"]["provisioningState"]
            if state == "Failed":
                raise ScenarioError(f"{resource_id} to be deployed", "provisioningState Failed")
            return Look({} if state == "Succeeded" else None, f"provisioningState {state}")

        await expect(f"{resource_id} to be deployed", look, within=WRITE_SECONDS)
        return dict(await self.http.call("GET", path))

    async def read(self, resource_id: str, *, api: str = COMPUTE_API) -> Json:
        """Read a resource."""
        return dict(await self.http.call("GET", f"{resource_id}?api-version={api}"))

    async def delete(self, resource_id: str, *, api: str = COMPUTE_API) -> None:
        """Delete a resource and wait until it is gone."""
        path = f"{resource_id}?api-version={api}"
        await self.http.call("DELETE", path)

        async def look() -> Look[bool]:
            body = await self.http.call("GET", path, missing=True)
            return Look(True if body is None else None, "it is still there")

        await expect(f"{resource_id} to be gone", look, within=WRITE_SECONDS)


@dataclass
class Simulation:
    """The strings behind the simulated cloud."""

    http: Http

    async def upstream_publishes(self, source: Mapping[str, str], version: str) -> None:
        """Let a publisher put a new version into the Marketplace."""
        plan = {name: source[name] for name in ("publisher", "offer", "sku")}
        await self.http.call("POST", "/_sim/marketplace/versions", {**plan, "version": version})

    async def let_check_fail(self, *, command: str, image: str, unless: str, says: str) -> None:
        """Let a check fail once, in a VM of *image* made without the customizer *unless*."""
        rule = {
            "command": command,
            "image": image,
            "unless_customizer": unless,
            "exit_code": 1,
            "stderr": says,
            "times": 1,
        }
        await self.http.call("POST", "/_sim/guest-rules", rule)

    async def autoscale(self, scale_set: str, capacity: int) -> None:
        """Let a scale set grow or shrink by itself; Azure sends no event about that."""
        body = {"id": scale_set, "capacity": capacity}
        await self.http.call("POST", "/_sim/scale-sets/autoscale", body)

    async def policy_says(self, resource_id: str, assignment: str, state: str) -> None:
        """Let Azure Policy find something out about a resource."""
        body = {"resource_id": resource_id, "assignment": assignment, "state": state}
        await self.http.call("POST", "/_sim/policy-states", body)
