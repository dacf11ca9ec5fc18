"""What `portal web` is told when it starts: sockets, certificate, its cookie key, its addresses.

Zone: application. No database address, no data key and no provider credential has a place here;
everything comes from ``PORTAL_WEB_*`` and is read once.
"""

import re
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

import msgspec
from pydantic import field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from portal.application.providers.agency_notices import AT_ONCE
from portal.application.providers.exchange import Endpoint, parse_endpoints
from portal.application.providers.registry import SIGNED, SIGNED_AT
from portal.kit.settings import ZoneSettings, read_secret

COOKIE_KEY_BYTES: Final = 32
_NoticeKey = Annotated[str, msgspec.Meta(min_length=16, max_length=256, pattern=r"^[!-~]+\Z")]
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


_PUSH_KEY: Final = re.compile(r"[A-Za-z0-9_-]{87}", re.ASCII)
_CONTACT: Final = re.compile(
    r"mailto:[^\s@<>,]+@[A-Za-z0-9.-]+|https://[!-+\--~]+|tel:\+?[0-9][0-9-]{2,30}"
)
"""Source: RFC 9116 §2.5.3."""


def _listed(text: str) -> list[str]:
    return [part for part in map(str.strip, text.split(",")) if part]


def _is_loopback(origin: str) -> bool:
    """Whether browsers reach this origin on their own machine only."""
    netloc = urlsplit(origin).netloc
    return netloc.rsplit(":", 1)[0] in _LOOPBACK or netloc in _LOOPBACK


class WebSettings(ZoneSettings):
    """Settings of the web process. Paths are files or Unix sockets."""

    model_config = SettingsConfigDict(
        env_prefix="PORTAL_WEB_", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    socket: Path
    vault_socket: Path
    cert: Path
    key: Path
    ca: Path
    egress_socket: Path
    public_origin: str
    """Scheme, host and port that browsers see, without a slash at the end."""
    cookie_key_file: Path
    instance: str
    """Part of every cookie's name, so that two installations on one host do not meet."""
    provider_endpoints: str = ""
    """``name=host:port`` pairs, separated by commas."""
    security_contact: str = ""
    """Where to report a weakness: ``mailto:``, ``https:`` or ``tel:`` addresses, the preferred one
    first, separated by commas. Empty: ``security@`` the portal's own host name (RFC 2142)."""
    notice_keys_file: Path | None = None
    """JSON: provider → merchant code → keys with which that provider signs its notices. They prove
    a sender and open nothing: see docs/decisions/0003."""
    push_key: str = ""
    """Our public key at browsers' push services, in base64url (``portal egress`` has the other
    half). Empty: no browser is asked whether it takes notifications."""
    production: bool = False

    @field_validator("push_key")
    @classmethod
    def _push_key_is_one(cls, value: str) -> str:
        if value and _PUSH_KEY.fullmatch(value) is None:
            msg = "push_key: an uncompressed point of P-256 in base64url, 87 letters"
            raise ValueError(msg)
        return value

    @field_validator("security_contact")
    @classmethod
    def _contacts_are_addresses(cls, value: str) -> str:
        if not all(_CONTACT.fullmatch(contact) for contact in _listed(value)):
            msg = "security_contact: mailto:, https: or tel: addresses, separated by commas"
            raise ValueError(msg)
        return value

    @field_validator("instance")
    @classmethod
    def _instance_fits_names(cls, value: str) -> str:
        if not value.isalnum() or not value.isascii():
            msg = "letters and digits only"
            raise ValueError(msg)
        return value

    @field_validator("provider_endpoints")
    @classmethod
    def _endpoints_parse(cls, value: str) -> str:
        parse_endpoints(value)
        return value

    @field_validator("public_origin")
    @classmethod
    def _origin_keeps_cookies_private(cls, value: str) -> str:
        parts = urlsplit(value)
        if value != f"{parts.scheme}://{parts.netloc}" or not parts.netloc:
            msg = "public_origin is scheme://host[:port] and nothing else"
            raise ValueError(msg)
        if parts.scheme != "https" and (parts.scheme != "http" or not _is_loopback(value)):
            msg = "public_origin must be https, or http on loopback"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _production_is_public(self) -> Self:
        if self.production and _is_loopback(self.public_origin):
            msg = "production does not run on a loopback origin"
            raise ValueError(msg)
        return self

    @property
    def is_secure(self) -> bool:
        """Whether cookies may carry Secure and ``__Host-``."""
        return self.public_origin.startswith("https://")

    @property
    def security_contacts(self) -> tuple[str, ...]:
        """Where to report a weakness, as addresses; never empty."""
        host = urlsplit(self.public_origin).hostname
        return tuple(_listed(self.security_contact)) or (f"mailto:security@{host}",)

    @property
    def endpoints(self) -> dict[str, Endpoint]:
        """Provider name → where its API is; ValueError for a pair that does not parse."""
        return parse_endpoints(self.provider_endpoints)

    def read_notice_keys(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """The keys by provider and merchant code, empty without a file.

        Raises: InvariantBroken ``secret_exposed`` for a file that others may read; ValueError for
        one of another shape, with a key of less than 16 characters, or for a provider that does
        not sign (its key would promise a check that nobody makes).
        """
        if self.notice_keys_file is None:
            return {}
        shape = dict[str, dict[str, tuple[_NoticeKey, ...]]]
        keys = msgspec.json.decode(read_secret(self.notice_keys_file), type=shape)
        signing = {*SIGNED, *SIGNED_AT, *AT_ONCE}
        if not keys.keys() <= signing:
            msg = f"notice keys for providers that do not sign: {sorted(keys.keys() - signing)}"
            raise ValueError(msg)
        return keys

    def read_cookie_key(self) -> bytes:
        """The 32 bytes that seal cookies; ValueError for a file of another length."""
        key = self.cookie_key_file.read_bytes()
        if len(key) != COOKIE_KEY_BYTES:
            msg = f"the cookie key has {len(key)} bytes instead of {COOKIE_KEY_BYTES}"
            raise ValueError(msg)
        return key
