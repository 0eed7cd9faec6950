"""GET images/{name}/versions/{version}/users: who uses a version, scale sets included."""

from shared.domain.image_version import ImageVersion, newest_in_region
from shared.domain.vm_record import Machine, VmRecord
from shared.ports import Page, VmFilter
from shared.web.api import links, today, version_asked
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse
from shared.web.pages import fetch, page_answer
from shared.web.schema import PageQuery, read_query
from shared.web.views.vms import vm_summary

_LATEST = "latest:"
"""Start of a cursor that has come to the scale sets that take the latest version."""


async def list_image_users(request: ApiRequest, app: App) -> ApiResponse:
    """Answer the machines and models that name the version, then the models that would get it.

    A scale set that takes the latest version uses this one where its region's latest is this one.
    """
    asked = read_query(request, PageQuery)
    version = await version_asked(request, app)
    if asked.cursor.startswith(_LATEST):
        cursor = asked.cursor.removeprefix(_LATEST)
        page = await _takers_of_latest(version, app, limit=asked.limit, cursor=cursor)
    else:
        page = await _named(version, app, limit=asked.limit, cursor=asked.cursor)
    items = [vm_summary(vm, links(request, app), today(app)) for vm in page.items]
    return page_answer(request, links(request, app), items, page.cursor, now=app.now())


async def _named(version: ImageVersion, app: App, *, limit: int, cursor: str) -> Page[VmRecord]:
    wanted = VmFilter(image=version.definition, version=version.version, machines=tuple(Machine))
    page = await fetch(app.vms.list(wanted, limit=limit, cursor=cursor))
    if page.cursor:
        return page
    latest = await _takers_of_latest(version, app, limit=max(limit - len(page.items), 1), cursor="")
    return Page(items=(*page.items, *latest.items), cursor=latest.cursor)


async def _takers_of_latest(
    version: ImageVersion, app: App, *, limit: int, cursor: str
) -> Page[VmRecord]:
    wanted = VmFilter(image=version.definition, machines=(Machine.SCALE_SET,))
    page = await fetch(app.vms.list(wanted, limit=limit, cursor=cursor))
    versions = [stored.value for stored in await app.image_versions.list(version.definition)]

    def would_get_it(model: VmRecord) -> bool:
        newest = newest_in_region(versions, model.region)
        return not model.image.version and newest is not None and newest.version == version.version

    users = tuple(model for model in page.items if would_get_it(model))
    return Page(items=users, cursor=f"{_LATEST}{page.cursor}" if page.cursor else "")
