"""What the sandbox process is told at start."""

from pathlib import Path

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
