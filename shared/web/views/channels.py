"""Channels as the API answers them."""

from shared.domain.channel import ImageChannels, Move
from shared.domain.image_version import ImageVersion
from shared.domain.release_rules import ChannelRule
from shared.web.exchange import Json, Links
from shared.web.views.values import instant, instant_or_none

_MOVES = 20
"""Moves of a channel that are answered, the newest ones."""


def channel_summary(
    known: ImageChannels, rule: ChannelRule, version: ImageVersion | None, links: Links
) -> Json:
    """Return a channel as lists show it; `version` and `id` are null before the first release."""
    channel = known.channel(rule.name)
    return {
        "image": known.definition,
        "channel": rule.name,
        "version": version.version if version else None,
        "id": version.resource_id if version else None,
        "state": version.state.value if version else None,
        "source_version": version.source_version if version else None,
        "regions": list(version.regions) if version else [],
        "since": instant_or_none(channel.since),
        "waiting": channel.waiting or None,
        "needs_approval": rule.approval,
        "url": links.to("images", known.definition, "channels", rule.name),
        "version_url": (
            links.to("images", known.definition, "versions", version.version) if version else None
        ),
    }


def channel_view(
    known: ImageChannels, rule: ChannelRule, version: ImageVersion, links: Links
) -> Json:
    """Return everything about a channel: what it shows, and how it came there."""
    moves = known.channel(rule.name).moves
    return {
        **channel_summary(known, rule, version, links),
        "history": [_move(m) for m in reversed(moves[-_MOVES:])],
    }


def _move(move: Move) -> Json:
    return {
        "kind": move.kind.value,
        "from": move.old or None,
        "to": move.new or None,
        "at": instant(move.at),
        "by": move.by,
        "because": move.because,
    }
