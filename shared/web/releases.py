"""POST images/{name}/versions/{version}/… and channels/{channel}/rollback: moves of a release."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.domain.channel import ImageChannels
from shared.domain.image_definition import ImageDefinition
from shared.domain.image_version import ImageVersion
from shared.errors import NotAllowedError
from shared.messages import (
    ApproveImage,
    Command,
    MoveChannel,
    RestoreVersion,
    RetireVersion,
    RevokeVersion,
)
from shared.web.api import definition_asked, links, version_asked
from shared.web.app import App
from shared.web.channels import channel_asked, channels_of
from shared.web.evidence import software_of_moves
from shared.web.exchange import ApiRequest, ApiResponse, Json
from shared.web.moves import Move, carry_out, image_scope, request_token, running
from shared.web.principal import caller
from shared.web.problems import unknown
from shared.web.schema import (
    ApproveBody,
    NoQuery,
    PromoteBody,
    ReasonBody,
    RevokeBody,
    RollbackBody,
    read_body,
    read_query,
)
from shared.web.views.images import version_summary
from shared.web.views.values import instant, instant_or_none


async def promote_version(request: ApiRequest, app: App) -> ApiResponse:
    """Move a channel to a version; without `channel` the one after those that show it."""
    body = read_body(request, PromoteBody)

    def ask(of: _Asked) -> Command:
        return MoveChannel(
            definition=of.definition.name,
            channel=_known(of, body.channel) or _next_channel(of),
            by=of.who,
            because=body.reason or "promoted by hand",
            request=of.token,
            image_version=of.version,
        )

    return await _move_version("promote", body.reason or "", ask, request, app)


async def approve_version(request: ApiRequest, app: App) -> ApiResponse:
    """Let a version enter a channel that asks for approval; the first such one by default."""
    body = read_body(request, ApproveBody)

    def ask(of: _Asked) -> Command:
        return ApproveImage(
            definition=of.definition.name,
            channel=_known(of, body.channel) or _asks_for_approval(of),
            image_version=of.version,
            by=of.who,
            because=body.reason,
        )

    return await _move_version("approve", body.reason, ask, request, app)


async def revoke_version(request: ApiRequest, app: App) -> ApiResponse:
    """Let a version be used no more, now or at a time; what was built from it too, by default."""
    body = read_body(request, RevokeBody)

    def ask(of: _Asked) -> Command:
        return RevokeVersion(
            definition=of.definition.name,
            image_version=of.version,
            by=of.who,
            because=body.reason,
            request=of.token,
            at=body.at,
            inherit=body.inherit,
            force=body.force,
        )

    return await _move_version("revoke", body.reason, ask, request, app)


async def restore_version(request: ApiRequest, app: App) -> ApiResponse:
    """Undo the revocation of a version, and of those revoked because of it."""
    body = read_body(request, ReasonBody)

    def ask(of: _Asked) -> Command:
        return RestoreVersion(
            definition=of.definition.name,
            image_version=of.version,
            by=of.who,
            because=body.reason,
            request=of.token,
        )

    return await _move_version("restore", body.reason, ask, request, app)


async def retire_version(request: ApiRequest, app: App) -> ApiResponse:
    """Announce that a version is to be deleted; it goes after the notice of its definition."""
    body = read_body(request, ReasonBody)

    def ask(of: _Asked) -> Command:
        return RetireVersion(
            definition=of.definition.name, image_version=of.version, by=of.who, because=body.reason
        )

    return await _move_version("retire", body.reason, ask, request, app)


async def roll_back_channel(request: ApiRequest, app: App) -> ApiResponse:
    """Move a channel back to the last good version it showed before, or to the one named."""
    read_query(request, NoQuery)
    definition = definition_asked(request, app)
    channel = channel_asked(request, definition)
    body = read_body(request, RollbackBody)
    name = definition.name

    async def look() -> Json:
        return _shown(definition, await channels_of(definition, app))

    async def view() -> Json:
        return {
            "image": name,
            "channel": channel.name,
            "channels": (await look())["channels"],
            "url": links(request, app).to("images", name, "channels", channel.name),
        }

    command = MoveChannel(
        definition=name,
        channel=channel.name,
        by=caller(request, app),
        because=body.reason,
        request=request_token(request, app),
        image_version=body.version or "",
    )
    move = Move(
        what="rollback",
        scope=image_scope(name),
        subject=f"images/{name}/channels/{channel.name}",
        why=body.reason,
        look=look,
        act=running(command, view, request, app),
    )
    return await carry_out(move, request, app)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a move of a version is about, and who asks."""

    definition: ImageDefinition
    version: str
    channels: ImageChannels
    who: str
    token: str


