"""The pages one reads: images, versions, builds and VMs."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import unquote

from shared.domain.build import Build
from shared.domain.identifiers import vm_key
from shared.domain.image_definition import ImageDefinition
from shared.domain.image_version import ImageVersion
from shared.domain.subscription import Subscription
from shared.domain.vm_record import PolicyState, VmRecord
from shared.fleet.sheets import VM_SHEET, row_of
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse, Links, links_for
from shared.web.fleet_schema import VmsQuery
from shared.web.negotiation import CSV, VARY, csv_answer, negotiate
from shared.web.pages import cut, fetch, page_answer
from shared.web.problems import ProblemError, bad_request, unknown
from shared.web.schema import BuildsQuery, NoQuery, PageQuery, read_query
from shared.web.views.builds import build_summary, build_view
from shared.web.views.images import (
    ImageKnowledge,
    image_summary,
    image_view,
    version_summary,
    version_view,
)
from shared.web.views.pausing import pause_view
from shared.web.views.today import Today
from shared.web.views.values import instant
from shared.web.views.vms import vm_summary, vm_view
from shared.web.vm_filters import fixed_in_time, time_of, vm_filter

SHOWN_LINES = 50
"""Lines of its history a VM's own page shows at most."""


def links(request: ApiRequest, app: App) -> Links:
    """Return the links for an answer to *request*."""
    return links_for(request, app.settings.public_url)


def definition_asked(request: ApiRequest, app: App) -> ImageDefinition:
    """Return the definition the route names; raises ProblemError (404) that lists those known."""
    definition = app.definitions.get(request.route["name"])
    if definition is None:
        raise unknown_image(request.route["name"], app)
    return definition


def unknown_image(name: str, app: App) -> ProblemError:
    """Return the error for an image that no definition makes."""
    known = sorted(app.definitions)
    return unknown(
        "image",
        f"There is no image definition {name!r}; there are: {', '.join(known) or 'none'}.",
        known=known,
    )


async def list_images(request: ApiRequest, app: App) -> ApiResponse:
    """GET images: every image definition, each with the newest version one may use."""
    asked = read_query(request, PageQuery)
    definitions = sorted(app.definitions.values(), key=lambda d: d.name)
    page = cut(definitions, lambda d: d.name, limit=asked.limit, cursor=asked.cursor)
    known = await asyncio.gather(*(_knowledge(d, app) for d in page.items))
    items = [image_summary(k, links(request, app)) for k in known]
    return page_answer(request, links(request, app), items, page.cursor, now=app.now())


async def get_image(request: ApiRequest, app: App) -> ApiResponse:
    """GET images/{name}: one image, with the newest version in each of its regions."""
    read_query(request, NoQuery)
    definition = definition_asked(request, app)
    known, state = await asyncio.gather(
        _knowledge(definition, app), app.definition_states.get(definition.name)
    )
    body = {
        **image_view(known, links(request, app)),
        **pause_view(state.value if state else None),
        "as_of": instant(app.now()),
    }
    return ApiResponse(status=200, body=body)


async def _knowledge(definition: ImageDefinition, app: App) -> ImageKnowledge:
    versions, source = await asyncio.gather(
        app.image_versions.list(definition.name), app.sources.get(definition.source.urn)
    )
    return ImageKnowledge(
        definition=definition,
        image_id=app.gallery.image_id(definition),
        versions=[v.value for v in versions],
        source=source.value if source else None,
    )


async def list_versions(request: ApiRequest, app: App) -> ApiResponse:
    """GET images/{name}/versions: highest number first, those of a removed definition too."""
    asked = read_query(request, PageQuery)
    name = request.route["name"]
    versions = [v.value for v in await app.image_versions.list(name)]
    if not versions:
        definition_asked(request, app)
    page = cut(versions, lambda v: v.version, limit=asked.limit, cursor=asked.cursor)
    items = [version_summary(v, links(request, app)) for v in page.items]
    return page_answer(request, links(request, app), items, page.cursor, now=app.now())


async def get_version(request: ApiRequest, app: App) -> ApiResponse:
    """GET images/{name}/versions/{version}: what it was made from and what became of it."""
    read_query(request, NoQuery)
    version = await version_asked(request, app)
    body = {**version_view(version, links(request, app)), "as_of": instant(app.now())}
    return ApiResponse(status=200, body=body)


