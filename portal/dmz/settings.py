"""Settings of the DMZ: where it listens, where the application's socket is. No secret but TLS's.

DMZ. Read once at start from ``PORTAL_DMZ_*``.
"""

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints
from pydantic_settings import SettingsConfigDict

from portal.kit.settings import ZoneSettings

Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.:\[\]-]+$")]
Words = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+( [A-Za-z0-9._-]+)*$")]

_UNSAFE = re.compile(r"[\s;{}$\"'\\#]")


class DmzSettings(ZoneSettings):
    """``listen`` is ``address:port``; ``hosts`` are the names that the portal answers to.

    ``rate_scale`` widens the rates where many clients share one address (the embedded stack: all
    come from loopback; behind a carrier's NAT: a few). Without a certificate plain HTTP is
    spoken, which is for loopback only. The access log is put aside at ``log_bytes_max`` bytes;
    ``log_files_kept`` counts all its files, the current one too.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, env_prefix="PORTAL_DMZ_"
    )

    listen: Word = "127.0.0.1:8080"
    web_socket: Path
    state_dir: Path
    hosts: Words = "localhost 127.0.0.1"
    rate_scale: int = Field(default=1, ge=1, le=1000)
    workers: int = Field(default=1, ge=1, le=64)
    client_timeout_s: int = Field(default=10, ge=1, le=120)
    log_bytes_max: int = Field(default=64 * 1024 * 1024, ge=1024)
    log_files_kept: int = Field(default=5, ge=2, le=100)
    tls_cert: Path | None = None
    tls_key: Path | None = None

    def model_post_init(self, _context: object, /) -> None:
        """Refuse what would leave its place in the configuration, and plain HTTP in the open."""
        for path in (self.web_socket, self.state_dir, self.tls_cert, self.tls_key):
            if path is not None and (_UNSAFE.search(str(path)) or not path.is_absolute()):
                msg = "paths must be absolute, without spaces, quotes, braces or semicolons"
                raise ValueError(msg)
        if (self.tls_cert is None) != (self.tls_key is None):
            msg = "tls_cert and tls_key come together"
            raise ValueError(msg)
        loopback = self.listen.startswith(("127.", "[::1]", "localhost:"))
        if self.tls_cert is None and not loopback:
            msg = "without a certificate the DMZ listens on loopback only"
            raise ValueError(msg)