async def _move_version(
    what: str, why: str, ask: Callable[[_Asked], Command], request: ApiRequest, app: App
) -> ApiResponse:
    """Carry out the command that *ask* makes; 200 with the version as it is then."""
    read_query(request, NoQuery)
    definition = definition_asked(request, app)
    version = (await version_asked(request, app)).version
    name = definition.name
    before = _shown(definition, await channels_of(definition, app))["channels"]

    async def look() -> Json:
        known = await channels_of(definition, app)
        return {**_version_state(await version_asked(request, app), known),
                **_shown(definition, known)}  # fmt: skip

    async def view() -> Json:
        row = await version_asked(request, app)
        now = await look()
        moved = await software_of_moves(name, before, now["channels"], request, app)
        return {**version_summary(row, links(request, app)), **now, "software": moved}

    async def act() -> ApiResponse:
        of = _Asked(
            definition=definition,
            version=version,
            channels=await channels_of(definition, app),
            who=caller(request, app),
            token=request_token(request, app),
        )
        return await running(ask(of), view, request, app)()

    move = Move(
        what=what,
        scope=image_scope(name),
        subject=f"images/{name}/versions/{version}",
        why=why,
        look=look,
        act=act,
    )
    return await carry_out(move, request, app)


def _version_state(version: ImageVersion, known: ImageChannels) -> Json:
    revocation = known.revocation(version.version)
    return {
        "state": version.state.value,
        "excluded_from_latest": version.excluded_from_latest,
        "revoked_from": instant_or_none(revocation.since if revocation else None),
        "delete_after": instant_or_none(
            version.retirement.delete_after if version.retirement else None
        ),
        "approvals": [
            {"channel": a.channel, "by": a.by, "because": a.because, "at": instant(a.at)}
            for a in known.approvals
            if a.version == version.version
        ],
    }


def _shown(definition: ImageDefinition, known: ImageChannels) -> Json:
    return {
        "channels": {c.name: known.channel(c.name).version or None for c in definition.channels}
    }


def _known(of: _Asked, channel: str | None) -> str:
    """Return *channel*; raises ProblemError (404) when the definition has none of that name."""
    names = [c.name for c in of.definition.channels]
    if channel and channel not in names:
        raise unknown(
            "channel",
            f"Image {of.definition.name!r} has no channel {channel!r}; it has: {', '.join(names)}.",
            known=names,
        )
    return channel or ""


def _next_channel(of: _Asked) -> str:
    """Return the channel after the last one that shows the version; the last one has none."""
    names = [c.name for c in of.definition.channels]
    shows = [i for i, name in enumerate(names) if of.channels.channel(name).version == of.version]
    return names[min(max(shows, default=-1) + 1, len(names) - 1)]


def _asks_for_approval(of: _Asked) -> str:
    """Return the first channel that asks for approval and has not got it for the version."""
    asking = [c.name for c in of.definition.channels if c.approval]
    if not asking:
        raise NotAllowedError(
            f"no channel of {of.definition.name} asks for approval; promote the version instead",
            kind="no-approval-needed",
        )
    open_ = [name for name in asking if not of.channels.approved(of.version, name)]
    return (open_ or asking)[0]
