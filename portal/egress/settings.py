"""What the egress relay must be told at start: environment variables ``PORTAL_EGRESS_*``.

Zone: egress. It holds no key that signs rules: ``rules_key_file`` is the verify key.
"""

from pathlib import Path
from typing import Annotated, Self

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import AfterValidator, model_validator
from pydantic_settings import SettingsConfigDict

from portal.domain.errors import InvariantBroken
from portal.egress.callers import read_callers
from portal.kit.settings import ZoneSettings, read_secret

CREDENTIAL_LENGTH_MIN = 8


def _checked_callers(text: str) -> str:
    read_callers(text)
    return text


class EgressSettings(ZoneSettings):
    """Settings of one relay.

    ``socket`` takes slices, ``tunnel_socket`` takes CONNECT. ``callers`` is ``uid=role`` with
    commas between. ``credentials_file`` is a JSON object of name → secret. ``sandbox_ca`` is
    trusted for sandbox rules alone, and refused in production. The folder of ``journal_file``
    also holds the highest version of the rules ever taken, and the metrics.
    """

    model_config = SettingsConfigDict(env_prefix="PORTAL_EGRESS_")

    socket: Path
    tunnel_socket: Path
    vault_socket: str
    cert: Path
    key: Path
    ca: Path
    rules_file: Path
    rules_key_file: Path
    credentials_file: Path
    journal_file: Path
    callers: Annotated[str, AfterValidator(_checked_callers)]
    sandbox_ca: Path | None = None
    instance: str = "egress-1"
    production: bool = False

    @model_validator(mode="after")
    def _no_sandbox_in_production(self) -> Self:
        if self.production and self.sandbox_ca is not None:
            msg = "SANDBOX_CA must not be set in production"
            raise ValueError(msg)
        return self


def read_verify_key(path: Path) -> Ed25519PublicKey:
    """The key that rule files are verified with: 32 raw bytes. Raises: ValueError, OSError."""
    return Ed25519PublicKey.from_public_bytes(path.read_bytes())


def read_credentials(path: Path) -> dict[str, str]:
    """The providers' secrets by name.

    Raises: InvariantBroken ``credentials_invalid`` for anything but a JSON object of texts of at
    least CREDENTIAL_LENGTH_MIN characters (a shorter one would be scrubbed out of every answer),
    ``secret_exposed`` when others than its owner may read the file.
    """
    try:
        credentials = msgspec.json.decode(read_secret(path), type=dict[str, str])
    except msgspec.DecodeError as error:
        raise InvariantBroken("credentials_invalid", context="not an object of texts") from error
    if any(len(value) < CREDENTIAL_LENGTH_MIN for value in credentials.values()):
        raise InvariantBroken("credentials_invalid", context="one is too short")
    return credentials
