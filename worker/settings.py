"""What `portal work` is told when it starts: sockets, certificate, the queue's key, its size.

Zone: application (background work). No database address, no data key and no provider credential
has a place here; everything comes from ``PORTAL_WORK_*`` and is read once.
"""

from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from portal.application.providers.exchange import Endpoint, parse_endpoints
from portal.domain.task import Lane
from portal.kit.settings import ZoneSettings

QUEUE_KEY_BYTES: Final = 32


class WorkSettings(ZoneSettings):
    """Settings of the worker. Paths are files or Unix sockets; slots are tasks at a time."""

    model_config = SettingsConfigDict(
        env_prefix="PORTAL_WORK_", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    vault_socket: Path
    cert: Path
    key: Path
    ca: Path
    egress_socket: Path
    valkey_url: str
    """``unix:///path``, ``redis://`` or ``rediss://``."""
    queue_key_file: Path
    """32 bytes that seal job bodies; without them nobody can put a job into the queue."""
    instance: str
    provider_endpoints: str = ""
    """``name=host:port`` pairs, separated by commas."""
    processes: Annotated[int, Field(ge=1, le=64)] = 2
    urgent_slots: Annotated[int, Field(ge=1, le=64)] = 8
    bulk_slots: Annotated[int, Field(ge=1, le=64)] = 4
    production: bool = False
    """Refuses what is for drills alone; see ZoneSettings."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Refuse an address of Valkey or endpoints that do not parse."""
        if self.valkey_url.partition("://")[0] not in {"unix", "redis", "rediss"}:
            msg = "valkey_url is unix:///path, redis://host:port or rediss://host:port"
            raise ValueError(msg)
        _ = self.endpoints
        return self

    @property
    def endpoints(self) -> dict[str, Endpoint]:
        """Provider name → where its interface is; ValueError for a pair that does not parse."""
        return parse_endpoints(self.provider_endpoints)

    @property
    def slots(self) -> dict[Lane, int]:
        """Tasks at a time in each lane, in one process."""
        return {"urgent": self.urgent_slots, "bulk": self.bulk_slots}

    @property
    def slots_together(self) -> dict[Lane, int]:
        """Tasks at a time in each lane, in all processes together."""
        return {lane: slots * self.processes for lane, slots in self.slots.items()}

    def read_queue_key(self) -> bytes:
        """The 32 bytes that seal job bodies; ValueError for a file of another length."""
        key = self.queue_key_file.read_bytes()
        if len(key) != QUEUE_KEY_BYTES:
            msg = f"the queue key has {len(key)} bytes instead of {QUEUE_KEY_BYTES}"
            raise ValueError(msg)
        return key
