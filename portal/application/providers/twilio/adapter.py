"""Twilio's interface: asking for one text message or one call, and reading what it said.

Application zone; pure. Number, text and the address for callbacks are placeholders: nobody here
chooses whom to call, or who words the call. No key makes a repeat safe, so whatever may have
happened is ``unknown``, and only a callback tells. Its lists can't be asked: they are filtered by
telephone number, which would stand in an address, and answer with everybody's numbers and texts.

Source: Twilio, "Messages resource", "Calls resource" and "Error and warning dictionary".
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import msgspec

from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    MessageAnswer,
    MessageWanted,
    read_json,
    read_retry_after,
)
from portal.application.providers.refusal import busy, read_way, unreadable
from portal.domain.errors import InvariantBroken
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest

RINGS_S: Final = 40
"""How long a telephone rings; most answering machines of homes come before, carriers' behind."""

_TIMEOUT_S: Final = 10.0
_CREATED: Final = 201
_BUSY: Final[Mapping[int, str]] = {
    401: "credential_refused",
    429: "provider_busy",
}
"""Answers after which the company holds nothing and the same message may go again."""
_REFUSALS: Final = frozenset({400, 403, 404, 405, 413, 415})
_OURS: Final[Mapping[int, str]] = {
    20003: "credential_refused",
    21210: "sender_refused",
    21212: "sender_refused",
    21213: "sender_refused",
    21603: "sender_refused",
    21606: "sender_refused",
    21607: "sender_refused",
    21659: "sender_refused",
    21660: "sender_refused",
}
"""The company's codes that speak of our account or of the merchant's number: it is none of the
account's, missing, not confirmed, or can't carry this. The merchant's next message fares the
same."""
_KNOWN: Final[Mapping[int, str]] = {
    13223: "number_unknown",
    13224: "number_unknown",
    21211: "number_unknown",
    21214: "number_unreachable",
    21217: "number_unknown",
    21401: "number_unknown",
    21610: "recipient_opted_out",
    21614: "number_no_sms",
    21617: "text_too_long",
}
"""The company's codes that mean the same to us; any other is just a refusal."""


class _Taken(msgspec.Struct, frozen=True):
    sid: str
    status: str | None = None


class _Refusal(msgspec.Struct, frozen=True):
    code: int | None = None


class Twilio:
    """One resource at the company: see :class:`portal.application.channels.sms.SendsSms`."""

    def __init__(self, credential: str, resource: str, fields: Mapping[str, str]) -> None:
        """``fields`` are the form's, beside the sender; ``credential`` names its basic authority.

        The credential itself is the base64 of ``AccountSid:AuthToken``, or of an API key's.
        """
        self._resource = resource
        self._fields = dict(fields)
        self._headers = {
            "authorization": f"Basic {{{{credential:{credential}}}}}",
            "accept": "application/json",
        }

    def compose(self, endpoint: Endpoint, wanted: MessageWanted) -> Exchange[MessageAnswer]:
        """One message or call; ``endpoint.account`` is the account's SID.

        Raises: InvariantBroken ``provider_unconfigured`` for an endpoint without one.
        """
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method="POST",
            path=f"/2010-04-01/Accounts/{_account(endpoint)}/{self._resource}.json",
            headers=self._headers,
            body=urlencode({"From": wanted.sender, **self._fields}),
            body_kind="form",
            delivery_id=wanted.delivery_id,
            timeout_s=_TIMEOUT_S,
        )
        return Exchange(request, _read)


def sms_at(credential: str) -> Twilio:
    """Text messages under a credential; each brings the address at which its fate is told."""
    return Twilio(
        credential,
        "Messages",
        {
            "To": "{{delivery:to}}",
            "Body": "{{delivery:body}}",
            "StatusCallback": "{{delivery:callback}}",
        },
    )


def voice_at(credential: str) -> Twilio:
    """Calls under a credential: the company asks at the call's own address what to say."""
    return Twilio(
        credential,
        "Calls",
        {
            "To": "{{delivery:to}}",
            "Url": "{{delivery:callback}}",
            "StatusCallback": "{{delivery:callback}}/status",
            "Timeout": str(RINGS_S),
            "MachineDetection": "Enable",
        },
    )


SMS: Final = sms_at("twilio")
VOICE: Final = voice_at("twilio")


def _account(endpoint: Endpoint) -> str:
    match endpoint.account:
        case (sid,):
            return sid
        case _:
            raise InvariantBroken("provider_unconfigured", context="no account in the endpoint")


def _read(answer: OutboundAnswer) -> MessageAnswer:
    return read_way(answer) or _read_answered(answer)


def _read_answered(answer: OutboundAnswer) -> MessageAnswer:
    if answer.status in _BUSY:
        return busy(_BUSY[answer.status], retry_after_s=read_retry_after(answer))
    if answer.status in _REFUSALS:
        return _read_refusal(answer)
    taken = read_json(answer, _Taken) if answer.status == _CREATED else None
    if taken is None:
        return unreadable()
    return MessageAnswer("accepted", provider_ref=taken.sid)


def _read_refusal(answer: OutboundAnswer) -> MessageAnswer:
    refusal = read_json(answer, _Refusal)
    code = None if refusal is None else refusal.code
    if code is not None and code in _OURS:
        return busy(_OURS[code])
    said = "provider_refused" if code is None else _KNOWN.get(code, "provider_refused")
    return MessageAnswer("rejected", code=said)
