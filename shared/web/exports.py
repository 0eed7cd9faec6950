"""Exports of any size: asked for here, written by a step, read from storage over a link.

Azure Functions sends answers whole, so a fleet does not fit one (docs/decisions/0011-exports.md).
"""

import uuid
from datetime import timedelta

from shared.errors import ConflictError, NotAllowedError
from shared.messages import WriteExport
from shared.ports import Export, ExportForm, ExportWhat, Stored
from shared.web.api import links
from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse, Json
from shared.web.fleet_schema import ExportBody, ExportQuery
from shared.web.moves import MESSAGES, Move, carry_out, request_token
from shared.web.negotiation import VARY, negotiate
from shared.web.problems import unknown
from shared.web.schema import NoQuery, read_body, read_query
from shared.web.views.values import instant, instant_or_none
from shared.web.vm_filters import time_of, vm_filter

_FORMS = {form.extension: form.value for form in ExportForm}


async def create_export(request: ApiRequest, app: App) -> ApiResponse:
    """POST exports: have the register written into a file of the form asked for.

    Under the same `Idempotency-Key` it is the same export.
    """
    asked = read_query(request, ExportQuery)
    form = ExportForm(negotiate(request, asked.format, _FORMS))
    body = read_body(request, ExportBody)
    export = _export(body, form, request_token(request, app), app)

    async def look() -> Json:
        stored = await app.exports.get(export.id)
        return {"state": stored.value.state if stored else None, "what": export.what.value}

    async def act() -> ApiResponse:
        held = await _hold(export, app)
        if held.finished_at is None:
            command = WriteExport(export_id=held.id, page=held.pages)
            await app.outbox.send(command, correlation_id=request.correlation_id, delay=timedelta())
        view = export_view(held, request, app)
        return ApiResponse(status=202, body=view, headers={**VARY, "Location": view["url"]})

    move = Move(
        what="export",
        scope=MESSAGES,
        subject=f"exports/{export.id}",
        why=body.reason or "",
        look=look,
        act=act,
    )
    return await carry_out(move, request, app)


async def get_export(request: ApiRequest, app: App) -> ApiResponse:
    """GET exports/{id}: how far an export is."""
    read_query(request, NoQuery)
    export = await _export_asked(request, app)
    return ApiResponse(status=200, body=export_view(export, request, app))


async def get_export_file(request: ApiRequest, app: App) -> ApiResponse:
    """GET exports/{id}/file: send the client to the file; 409 while it is being written."""
    read_query(request, NoQuery)
    export = await _export_asked(request, app)
    if export.finished_at is None:
        raise NotAllowedError(
            f"export {export.id} is {export.state}, {export.rows} rows are written; ask again "
            "when its state is finished" + (f" ({export.problem})" if export.problem else ""),
            kind="export-not-finished",
            state={"state": export.state, "rows": export.rows, "bytes": export.size},
        )
    location = await app.export_files.link(export.file, now=app.now())
    return ApiResponse(status=302, headers={"Location": location})


def export_view(export: Export, request: ApiRequest, app: App) -> Json:
    """Return an export as it is answered."""
    to = links(request, app)
    return {
        "id": export.id,
        "what": export.what.value,
        "media_type": export.form.value,
        "state": export.state,
        "problem": export.problem or None,
        "rows": export.rows,
        "bytes": export.size,
        "created_at": instant(export.created_at),
        "finished_at": instant_or_none(export.finished_at),
        "expires_at": instant(export.expires_at),
        "url": to.to("exports", export.id),
        "file_url": to.to("exports", export.id, "file") if export.finished_at else None,
        "as_of": instant(app.now()),
    }


def _export(body: ExportBody, form: ExportForm, token: str, app: App) -> Export:
    now = app.now()
    as_of = time_of(body, now=now)
    late = as_of if body.what is ExportWhat.OVERDUE else None
    return Export(
        id=uuid.uuid5(uuid.NAMESPACE_OID, token).hex,
        what=body.what,
        form=form,
        wanted=vm_filter(body, overdue_at=late, deleted=body.deleted),
        as_of=as_of,
        created_at=now,
        expires_at=now + app.settings.export_life,
    )


async def _hold(export: Export, app: App) -> Export:
    """Keep *export*, and return what is kept under its id: the first."""
    if stored := await app.exports.get(export.id):
        return stored.value
    try:
        return (await app.exports.save(Stored(export))).value
    except ConflictError:  # the same request came twice at once
        stored = await app.exports.get(export.id)
        if stored is None:
            raise
        return stored.value


async def _export_asked(request: ApiRequest, app: App) -> Export:
    stored = await app.exports.get(request.route["id"])
    if stored is None or stored.value.expires_at <= app.now():
        raise unknown(
            "export",
            f"There is no export {request.route['id']!r}; exports are removed after some days, "
            "ask for a new one.",
        )
    return stored.value
