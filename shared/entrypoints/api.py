"""The HTTP functions: each hands its request to a handler of `shared.web`.

All but health ask for a function key. Every route is under the `api` prefix of host.json.
"""

import azure.functions as func

from shared.entrypoints.http import KEY, serve
from shared.web import (
    api,
    audit,
    cancel,
    channels,
    event_schemas,
    evidence,
    health,
    lineage,
    parked,
    pausing,
    publish,
    releases,
)

bp = func.Blueprint()


@bp.route(route="v1/images/{name}/publish", methods=["POST"], auth_level=KEY)
async def api_publish_image(req: func.HttpRequest) -> func.HttpResponse:
    """Start a build of an image now."""
    return await serve(req, publish.publish_image)


@bp.route(route="v1/images", methods=["GET"], auth_level=KEY)
async def api_list_images(req: func.HttpRequest) -> func.HttpResponse:
    """List the images Assay makes."""
    return await serve(req, api.list_images)


@bp.route(route="v1/images/{name}", methods=["GET"], auth_level=KEY)
async def api_get_image(req: func.HttpRequest) -> func.HttpResponse:
    """Show one image."""
    return await serve(req, api.get_image)


@bp.route(route="v1/images/{name}/versions", methods=["GET"], auth_level=KEY)
async def api_list_versions(req: func.HttpRequest) -> func.HttpResponse:
    """List the versions of an image."""
    return await serve(req, api.list_versions)


@bp.route(route="v1/images/{name}/versions/{version}", methods=["GET"], auth_level=KEY)
async def api_get_version(req: func.HttpRequest) -> func.HttpResponse:
    """Show one image version."""
    return await serve(req, api.get_version)


@bp.route(route="v1/images/{name}/versions/{version}/lineage", methods=["GET"], auth_level=KEY)
async def api_get_lineage(req: func.HttpRequest) -> func.HttpResponse:
    """Show what an image version was built from, and what was built from it."""
    return await serve(req, lineage.get_lineage)


@bp.route(route="v1/images/{name}/versions/{version}/software", methods=["GET"], auth_level=KEY)
async def api_get_software(req: func.HttpRequest) -> func.HttpResponse:
    """Show what is installed in an image version."""
    return await serve(req, evidence.get_software)


@bp.route(route="v1/images/{name}/versions/{version}/sbom", methods=["GET"], auth_level=KEY)
async def api_get_sbom(req: func.HttpRequest) -> func.HttpResponse:
    """Show the software bill of materials of an image version."""
    return await serve(req, evidence.get_sbom)


@bp.route(route="v1/images/{name}/versions/{version}/provenance", methods=["GET"], auth_level=KEY)
async def api_get_provenance(req: func.HttpRequest) -> func.HttpResponse:
    """Show the signed provenance of an image version."""
    return await serve(req, evidence.get_provenance)


@bp.route(route="v1/images/{name}/diff", methods=["GET"], auth_level=KEY)
async def api_get_diff(req: func.HttpRequest) -> func.HttpResponse:
    """Show what differs in software between two versions."""
    return await serve(req, evidence.get_diff)


@bp.route(route="v1/signing-key", methods=["GET"], auth_level=KEY)
async def api_get_signing_key(req: func.HttpRequest) -> func.HttpResponse:
    """Show the public key evidence is signed with."""
    return await serve(req, evidence.get_signing_key)


@bp.route(route="v1/tattoos/prove", methods=["POST"], auth_level=KEY)
async def api_prove_tattoo(req: func.HttpRequest) -> func.HttpResponse:
    """Hold a tattoo against the register."""
    return await serve(req, evidence.prove_tattoo)


@bp.route(route="v1/images/{name}/channels", methods=["GET"], auth_level=KEY)
async def api_list_channels(req: func.HttpRequest) -> func.HttpResponse:
    """List the channels of an image."""
    return await serve(req, channels.list_channels)


@bp.route(route="v1/images/{name}/channels/{channel}", methods=["GET"], auth_level=KEY)
async def api_get_channel(req: func.HttpRequest) -> func.HttpResponse:
    """Show the version a channel shows."""
    return await serve(req, channels.get_channel)


@bp.route(route="v1/images/{name}/versions/{version}/promote", methods=["POST"], auth_level=KEY)
async def api_promote_version(req: func.HttpRequest) -> func.HttpResponse:
    """Move a channel to a version."""
    return await serve(req, releases.promote_version)


