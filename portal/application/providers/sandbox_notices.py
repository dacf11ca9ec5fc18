"""What the sandbox's companies say in their notices: one form, whose words differ by company.

Application zone; pure. Unsigned: anyone can post here, so a claim about a payment only makes the
portal ask, and a receipt of a message may move a delivery forward and nothing else.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec

from portal.application.providers.exchange import NOTICE_EVENTS_MAX, in_utc
from portal.contract.payment import NoticeClaim
from portal.domain.errors import InvalidInput

_Text = Annotated[str, msgspec.Meta(max_length=64, pattern="^[!-~]+$")]
_Aware = Annotated[datetime, msgspec.Meta(tz=True)]


class _Event(msgspec.Struct, frozen=True):
    """``payment`` or ``message`` is the company's own id of what it speaks of."""

    id: _Text
    reference: _Text
    status: _Text
    payment: _Text | None = None
    message: _Text | None = None
    at: _Aware | None = None


class _Notice(msgspec.Struct, frozen=True):
    events: Annotated[tuple[_Event, ...], msgspec.Meta(min_length=1, max_length=NOTICE_EVENTS_MAX)]


_SUBJECTS: Final[Mapping[str, Literal["attempt", "delivery"]]] = {
    "payment": "attempt",
    "message": "delivery",
}
"""The company's word for what it speaks of → ours."""


class SandboxNotices:
    """Notice reader: see :class:`portal.application.providers.registry.ReadsNotices`."""

    def __init__(self, word: Literal["payment", "message"]) -> None:
        """``word``: what the company's events are about; every event must name one."""
        self._word = word

    def parse(self, raw: bytes, headers: Mapping[str, str]) -> tuple[NoticeClaim, ...]:
        """The claims in order of arrival; headers carry nothing for these companies.

        Raises InvalidInput ``notice_malformed``.
        """
        del headers
        try:
            notice = msgspec.json.decode(raw, type=_Notice)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise InvalidInput("notice_malformed") from None
        return tuple(map(self._claim, notice.events))

    def _claim(self, event: _Event) -> NoticeClaim:
        if (event.payment if self._word == "payment" else event.message) is None:
            raise InvalidInput("notice_malformed")
        return NoticeClaim(
            notice_id=event.id,
            subject=_SUBJECTS[self._word],
            reference=event.reference,
            claim=event.status,
            at=in_utc(event.at),
        )
