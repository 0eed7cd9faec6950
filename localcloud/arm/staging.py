"""What Image Builder keeps in its staging resource group: a storage account with the run's logs.

The account is read over the blob service's REST protocol, anonymously, under `/blobs/<account>/`.
"""

from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from aiohttp import web

from localcloud.arm.requests import page
from localcloud.arm.routing import GROUP, Call, Reply, Route
from localcloud.arm.store import Json, Resource

if TYPE_CHECKING:
    from localcloud.arm.cloud import Cloud

ACCOUNT = "Microsoft.Storage/storageAccounts"
VERSIONS = frozenset({"2023-05-01", "2024-01-01"})
LOGS = "packerlogs"
PATH = "/blobs"
_LIST = GROUP + "/providers/Microsoft.Storage/storageAccounts"


def open_account(cloud: "Cloud", template: Resource) -> None:
    """Make the storage account of a template's staging group, unless it is there."""
    if "staging_account" in template.facts:
        return
    name = cloud.guids.text(24)
    group = str(template.properties["exactStagingResourceGroup"])
    target = f"{group}/providers/{ACCOUNT}/{name}"
    body: Json = {
        "sku": {"name": "Standard_LRS", "tier": "Standard"},
        "kind": "StorageV2",
        "id": target,
        "name": name,
        "type": ACCOUNT,
        "location": template.body["location"],
        "tags": {"createdby": "azureimagebuilder"},
        "properties": {"provisioningState": "Succeeded"},
    }
    cloud.store.put(Resource(target, ACCOUNT, body, facts={LOGS: {}}))
    template.facts["staging_account"] = target


def close_account(cloud: "Cloud", template: Resource) -> None:
    """Delete the account: the staging group goes with its template."""
    if target := template.facts.pop("staging_account", None):
        cloud.store.delete(str(target))


def write_logs(cloud: "Cloud", template: Resource, state: str, message: str) -> None:
    """Write what Packer would have printed; the validation log only where it validated."""
    account = cloud.store.get(str(template.facts.get("staging_account", "")))
    if account is None:
        return
    folder = cloud.guids.next()
    stamp = f"{cloud.clock.now():%Y-%m-%dT%H:%M:%SZ}"
    steps = [str(c.get("name") or c["type"]) for c in template.properties.get("customize", [])]
    lines = [f"[{stamp}] PACKER OUT ==> azure-arm: Provisioning with {step}" for step in steps]
    lines.append(f"[{stamp}] PACKER {'ERR' if message else 'OUT'} run {state}: {message}".rstrip())
    account.facts[LOGS][f"{folder}/customization.log"] = ("\n".join(lines) + "\n").encode()
    if (template.properties.get("validate") or {}).get("inVMValidations"):
        said = f"[{stamp}] validation: {state}\n"
        account.facts[LOGS][f"{folder}/validation.log"] = said.encode()


def _accounts(cloud: "Cloud", call: Call) -> Reply:
    def show(account: Resource) -> Json:
        endpoints = {"blob": f"{call.base_url}{PATH}/{account.name}/"}
        return {**account.body, "properties": {**account.properties, "primaryEndpoints": endpoints}}

    group = f"/subscriptions/{call.sub}/resourceGroups/{call.rg}"
    return page(cloud, call, list(cloud.store.of_type(ACCOUNT, group)), show)


ROUTES = [Route("StorageAccounts_ListByResourceGroup", "GET", _LIST, _accounts, VERSIONS)]


def add_routes(app: web.Application, cloud: "Cloud") -> None:
    """Serve List Blobs and Get Blob of every staging account."""

    def blobs_of(request: web.Request) -> dict[str, bytes] | None:
        name = request.match_info["account"]
        found = (a for a in cloud.store.of_type(ACCOUNT) if a.name == name)
        account = next(found, None)
        blobs: dict[str, bytes] | None = (
            account.facts.get(request.match_info["container"]) if account else None
        )
        return blobs

    async def list_blobs(request: web.Request) -> web.Response:
        blobs = blobs_of(request)
        if blobs is None:
            return _error(HTTPStatus.NOT_FOUND, "ContainerNotFound", "There is no such container.")
        rows = "".join(_row(name, content) for name, content in sorted(blobs.items()))
        text = (
            '<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="'
            f'{escape(str(request.url.origin()))}" ContainerName="'
            f'{request.match_info["container"]}"><Blobs>{rows}</Blobs><NextMarker />'
            "</EnumerationResults>"
        )
        return web.Response(text=text, content_type="application/xml")

    async def get_blob(request: web.Request) -> web.Response:
        blobs = blobs_of(request)
        content = (blobs or {}).get(request.match_info["blob"])
        if content is None:
            return _error(HTTPStatus.NOT_FOUND, "BlobNotFound", "There is no such blob.")
        return _ranged(request, content)

    app.router.add_get(f"{PATH}/{{account}}/{{container}}", list_blobs)
    app.router.add_get(f"{PATH}/{{account}}/{{container}}/{{blob:.+}}", get_blob)


def _row(name: str, content: bytes) -> str:
    return (
        f"<Blob><Name>{escape(name)}</Name><Properties>"
        f"<Last-Modified>{_now()}</Last-Modified><Etag>0x1</Etag>"
        f"<Content-Length>{len(content)}</Content-Length>"
        "<Content-Type>text/plain</Content-Type><BlobType>BlockBlob</BlobType>"
        "</Properties></Blob>"
    )


def _ranged(request: web.Request, content: bytes) -> web.Response:
    headers = {"ETag": '"0x1"', "Last-Modified": _now(), "x-ms-blob-type": "BlockBlob"}
    asked = request.headers.get("x-ms-range") or request.headers.get("Range")
    if not asked:
        return web.Response(body=content, headers=headers)
    first, _, last = asked.removeprefix("bytes=").partition("-")
    start, end = int(first), min(int(last or len(content)), len(content) - 1)
    if start >= len(content):
        return _error(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "InvalidRange", "The range is not valid."
        )
    headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
    return web.Response(
        status=HTTPStatus.PARTIAL_CONTENT, body=content[start : end + 1], headers=headers
    )


def _error(status: HTTPStatus, code: str, message: str) -> web.Response:
    text = (
        '<?xml version="1.0" encoding="utf-8"?>'
        f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    )
    headers = {"x-ms-error-code": code}
    return web.Response(status=status, text=text, content_type="application/xml", headers=headers)


def _now() -> str:
    return format_datetime(datetime.now(UTC), usegmt=True)
