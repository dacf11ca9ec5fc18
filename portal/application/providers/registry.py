"""Which providers there are: their capabilities and who reads their notices, by name.

Application zone. ``methods`` and ``channels`` list the adapters by capability; a unit test holds
the three lists against the folders, so that a forgotten line fails the build.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

from portal.application.providers import (
    apns,
    aws_ses,
    aws_sns,
    fcm,
    gmopg,
    paypay,
    sandbox_card,
    sandbox_counter,
    sandbox_mail,
    sandbox_sms,
    sandbox_sms2,
    sandbox_tel,
    sandbox_wallet,
    smbc_gp,
    smtp,
    stripe,
    twilio,
    webpush,
)
from portal.application.providers.exchange import Capabilities
from portal.contract.payment import NoticeClaim


class ReadsNotices(Protocol):
    """A company that tells us things by HTTP."""

    def parse(self, raw: bytes, headers: Mapping[str, str]) -> tuple[NoticeClaim, ...]:
        """What the notice claims, in order; raises InvalidInput ``notice_malformed``."""
        ...


class ProvesSender(Protocol):
    """A company that signs what it tells us, with a key that it made for one address of ours."""

    def is_genuine(
        self, raw: bytes, headers: Mapping[str, str], keys: Iterable[str], now_s: float
    ) -> bool:
        """Whether one of ``keys`` signed these bytes, lately. Header names in lower case."""
        ...


class ProvesSenderAt(Protocol):
    """A company that signs what it tells us together with the address that it tells it at."""

    def is_genuine_at(
        self, address: str, raw: bytes, headers: Mapping[str, str], keys: Iterable[str]
    ) -> bool:
        """Whether one of ``keys`` signed these bytes for it. Header names in lower case."""
        ...


CAPABILITIES: Final[Mapping[str, Capabilities]] = MappingProxyType(
    {
        declared.provider: declared
        for declared in (
            apns.CAPABILITIES,
            aws_ses.CAPABILITIES,
            aws_sns.CAPABILITIES,
            fcm.CAPABILITIES,
            gmopg.CAPABILITIES,
            paypay.CAPABILITIES,
            sandbox_card.CAPABILITIES,
            sandbox_counter.CAPABILITIES,
            sandbox_mail.CAPABILITIES,
            sandbox_sms.CAPABILITIES,
            sandbox_sms2.CAPABILITIES,
            sandbox_tel.CAPABILITIES,
            sandbox_wallet.CAPABILITIES,
            smbc_gp.CAPABILITIES,
            smtp.CAPABILITIES,
            stripe.CAPABILITIES,
            twilio.CAPABILITIES,
            webpush.CAPABILITIES,
        )
    }
)
"""Provider → what it can do."""

NOTICES: Final[Mapping[str, ReadsNotices]] = MappingProxyType(
    {
        "apns": apns.NOTICES,
        "aws_ses": aws_ses.NOTICES,
        "aws_sns": aws_sns.NOTICES,
        "fcm": fcm.NOTICES,
        "gmopg": gmopg.NOTICES,
        "paypay": paypay.NOTICES,
        "sandbox_card": sandbox_card.NOTICES,
        "sandbox_counter": sandbox_counter.NOTICES,
        "sandbox_mail": sandbox_mail.NOTICES,
        "sandbox_sms": sandbox_sms.NOTICES,
        "sandbox_sms2": sandbox_sms2.NOTICES,
        "sandbox_tel": sandbox_tel.NOTICES,
        "sandbox_wallet": sandbox_wallet.NOTICES,
        "smbc_gp": smbc_gp.NOTICES,
        "smtp": smtp.NOTICES,
        "stripe": stripe.NOTICES,
        "twilio": twilio.NOTICES,
        "webpush": webpush.NOTICES,
    }
)
"""Provider → who reads what it posts to ``/notices/<provider>/<merchant code>``."""

SIGNED: Final[Mapping[str, ProvesSender]] = MappingProxyType(
    {
        "aws_ses": aws_ses.NOTICES,
        "sandbox_mail": sandbox_mail.NOTICES,
        "smtp": smtp.NOTICES,
        "stripe": stripe.NOTICES,
    }
)
"""Provider → who checks that it signed a notice: those whose capabilities say so, and no other."""

SIGNED_AT: Final[Mapping[str, ProvesSenderAt]] = MappingProxyType(
    {"sandbox_tel": sandbox_tel.NOTICES, "twilio": twilio.NOTICES}
)
"""Provider → the same, where the address as the company was given it is signed too."""

ONLY_SIGNED: Final = frozenset({"aws_ses", "sandbox_tel", "smtp", "twilio"})
"""Who is not heard at all without a key: what is told there cannot be asked for anywhere."""
