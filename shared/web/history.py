"""GET history/…: what happened to a VM, a team's VMs and an image's VMs, and what was true when."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from shared.domain.history import VmLine
from shared.domain.identifiers import normalise_id
from shared.domain.periods import past_of
from shared.ports import LinesPage
from shared.web.api import links, unknown_image, vm_asked
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse, Json
from shared.web.moments import Moment, check_moments
from shared.web.negotiation import CSV, VARY, csv_answer, negotiate
from shared.web.pages import cut, fetch, page_answer
from shared.web.problems import bad_request
from shared.web.schema import FormQuery, NoQuery, PageQuery, read_query
from shared.web.views.history import COLUMNS, compliance_view, line_view, state_view
from shared.web.views.values import instant

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_NO_END = datetime(9999, 1, 1, tzinfo=UTC)

type _What = Literal[
    "first-seen", "deleted", "image", "region", "team", "kind", "verdict", "policy", "tattoo"
]


class LinesQuery(PageQuery, FormQuery):
    """Which lines of a history, and in what form."""

    what: _What | None = None
    since: Moment = Field(default=_BEGINNING, alias="from")
    until: Moment = Field(default=_NO_END, alias="to")
    """Lines of this very moment are left out."""


class ImageLinesQuery(LinesQuery):
    """Which lines of an image."""

    version: str = ""
    """Keeps to lines of VMs that ran this version, or went to or from it."""


class StateQuery(NoQuery):
    """When."""

    at: Moment


class ComplianceQuery(NoQuery):
    """From when to when."""

    since: Moment | None = Field(default=None, alias="from")
    """When the VM was first seen, where it is not given."""
    until: Moment | None = Field(default=None, alias="to")
    """Now, where it is not given."""


async def get_vm_history(request: ApiRequest, app: App) -> ApiResponse:
    """GET history/vms/{key}: the lines of one VM, newest first."""
    asked, form = _asked(request, app, LinesQuery)
    record, _ = await vm_asked(request, app)
    lines = [
        line
        for line in reversed(await app.vms.lines(record.key))
        if asked.since <= line.transition.at < asked.until and _is_about(line, asked)
    ]
    page = cut(lines, lambda line: str(line.number), limit=asked.limit, cursor=asked.cursor)
    return _answer(request, app, page.items, page.cursor, form)


async def get_vm_state(request: ApiRequest, app: App) -> ApiResponse:
    """GET history/states/{key}: what was true of a VM at a moment."""
    asked = read_query(request, StateQuery)
    check_moments(app.now(), {"at": asked.at})
    record, _ = await vm_asked(request, app)
    # After the record: lines written since are not counted by it, and are left out.
    past = past_of(record, await app.vms.lines(record.key))
    return _body({**state_view(record, past, asked.at), "as_of": instant(app.now())})


async def get_vm_compliance(request: ApiRequest, app: App) -> ApiResponse:
    """GET history/compliance/{key}: when, and for how long, a VM was out of policy."""
    asked = read_query(request, ComplianceQuery)
    check_moments(app.now(), {"from": asked.since, "to": asked.until})
    record, _ = await vm_asked(request, app)
    past = past_of(record, await app.vms.lines(record.key))
    until = asked.until or app.now()
    since = min(past.first_seen_at, until) if asked.since is None else asked.since
    return _body({**compliance_view(record, past, since, until), "as_of": instant(app.now())})


async def get_team_history(request: ApiRequest, app: App) -> ApiResponse:
    """GET history/teams/{team}: what happened to its VMs, also to those that left it."""
    asked, form = _asked(request, app, LinesQuery)
    team = _slashes(request.route.get("team", ""))
    if not team:
        raise bad_request(("team", "name a team: history/teams/<team>"))
    page = await fetch(
        app.vms.lines_of_team(
            team, since=asked.since, until=asked.until, limit=asked.limit, before=asked.cursor
        )
    )
    return _answer(request, app, _about(page, asked), page.before, form)


async def get_image_history(request: ApiRequest, app: App) -> ApiResponse:
    """GET history/images/{image}: what happened to the VMs that run or ran it."""
    asked, form = _asked(request, app, ImageLinesQuery)
    image_id = await _image_asked(request, app)
    page = await fetch(
        app.vms.lines_of_image(
            image_id, since=asked.since, until=asked.until, limit=asked.limit, before=asked.cursor
        )
    )
    about = [line for line in _about(page, asked) if _is_of(line, image_id, asked.version)]
    return _answer(request, app, about, page.before, form)


async def _image_asked(request: ApiRequest, app: App) -> str:
    """Return the id of the image the route names: by an id, or by the name of a definition.

    Raises ProblemError (404) for a name that no definition has or had.
    """
    name = _slashes(request.route.get("image", ""))
    if "/" in name or ":" in name:
        return normalise_id(name if ":" in name else f"/{name}")
    if definition := app.definitions.get(name):
        return app.gallery.image_id(definition)
    versions = await app.image_versions.list(name)
    if not versions:
        raise unknown_image(name, app)
    return versions[0].value.image_id


def _slashes(text: str) -> str:
    """Return a route's value with its slashes: the host leaves `%2F` as it is, or decodes it."""
    return re.sub("%2f", "/", text, flags=re.IGNORECASE).strip("/")


def _asked[T: LinesQuery](request: ApiRequest, app: App, model: type[T]) -> tuple[T, str]:
    """Return what the query asks for, and the media type to answer in."""
    asked = read_query(request, model)
    given = {n: getattr(asked, n) for n in asked.model_fields_set}
    check_moments(app.now(), {"from": given.get("since"), "to": given.get("until")})
    return asked, negotiate(request, asked.format)


def _about(page: LinesPage, asked: LinesQuery) -> list[VmLine]:
    return [line for line in page.lines if _is_about(line, asked)]


def _is_about(line: VmLine, asked: LinesQuery) -> bool:
    return asked.what in (None, line.transition.what)


def _is_of(line: VmLine, image_id: str, version: str) -> bool:
    """Tell whether a VM ran *version* after a line, or went to or from it."""
    change = line.transition
    moved = change.what == "image" and f"{image_id} {version}" in (change.old, change.new)
    return version in ("", line.version) or moved


def _answer(
    request: ApiRequest, app: App, lines: Sequence[VmLine], cursor: str, form: str
) -> ApiResponse:
    """Answer a page of lines; in CSV the address of the next page is in the header `Link`."""
    here = links(request, app)
    items = [line_view(line, here) for line in lines]
    if form == CSV:
        return csv_answer(COLUMNS, items, following=here.next_page(request, cursor))
    return replace(page_answer(request, here, items, cursor, now=app.now()), headers=VARY)


def _body(body: Json) -> ApiResponse:
    return ApiResponse(status=200, body=body)