@bp.route(route="v1/images/{name}/versions/{version}/approve", methods=["POST"], auth_level=KEY)
async def api_approve_version(req: func.HttpRequest) -> func.HttpResponse:
    """Let a version enter a channel."""
    return await serve(req, releases.approve_version)


@bp.route(route="v1/images/{name}/versions/{version}/revoke", methods=["POST"], auth_level=KEY)
async def api_revoke_version(req: func.HttpRequest) -> func.HttpResponse:
    """Let a version be used no more."""
    return await serve(req, releases.revoke_version)


@bp.route(route="v1/images/{name}/versions/{version}/restore", methods=["POST"], auth_level=KEY)
async def api_restore_version(req: func.HttpRequest) -> func.HttpResponse:
    """Undo a revocation."""
    return await serve(req, releases.restore_version)


@bp.route(route="v1/images/{name}/versions/{version}/retire", methods=["POST"], auth_level=KEY)
async def api_retire_version(req: func.HttpRequest) -> func.HttpResponse:
    """Announce that a version is to be deleted."""
    return await serve(req, releases.retire_version)


@bp.route(route="v1/images/{name}/channels/{channel}/rollback", methods=["POST"], auth_level=KEY)
async def api_roll_back_channel(req: func.HttpRequest) -> func.HttpResponse:
    """Move a channel back."""
    return await serve(req, releases.roll_back_channel)


@bp.route(route="v1/images/{name}/pause", methods=["POST"], auth_level=KEY)
async def api_pause_image(req: func.HttpRequest) -> func.HttpResponse:
    """Let no builds of an image start by themselves."""
    return await serve(req, pausing.pause_image)


@bp.route(route="v1/images/{name}/resume", methods=["POST"], auth_level=KEY)
async def api_resume_image(req: func.HttpRequest) -> func.HttpResponse:
    """Let builds of an image start by themselves again."""
    return await serve(req, pausing.resume_image)


@bp.route(route="v1/builds", methods=["GET"], auth_level=KEY)
async def api_list_builds(req: func.HttpRequest) -> func.HttpResponse:
    """List the builds."""
    return await serve(req, api.list_builds)


@bp.route(route="v1/builds/{id}", methods=["GET"], auth_level=KEY)
async def api_get_build(req: func.HttpRequest) -> func.HttpResponse:
    """Show one build."""
    return await serve(req, api.get_build)


@bp.route(route="v1/builds/{id}/cancel", methods=["POST"], auth_level=KEY)
async def api_cancel_build(req: func.HttpRequest) -> func.HttpResponse:
    """End a build."""
    return await serve(req, cancel.cancel_build)


@bp.route(route="v1/audit", methods=["GET"], auth_level=KEY)
async def api_list_audit(req: func.HttpRequest) -> func.HttpResponse:
    """List who asked for what, and why."""
    return await serve(req, audit.list_audit)


@bp.route(route="v1/schemas/events/{file}", methods=["GET"], auth_level=KEY)
async def api_get_event_schema(req: func.HttpRequest) -> func.HttpResponse:
    """Show the JSON Schema of an event's data."""
    return await serve(req, event_schemas.get_event_schema)


@bp.route(route="v1/messages/parked", methods=["GET"], auth_level=KEY)
async def api_list_parked(req: func.HttpRequest) -> func.HttpResponse:
    """List the parked messages."""
    return await serve(req, parked.list_parked)


@bp.route(route="v1/messages/parked/{id}", methods=["GET"], auth_level=KEY)
async def api_get_parked(req: func.HttpRequest) -> func.HttpResponse:
    """Show one parked message."""
    return await serve(req, parked.get_parked)


@bp.route(route="v1/messages/parked/{id}/replay", methods=["POST"], auth_level=KEY)
async def api_replay_parked(req: func.HttpRequest) -> func.HttpResponse:
    """Put a parked message back into its queue."""
    return await serve(req, parked.replay_parked)


@bp.route(route="v1/messages/parked/{id}", methods=["DELETE"], auth_level=KEY)
async def api_discard_parked(req: func.HttpRequest) -> func.HttpResponse:
    """Forget a parked message."""
    return await serve(req, parked.discard_parked)


@bp.route(route="v1/health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def api_check_health(req: func.HttpRequest) -> func.HttpResponse:
    """Say whether Assay is up."""
    return await serve(req, health.check_health)
