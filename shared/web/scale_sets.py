"""GET scale-sets: their models, which are the wish, beside their instances, which are the fact."""

from collections import Counter

from shared.domain.vm_record import Machine, VmRecord
from shared.ports import VmFilter, every
from shared.web.api import links, today, vm_key_of
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse, Json
from shared.web.fleet_schema import ScaleSetsQuery
from shared.web.pages import fetch, page_answer
from shared.web.problems import unknown
from shared.web.schema import NoQuery, read_query
from shared.web.views.values import instant
from shared.web.views.vms import vm_summary

_PAGE = 1000
"""Instances read at once: as many as Azure allows in one scale set."""


async def list_scale_sets(request: ApiRequest, app: App) -> ApiResponse:
    """GET scale-sets: the models, filtered as VMs are."""
    asked = read_query(request, ScaleSetsQuery)
    wanted = VmFilter(
        team=asked.team,
        image=asked.image,
        verdict=asked.verdict.value if asked.verdict else "",
        subscription_id=str(asked.subscription) if asked.subscription else "",
        machines=(Machine.SCALE_SET,),
        deleted=asked.deleted,
    )
    page = await fetch(app.vms.list(wanted, limit=asked.limit, cursor=asked.cursor))
    items = [_model(model, request, app) for model in page.items]
    return page_answer(request, links(request, app), items, page.cursor, now=app.now())


async def get_scale_set(request: ApiRequest, app: App) -> ApiResponse:
    """GET scale-sets/{key}: one model, and how many of its instances run what."""
    read_query(request, NoQuery)
    key = vm_key_of(request.route.get("key", ""))
    model = (await app.vms.get(key)).value.record
    if model is None or model.machine is not Machine.SCALE_SET:
        raise unknown(
            "scale-set",
            f"The register has no scale set {key!r}; scale_sets_url lists those it has.",
            scale_sets_url=links(request, app).to("scale-sets"),
        )
    body = {
        **_model(model, request, app),
        "instances": _by_image(await _instances(model, app)),
        "as_of": instant(model.as_of),
    }
    return ApiResponse(status=200, body=body)


async def _instances(model: VmRecord, app: App) -> list[VmRecord]:
    wanted = VmFilter(scale_set_id=model.resource_id, subscription_id=model.subscription_id)
    pages = every(lambda cursor: app.vms.list(wanted, limit=_PAGE, cursor=cursor))
    return [record async for record in pages]


def _model(model: VmRecord, request: ApiRequest, app: App) -> Json:
    to = links(request, app)
    return {
        **vm_summary(model, to, today(app)),
        "follows_latest": not model.image.version,
        "capacity": model.capacity,
        "url": to.to("scale-sets", model.key),
    }


def _by_image(instances: list[VmRecord]) -> list[Json]:
    """Return how many instances run each image version and how they stand, most first."""
    counted = Counter(
        (r.definition or r.image.image_id, r.image.version, r.verdict.value) for r in instances
    )
    return [
        {"image": image or None, "version": version or None, "verdict": verdict, "count": count}
        for (image, version, verdict), count in counted.most_common()
    ]
