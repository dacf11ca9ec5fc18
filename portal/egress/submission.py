"""What a rule says of mails that are handed in, by SMTP or at Amazon SES; part of the signed file.

Zone: egress; pure. See ``portal.egress.rules``.
"""

import re
from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from portal.domain.errors import InvalidInput
from portal.domain.host import canonical_host
from portal.egress.signing import SCOPE_PART

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.ASCII)
_SET: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


class Dkim(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """By which key mails are signed: ``selector._domainkey.domain`` publishes its other half.

    ``key`` names the credential, a private RSA key as PEM.
    """

    domain: str
    selector: str
    key: str


class Submission(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """How mails are handed in at a rule's host, and what all of them must keep to.

    A mail's sender is the merchant's own address; its domain must be one of ``from_domains``, so
    that one merchant can't write in another's name. What comes back comes to ``bounce_domain``.
    With ``dkim`` each of ``from_domains`` has a key of its own. ``user`` and ``password`` name
    credentials: both or neither. ``tls``: from the first byte (port 465), or by STARTTLS that must
    succeed (port 587).

    ``by`` "ses": posted to Amazon SES in its ``region``, whose interface is HTTPS. ``user`` and
    ``password`` are then an access key's id and its secret, and ``configuration_set`` may name one
    of the account's. SES writes a date and an id of its own into each mail, so the signature is its
    to make as well.
    """

    from_domains: tuple[str, ...]
    bounce_domain: str
    tls: Literal["implicit", "starttls"] = "implicit"
    user: str = ""
    password: str = ""
    dkim: tuple[Dkim, ...] = ()
    by: Literal["smtp", "ses"] = "smtp"
    region: str = ""
    configuration_set: str = ""

    @property
    def secret_names(self) -> tuple[str, ...]:
        """Credentials that it works with."""
        keys = (dkim.key for dkim in self.dkim)
        return (*filter(None, (self.user, self.password)), *keys)

    def signer_of(self, domain: str) -> Dkim | None:
        """By which key a mail from the domain is signed; None: the server beyond signs it."""
        return next((dkim for dkim in self.dkim if dkim.domain == domain), None)

    def faults(self) -> Iterator[str]:
        """What of it breaks its own terms."""
        domains = [*self.from_domains, self.bounce_domain]
        domains += [f"{dkim.selector}.{dkim.domain}" for dkim in self.dkim]
        if not self.from_domains or not all(_is_canonical(domain) for domain in domains):
            yield "submission: no domain, or one that is not in its canonical spelling"
        if bool(self.user) != bool(self.password):
            yield "submission: user and password go together"
        if not all(_NAME.fullmatch(name) for name in self.secret_names):
            yield "submission: not a credential's name"
        signed = sorted(dkim.domain for dkim in self.dkim)
        if signed and signed != sorted(self.from_domains):
            # A signature of another domain says nothing about who the mail is from (DMARC).
            yield "submission: not one key for each domain that mails are from"
        yield from self._faults_of_road()

    def _faults_of_road(self) -> Iterator[str]:
        if self.by == "smtp":
            if self.region or self.configuration_set:
                yield "submission: a region and a configuration set are for SES"
            return
        if self.dkim or self.tls != "implicit" or not self.user:
            yield "submission: SES signs by itself, speaks HTTPS, and wants an access key"
        if SCOPE_PART.fullmatch(self.region) is None:
            yield "submission: SES is in a region"
        if self.configuration_set and _SET.fullmatch(self.configuration_set) is None:
            yield "submission: not a configuration set's name"


def _is_canonical(domain: str) -> bool:
    try:
        return canonical_host(domain) == domain
    except InvalidInput:
        return False
