"""A note as Teams and Slack show it. What a note says is text: none of it is ever markup.

Teams reads Markdown in a TextBlock and in a FactSet, so text goes into TextRuns, which it shows as
they are. Slack reads `&`, `<` and `>` in any text, so they are written as entities.
"""

from typing import Any

from shared.ports import Note

type Json = dict[str, Any]

_CARD = "application/vnd.microsoft.card.adaptive"
_LONGEST_TITLE = 150
"""Characters of a Slack header (https://docs.slack.dev/reference/block-kit/blocks/header-block)."""
_LONGEST_TEXT = 2000
"""Characters of one text: Slack takes 3,000 in a section and 2,000 in a field, a Teams message
28 KB in all (https://learn.microsoft.com/microsoftteams/limits-specifications-teams)."""
_MOST_FACTS = 10
"""Fields of a Slack section."""


def teams_message(note: Note, url: str) -> Json:
    """Return *note* as a Teams workflow takes it: a message with one Adaptive Card."""
    facts = [
        _runs((f"{label}: ", {"weight": "Bolder"}), (_cut(value), {}))
        for label, value in note.facts[:_MOST_FACTS]
    ]
    card: Json = {
        "$schema": "https://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            _runs((_cut(note.title, _LONGEST_TITLE), {"weight": "Bolder", "size": "Medium"})),
            *([_runs((_cut(note.text), {}))] if note.text else []),
            *facts,
        ],
    }
    if url:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open", "url": url}]
    return {
        "type": "message",
        "attachments": [{"contentType": _CARD, "contentUrl": None, "content": card}],
    }


def slack_message(note: Note, url: str) -> Json:
    """Return *note* as a Slack incoming webhook takes it: blocks, and a text for notifications."""
    title = _cut(note.title, _LONGEST_TITLE)
    blocks: list[Json] = [{"type": "header", "text": _plain(title)}]
    if note.text:
        blocks.append({"type": "section", "text": _plain(_cut(note.text))})
    if note.facts:
        fields = [_plain(_cut(f"{label}: {value}")) for label, value in note.facts[:_MOST_FACTS]]
        blocks.append({"type": "section", "fields": fields})
    if url:
        button = {"type": "button", "text": _plain("Open"), "url": url}
        blocks.append({"type": "actions", "elements": [button]})
    return {"text": _escaped(title), "blocks": blocks}


def _runs(*parts: tuple[str, Json]) -> Json:
    return {
        "type": "RichTextBlock",
        "inlines": [{"type": "TextRun", "text": text, **looks} for text, looks in parts],
    }


def _plain(text: str) -> Json:
    return {"type": "plain_text", "text": _escaped(text), "emoji": False}


def _escaped(text: str) -> str:
    """(https://docs.slack.dev/messaging/formatting-message-text)"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, longest: int = _LONGEST_TEXT) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