async def version_asked(request: ApiRequest, app: App, number: str = "") -> ImageVersion:
    """Return the version the route names, or that *number* of the image it names.

    Raises ProblemError (404) when there is none.
    """
    name, number = request.route["name"], number or request.route["version"]
    stored = await app.image_versions.get(name, number)
    if stored is None:
        if not await app.image_versions.list(name):
            definition_asked(request, app)
        raise unknown(
            "version",
            f"Image {name!r} has no version {number!r}; versions_url lists those it has.",
            versions_url=links(request, app).to("images", name, "versions"),
        )
    return stored.value


async def list_builds(request: ApiRequest, app: App) -> ApiResponse:
    """GET builds: newest first, of one definition or of all."""
    asked = read_query(request, BuildsQuery)
    page = await fetch(
        app.builds.list(definition=asked.definition, limit=asked.limit, cursor=asked.cursor)
    )
    items = [build_summary(b, links(request, app)) for b in page.items]
    return page_answer(request, links(request, app), items, page.cursor, now=app.now())


async def get_build(request: ApiRequest, app: App) -> ApiResponse:
    """GET builds/{id}: one build with its attempts, checks and history."""
    read_query(request, NoQuery)
    build = await build_asked(request, app)
    body = {**build_view(build, links(request, app)), "as_of": instant(app.now())}
    return ApiResponse(status=200, body=body)


async def build_asked(request: ApiRequest, app: App) -> Build:
    """Return the build the route names; raises ProblemError (404) when there is none."""
    stored = await app.builds.get(request.route["id"])
    if stored is None:
        builds_url = links(request, app).to("builds")
        raise unknown(
            "build",
            f"There is no build {request.route['id']!r}; builds_url lists those there are.",
            builds_url=builds_url,
        )
    return stored.value


async def list_vms(request: ApiRequest, app: App) -> ApiResponse:
    """GET vms: the register of VMs, filtered; as CSV for who asks for it."""
    asked = read_query(request, VmsQuery)
    form = negotiate(request, asked.format)
    as_of = time_of(asked, now=app.now())
    wanted = vm_filter(asked, overdue_at=as_of if asked.overdue else None, deleted=asked.deleted)
    page = await fetch(app.vms.list(wanted, limit=asked.limit, cursor=asked.cursor))
    going_on = fixed_in_time(request, as_of) if asked.overdue else request
    if form == CSV:
        rows = (row_of(VM_SHEET, vm) for vm in page.items)
        following = links(request, app).next_page(going_on, page.cursor)
        return csv_answer(list(VM_SHEET), rows, following=following)
    items = [vm_summary(vm, links(request, app), today(app)) for vm in page.items]
    answer = page_answer(going_on, links(request, app), items, page.cursor, now=app.now())
    return replace(answer, headers=VARY)


async def get_vm(request: ApiRequest, app: App) -> ApiResponse:
    """GET vms/{key}: one VM with its policy states and newest history; an id is a key too."""
    read_query(request, NoQuery)
    record, states = await vm_asked(request, app)
    newest = await app.vms.lines(record.key, first=max(1, record.transitions - SHOWN_LINES + 1))
    known = await app.subscriptions.get(record.subscription_id)
    return ApiResponse(
        status=200,
        body=vm_view(
            record,
            states,
            newest,
            links(request, app),
            today(app),
            confirmed_at=last_confirmed(record, known.value if known else None),
        ),
    )


def last_confirmed(vm: VmRecord, subscription: Subscription | None) -> datetime:
    """Return when a VM was last found as it is recorded: by itself, or by a sweep."""
    swept_at = subscription.swept_at if subscription else None
    return max(vm.as_of, swept_at) if swept_at else vm.as_of


async def vm_asked(request: ApiRequest, app: App) -> tuple[VmRecord, Sequence[PolicyState]]:
    """Return the record and policy states of the VM the route names by its key or resource id.

    Raises ProblemError (404) when there is none.
    """
    key = vm_key_of(request.route.get("key", ""))
    entry = (await app.vms.get(key)).value
    if entry.record is None:
        raise unknown(
            "VM",
            f"The register has no VM {key!r}; one that was just made appears when Azure has said "
            "so.",
            vms_url=links(request, app).to("vms"),
        )
    return entry.record, entry.policy_states


def today(app: App) -> Today:
    """Return what the answer counts days against."""
    return Today(now=app.now(), policy=app.fleet_policy)


def vm_key_of(asked: str) -> str:
    """Return the register's key for what the route says: a key, or a resource id.

    Azure decodes `%2F` in a route and drops the slash before it, so an id may come either way
    (https://github.com/Azure/azure-functions-host/issues/9290).
    """
    text = unquote(asked).strip("/")
    if "/" not in text:
        return text.lower()
    try:
        return vm_key(f"/{text}")
    except ValueError as error:
        raise bad_request(("key", f"{error}")) from error
