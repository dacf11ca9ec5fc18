"""What the sandbox process is told at start."""

from pathlib import Path

import msgspec
from pydantic_settings import SettingsConfigDict

from portal.kit.settings import ZoneSettings


class SandboxSettings(ZoneSettings):
    """Ports on loopback, where the journal lies and where notices go."""

    model_config = SettingsConfigDict(env_prefix="PORTAL_SANDBOX_", frozen=True)

    state_dir: Path
    browser_port: int
    api_port: int
    cert: Path
    key: Path
    notice_origin: str
    browser_origin: str
    keys_file: Path | None = None
    """Of the key that each company gave out its SHA-256 in hex, by name; None: any key will do.

    What a company checks signatures with (``….secret``) is there as it is.
    """

    def read_keys(self) -> dict[str, str]:
        """The hashes by company; empty when any key will do. Raises OSError, DecodeError."""
        if self.keys_file is None:
            return {}
        return msgspec.json.decode(self.keys_file.read_bytes(), type=dict[str, str])
