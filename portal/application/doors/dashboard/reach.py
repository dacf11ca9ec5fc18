"""The funnel by channel as screens show it.

Zone: application. A channel that no text names yet is shown by its own name.
"""

from collections.abc import Mapping
from typing import Any

from portal.application.doors.graphql.execute import Data
from portal.application.doors.locales import TEXTS
from portal.domain.message import MESSAGE


def channel_name(channel: str, language: str) -> str:
    """What people call a channel."""
    texts = TEXTS[language]
    found = texts.find(f"funnel.channels.{channel.lower() or 'none'}")
    return found if isinstance(found, str) else channel


def channel_rows(funnel: Data, language: str) -> list[Mapping[str, Any]]:
    """The rows of the table by channel, those of messages first."""
    rows = [{**row, "name": channel_name(row["channel"], language)} for row in funnel["channels"]]
    shown = [row for row in rows if row["planned"] or row["opened"] or row["paid"]]
    return sorted(shown, key=lambda row: (not row["planned"], -row["planned"]))


def message_rows(bill: Data, language: str) -> list[Mapping[str, Any]]:
    """The messages about a bill, each with its channel's name and the badge of its state."""
    return [
        {
            **one,
            "channelName": channel_name(one["channel"], language),
            "badge": MESSAGE[one["state"]],
        }
        for one in bill["messages"]
    ]
