"""The channels of an image: which version Bicep, Terraform and pipelines are to use."""

import json
from datetime import datetime
from email.utils import format_datetime

from shared.domain.channel import ImageChannels
from shared.domain.identifiers import digest
from shared.domain.image_definition import ImageDefinition
from shared.domain.image_version import ImageVersion
from shared.domain.release_rules import ChannelRule
from shared.web.api import definition_asked, links
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse, Json
from shared.web.negotiation import JSON, TEXT, VARY, negotiate
from shared.web.pages import cut, page_answer
from shared.web.problems import unknown
from shared.web.schema import ChannelQuery, PageQuery, read_query
from shared.web.views.channels import channel_summary, channel_view
from shared.web.views.values import instant

_CACHE = "private, no-cache"
"""Ask every time, which costs nothing when nothing changed: no cache may hand out a version that
was revoked meanwhile."""


async def list_channels(request: ApiRequest, app: App) -> ApiResponse:
    """GET images/{name}/channels: in the order a release goes through them."""
    asked = read_query(request, PageQuery)
    definition = definition_asked(request, app)
    known = await channels_of(definition, app)
    page = cut(definition.channels, lambda c: c.name, limit=asked.limit, cursor=asked.cursor)
    items = [
        channel_summary(known, rule, await _version(known, rule, app), links(request, app))
        for rule in page.items
    ]
    return page_answer(request, links(request, app), items, page.cursor, now=app.now())


async def get_channel(request: ApiRequest, app: App) -> ApiResponse:
    """GET images/{name}/channels/{channel}: the version it shows, or 304 when it is still that.

    As plain text it is the version's resource id alone. 404 before the first release.
    """
    asked = read_query(request, ChannelQuery)
    plain = negotiate(request, asked.format, {"json": JSON, "text": TEXT}) == TEXT
    definition = definition_asked(request, app)
    rule = channel_asked(request, definition)
    known = await channels_of(definition, app)
    version = await _version(known, rule, app)
    if version is None:
        raise unknown(
            "channel-version",
            f"Channel {rule.name!r} of image {definition.name!r} shows no version yet: none was "
            "released into it, or no good one is left.",
            channel=rule.name,
        )
    body = channel_view(known, rule, version, links(request, app))
    tag = _tag(body, plain=plain)
    headers = {"ETag": tag, "Cache-Control": _CACHE, **VARY}
    if since := known.channel(rule.name).since:
        headers["Last-Modified"] = _http_date(since)
    if _known_already(request, tag):
        return ApiResponse(status=304, headers=headers)
    if plain:
        return ApiResponse(status=200, text=version.resource_id, media_type=TEXT, headers=headers)
    return ApiResponse(status=200, body={**body, "as_of": instant(app.now())}, headers=headers)


async def channels_of(definition: ImageDefinition, app: App) -> ImageChannels:
    """Return the channels of an image; empty ones before the first release."""
    stored = await app.channels.get(definition.name)
    return stored.value if stored else ImageChannels(definition=definition.name)


def channel_asked(request: ApiRequest, definition: ImageDefinition) -> ChannelRule:
    """Return the channel the route names; raises ProblemError (404) that lists those there are."""
    name = request.route["channel"]
    rule = next((c for c in definition.channels if c.name == name), None)
    if rule is None:
        known = [c.name for c in definition.channels]
        raise unknown(
            "channel",
            f"Image {definition.name!r} has no channel {name!r}; it has: {', '.join(known)}.",
            known=known,
        )
    return rule


async def _version(known: ImageChannels, rule: ChannelRule, app: App) -> ImageVersion | None:
    shown = known.channel(rule.name).version
    stored = await app.image_versions.get(known.definition, shown) if shown else None
    return stored.value if stored else None


def _tag(body: Json, *, plain: bool) -> str:
    """Return the ETag, weak because `as_of` is not part of it."""
    return f'W/"{digest(json.dumps(body, sort_keys=True), TEXT if plain else "")}"'


def _known_already(request: ApiRequest, tag: str) -> bool:
    """Tell whether `If-None-Match` holds *tag*, compared weakly (RFC 9110, 13.1.2)."""
    given = [t.strip() for t in request.headers.get("if-none-match", "").split(",")]
    return "*" in given or tag.removeprefix("W/") in {t.removeprefix("W/") for t in given}


def _http_date(at: datetime) -> str:
    return format_datetime(at, usegmt=True)
