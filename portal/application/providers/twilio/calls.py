"""A call at Twilio: what its callbacks say, and what is said into it (TwiML). Pure.

Source: Twilio, "TwiML for Programmable Voice" (Gather, Say, Hangup), "Call resource" (statuses),
"Answering Machine Detection".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from portal.application.providers.twilio.signature import HEADER, is_genuine, read_fields
from portal.contract.call import CallTurn
from portal.domain.call import CallStatus
from portal.domain.errors import InvalidInput

MEDIA_TYPE: Final = "text/xml"
WAIT_S: Final = 8
"""How long a prompt waits for a key after its last word."""

KEYS_MAX: Final = 8
_KEYS: Final = frozenset("0123456789*#")
_MACHINES: Final = ("machine", "fax")
_STATUSES: Final[Mapping[str, CallStatus]] = {
    "queued": "ringing",
    "initiated": "ringing",
    "ringing": "ringing",
    "in-progress": "ringing",
    "answered": "ringing",
    "completed": "over",
    "busy": "busy",
    "no-answer": "no_answer",
    "failed": "failed",
    "canceled": "canceled",
}
"""The company's word → ours."""
_NO_NUMBER: Final = frozenset({"404", "410", "484", "604"})
"""SIP's answers that say that there is no such number. Source: RFC 3261 §21.4, §21.6."""


@dataclass(frozen=True, slots=True)
class CallHeard:
    """What one callback says: of which call, what was pressed, how it stands."""

    call_ref: str
    keys: str
    is_machine: bool
    status: CallStatus


class TwilioCalls:
    """See :class:`portal.application.channels.voice.HoldsCalls`."""

    media_type = MEDIA_TYPE

    def is_genuine_at(
        self, address: str, raw: bytes, headers: Mapping[str, str], keys: Iterable[str]
    ) -> bool:
        """Whether one of ``keys`` signed these bytes for this address of ours."""
        return is_genuine(address, raw, headers.get(HEADER, ""), keys)

    def read(self, raw: bytes) -> CallHeard:
        """A callback's form. Raises InvalidInput ``notice_malformed``."""
        fields = dict(read_fields(raw) or ())
        call_ref, keys = fields.get("CallSid", ""), fields.get("Digits", "")
        status = _STATUSES.get(fields.get("CallStatus", ""))
        if not call_ref or status is None or not set(keys) <= _KEYS or len(keys) > KEYS_MAX:
            raise InvalidInput("notice_malformed")
        if status == "failed" and fields.get("SipResponseCode") in _NO_NUMBER:
            status = "number_wrong"
        return CallHeard(
            call_ref=call_ref,
            keys=keys,
            is_machine=fields.get("AnsweredBy", "").startswith(_MACHINES),
            status=status,
        )

    def write(self, turn: CallTurn, action: str) -> str:
        """The words, and where the keys go that answer them; without keys it hangs up.

        A gather that ends without a key goes there too, so the vault counts it as silence.
        """
        voice = quoteattr(turn.voice)
        said = "".join(f"<Say language={voice}>{escape(line)}</Say>" for line in turn.lines)
        if not turn.digits:
            return _document(f"{said}<Hangup/>")
        where = (
            f'input="dtmf" numDigits="{turn.digits}" timeout="{WAIT_S}" method="POST"'
            f' actionOnEmptyResult="true" action={quoteattr(action)}'
        )
        return _document(f"<Gather {where}>{said}</Gather>")

    def write_wait(self, address: str) -> str:
        """Come back in a moment, for the prompt at which the call is."""
        return _document(f'<Pause length="2"/><Redirect method="POST">{escape(address)}</Redirect>')


CALLS: Final = TwilioCalls()


def _document(inside: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inside}</Response>'
