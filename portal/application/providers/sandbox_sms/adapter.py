"""The sandbox's SMS company: composing one message and reading what became of it.

Application zone; pure. Recipient and text are placeholders: no number or name passes here.
"""

from typing import Final

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
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest

_TIMEOUT_S: Final = 8.0
_OK: Final = 200
_CREATED: Final = 201
_BUSY: Final = {
    401: "credential_refused",
    403: "credential_refused",
    429: "provider_busy",
    503: "provider_busy",
}
"""Answers after which the company holds nothing and the same message may go again."""
_REFUSALS: Final = frozenset({400, 404, 409, 413, 415, 422})
_KNOWN: Final = frozenset({"invalid_number", "text_too_long"})
"""The company's codes that mean the same to us; any other is just a refusal."""


class _Taken(msgspec.Struct, frozen=True):
    id: str
    status: str


class _Refusal(msgspec.Struct, frozen=True):
    code: str


class SandboxSms:
    """SMS: see :class:`portal.application.channels.sms.SendsSms`; ``company`` names its key."""

    def __init__(self, company: str) -> None:
        """The credential's name stands in each request; the relay puts the key in."""
        self._headers = {
            "authorization": f"Bearer {{{{credential:{company}}}}}",
            "accept": "application/json",
            "content-type": "application/json",
        }

    def compose(self, endpoint: Endpoint, wanted: MessageWanted) -> Exchange[MessageAnswer]:
        """One message under the delivery's key; what a repeat does is the company's to say."""
        body = {
            "to": "{{delivery:to}}",
            "from": wanted.sender,
            "text": "{{delivery:body}}",
            "reference": wanted.key,
            "account": wanted.account,
        }
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method="POST",
            path="/v1/messages",
            headers=self._headers,
            body=msgspec.json.encode(body).decode(),
            body_kind="json",
            delivery_id=wanted.delivery_id,
            timeout_s=_TIMEOUT_S,
        )
        return Exchange(request, _read)


ADAPTER: Final = SandboxSms("sandbox_sms")


def _read(answer: OutboundAnswer) -> MessageAnswer:
    return read_way(answer) or _read_answered(answer)


def _read_answered(answer: OutboundAnswer) -> MessageAnswer:
    if answer.status in _BUSY:
        return busy(_BUSY[answer.status], retry_after_s=read_retry_after(answer))
    if answer.status in _REFUSALS:
        return MessageAnswer("rejected", code=_refusal_code(answer))
    taken = read_json(answer, _Taken) if answer.status in {_OK, _CREATED} else None
    if taken is None:
        return unreadable()
    return MessageAnswer("accepted", provider_ref=taken.id)


def _refusal_code(answer: OutboundAnswer) -> str:
    refusal = read_json(answer, _Refusal)
    return refusal.code if refusal is not None and refusal.code in _KNOWN else "provider_refused"
