"""What COMPANY says in its notices: hints about attempts, never believed.

Application zone; pure. If the company signs, check the signature over the raw bytes before anything
is read; an inquiry follows either way. A carrier's receipts have the subject ``delivery``.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final

import msgspec

from portal.application.providers.exchange import NOTICE_EVENTS_MAX, in_utc
from portal.contract.payment import NoticeClaim
from portal.domain.errors import InvalidInput

_Text = Annotated[str, msgspec.Meta(max_length=64, pattern="^[!-~]+$")]
_Aware = Annotated[datetime, msgspec.Meta(tz=True)]


class _Event(msgspec.Struct, frozen=True):
    id: _Text
    reference: _Text
    status: _Text
    at: _Aware | None = None


class _Notice(msgspec.Struct, frozen=True):
    events: Annotated[tuple[_Event, ...], msgspec.Meta(min_length=1, max_length=NOTICE_EVENTS_MAX)]


class TemplateNotices:
    """Notice reader: see :class:`portal.application.providers.registry.ReadsNotices`."""

    def parse(self, raw: bytes, headers: Mapping[str, str]) -> tuple[NoticeClaim, ...]:
        """The claims in order of arrival. Raises InvalidInput ``notice_malformed``."""
        del headers
        try:
            notice = msgspec.json.decode(raw, type=_Notice)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise InvalidInput("notice_malformed") from None
        return tuple(
            NoticeClaim(
                notice_id=event.id,
                subject="attempt",
                reference=event.reference,
                claim=event.status,
                at=in_utc(event.at),
            )
            for event in notice.events
        )


NOTICES: Final = TemplateNotices()
