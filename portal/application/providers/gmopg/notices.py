"""What GMO Payment Gateway says in its result notices: hints about attempts, unsigned.

Application zone; pure. A notice is a form in Windows-31J about one order; it has no id, so that its
own digest is one: the same words again are the same notice.

Source: docs/decisions/0004 (the company's document is under an agreement with each merchant).
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from portal.application.providers.exchange import in_utc
from portal.contract.payment import NoticeClaim
from portal.domain.errors import InvalidInput
from portal.domain.payment_word.gmopg_counter import COUNTER_FOUND
from portal.domain.payment_word.gmopg_trade import FOUND, read_moment
from portal.domain.refund_word.gmopg_body import CHARSET

_FIELDS_MAX: Final = 200
_DIGEST_LETTERS: Final = 40
_COUNTER: Final = "3"
_ORDER: Final = re.compile(r"[A-Za-z0-9-]{1,27}")
_STATUS: Final = re.compile(r"[A-Z]{1,32}")


class GmoPgNotices:
    """Notice reader: see :class:`portal.application.providers.registry.ReadsNotices`."""

    def parse(self, raw: bytes, headers: Mapping[str, str]) -> tuple[NoticeClaim, ...]:
        """One claim. Raises InvalidInput ``notice_malformed``."""
        del headers
        try:
            text = raw.decode(CHARSET, errors="replace")
            pairs = parse_qsl(
                text, keep_blank_values=True, encoding=CHARSET, max_num_fields=_FIELDS_MAX
            )
        except ValueError:
            raise InvalidInput("notice_malformed") from None
        fields = dict(pairs)
        order, status = fields.get("OrderID", ""), fields.get("Status", "")
        if (
            len(fields) != len(pairs)
            or not _ORDER.fullmatch(order)
            or not _STATUS.fullmatch(status)
        ):
            raise InvalidInput("notice_malformed")
        claim = NoticeClaim(
            notice_id=f"h-{hashlib.sha256(raw).hexdigest()[:_DIGEST_LETTERS]}",
            subject="attempt",
            reference=order,
            claim=_states_of(fields).get(status, status.lower()),
            at=in_utc(read_moment(fields.get("FinishDate") or fields.get("TranDate", ""))),
        )
        return (claim,)


def _states_of(fields: Mapping[str, str]) -> Mapping[str, str]:
    """One word means one thing of a card and another of a number for a counter."""
    return COUNTER_FOUND if fields.get("PayType") == _COUNTER else FOUND


NOTICES: Final = GmoPgNotices()
