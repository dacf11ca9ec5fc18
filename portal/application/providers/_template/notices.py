"""What COMPANY says in its notices: hints about attempts, never believed.

Application zone; pure. If the company signs, check the signature over the raw bytes before anything
is read; an inquiry follows either way.
"""

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

from portal.contract.payment import NoticeClaim
from portal.domain.errors import InvalidInput

_Text = Annotated[str, msgspec.Meta(max_length=64, pattern="^[!-~]+$")]


class _Notice(msgspec.Struct, frozen=True):
    id: _Text
    reference: _Text
    status: _Text


class TemplateNotices:
    """Notice reader: see :class:`portal.application.providers.registry.ReadsNotices`."""

    def parse(self, raw: bytes, headers: Mapping[str, str]) -> tuple[NoticeClaim, ...]:
        """The one claim of a notice. Raises InvalidInput ``notice_malformed``."""
        del headers
        try:
            notice = msgspec.json.decode(raw, type=_Notice)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise InvalidInput("notice_malformed") from None
        claim = NoticeClaim(
            notice_id=notice.id,
            subject="attempt",
            reference=notice.reference,
            claim=notice.status,
            at=None,
        )
        return (claim,)


NOTICES: Final = TemplateNotices()
