"""What a caller asks the egress relay to send, and what comes back.

Requests name placeholders, never values: ``{{delivery:to}}``, ``{{delivery:body}}`` (of a
mail ``{{delivery:subject}}`` and ``{{delivery:html}}`` too) and ``{{credential:NAME}}`` in headers
and body. The relay fetches and escapes the values by ``body_kind``, sends, and returns the answer
with every substituted value scrubbed out of it.
"""

from typing import Final, Literal
from uuid import UUID

import msgspec

SLICE_MAX: Final = 100
"""Requests that may travel to the relay together."""

BodyKind = Literal["json", "form", "raw", "none"]

Fate = Literal["answered", "not_sent", "unclear"]
"""``answered``: a complete HTTP answer; ``not_sent``: nothing reached the host, repeating is safe;
``unclear``: the host may have acted, only an inquiry can tell."""


class OutboundRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTPS request to a listed host. ``timeout_s`` covers all of it, connect to last byte.

    ``signer`` names who at the relay signs it, as the rule has it; "" for nobody. A signed request
    has no Authorization header of its own. ``deposit_id``: under which the relay puts the answer
    into the vault, where the rule says so; the caller then learns no more than its status.
    ``about_refund``: the refund that it asks about, of which the vault hears the answer from the
    relay; the caller hears it, too, and is not believed. ``about_attempt``: the same of a payment,
    of the merchant with this public code.
    """

    host: str
    port: int
    method: str
    path: str
    headers: dict[str, str] = {}
    body: str = ""
    body_kind: BodyKind = "none"
    delivery_id: UUID | None = None
    timeout_s: float = 10.0
    signer: str = ""
    deposit_id: UUID | None = None
    about_refund: UUID | None = None
    about_attempt: UUID | None = None
    about_merchant: str = ""


SUBMIT: Final = "SUBMIT"
"""The method of a request that hands a mail in, by SMTP or as its rule says. It names a delivery
and nothing else: no header, no body, the path ``/``. What the mail says is the vault's, how it
looks the relay's."""

SubmitStage = Literal["greeting", "login", "sender", "recipient", "text", "done"]


class SubmitWord(msgspec.Struct, frozen=True, kw_only=True):
    """What a mail server said and to what; ``enhanced`` as RFC 3463 has it, or empty.

    It is the relay's own word, as JSON, in place of the server's, which may quote the addressee.
    """

    stage: SubmitStage
    code: int
    enhanced: str = ""


SesReason = Literal[
    "", "SenderNotVerified", "MessageRejected", "BadRequestException", "NotFoundException",
    "AccountSuspendedException", "SendingPausedException", "MailFromDomainNotVerifiedException",
    "LimitExceededException", "TooManyRequestsException", "ThrottlingException",
    "AccessDeniedException", "InvalidClientTokenId", "UnrecognizedClientException",
    "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "RequestExpired",
    "ExpiredTokenException", "OptInRequired",
]  # fmt: skip
"""What Amazon SES calls a refusal (SendEmail, "Common errors"); any other is told as "".
``SenderNotVerified`` is ours: SES says it in the words of a ``MessageRejected``."""


class SesWord(msgspec.Struct, frozen=True, kw_only=True):
    """What Amazon SES answered to one mail; ``message_id`` is its own name of what it took.

    It is the relay's own word, as JSON, in place of SES', which may quote the addressee.
    """

    status: int
    reason: SesReason = ""
    message_id: str = ""


PUSH: Final = "PUSH"
"""The method of a request that has a notification pushed to a browser or a device. Like SUBMIT it
names a delivery and nothing else."""

PushReason = Literal[
    "", "UNREGISTERED", "INVALID_ARGUMENT", "SENDER_ID_MISMATCH", "QUOTA_EXCEEDED",
    "RESOURCE_EXHAUSTED", "UNAVAILABLE", "INTERNAL", "THIRD_PARTY_AUTH_ERROR", "UNAUTHENTICATED",
    "PERMISSION_DENIED", "NOT_FOUND", "BadDeviceToken", "Unregistered", "DeviceTokenNotForTopic",
    "TopicDisallowed", "BadTopic", "PayloadTooLarge", "TooManyRequests",
    "TooManyProviderTokenUpdates", "ExpiredProviderToken", "InvalidProviderToken",
    "MissingProviderToken", "Forbidden", "InternalServerError", "ServiceUnavailable", "Shutdown",
]  # fmt: skip
"""What Google (FcmError, google.rpc.Code) and Apple call a refusal; any other is told as ""."""


class PushWord(msgspec.Struct, frozen=True, kw_only=True):
    """What a push service answered; ``is_gone``: nobody can be reached there any more.

    ``is_own``: it was asked under the credential of one merchant's own app. It is the relay's own
    word, as JSON, in place of the service's, which may quote the addressee.
    """

    status: int
    reason: PushReason = ""
    is_gone: bool = False
    is_own: bool = False


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an answer that the relay put into the vault: how much, and its SHA-256 in hex.

    It is the relay's own word, as JSON, in place of the company's.
    """

    parts: int
    size_bytes: int
    sha256: str


class OutboundAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the request at the same place of the slice.

    ``code`` says why when ``fate`` is not ``answered`` (a stable code such as ``host_not_listed``,
    ``delivery_refused``, ``timed_out``, ``dropped``, ``too_large``); ``body`` is cut at the rule's
    cap and scrubbed. ``is_deposited``: the vault has heard it, and made of it what it means.
    """

    fate: Fate
    status: int = 0
    headers: dict[str, str] = {}
    body: bytes = b""
    code: str = ""
    is_deposited: bool = False
