"""Bodies of the protocol type as answers of the relay bring them. Application zone; pure."""

from portal.domain.refund_word import gmopg_body
from portal.domain.refund_word.word import Said
from portal.kit.outbound.wire import OutboundAnswer


def read_pairs(answer: OutboundAnswer) -> dict[str, str] | None:
    """The answer's values, or None when it is no body of the protocol type (an error page, say)."""
    if answer.fate != "answered":
        return None
    return gmopg_body.read_pairs(Said(answer.status, answer.body))
