"""What the data zone must be told at start: environment variables ``PORTAL_VAULT_*``.

Nothing that guards data has a default.
"""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from portal.domain.push import HTTPS_PORT, PUSH_HOSTS, is_host_rule
from portal.kit.settings import ZoneSettings, read_pairs


def _checked_pairs(text: str) -> str:
    read_pairs(text)
    return text


def _checked_seconds(text: str) -> str:
    for seconds in read_pairs(text).values():
        float(seconds)
    return text


def _checked_hosts(text: str) -> str:
    if not all(is_host_rule(host) for host in text.split(",")):
        msg = "not a list of host names, with *. for one label below"
        raise ValueError(msg)
    return text


def _heavy_acts() -> int:
    """Cores of this machine that this process may use, and one act beside that waits for a disk."""
    return 1 + len(os.sched_getaffinity(0))


class VaultSettings(ZoneSettings):
    """Settings of one vault process.

    Paths are files, sockets and folders; ``tcp`` is ``host:port`` for callers on other hosts,
    under the same TLS as the socket, or empty. ``database_url`` is an asyncpg DSN without a
    password. ``provider_hosts`` says to which host a provider's deliveries may go
    (``sandbox_sms=sms.sandbox.test,...``), ``provider_keys`` for how many seconds a provider takes
    the same key for the same message (``sandbox_sms=86400,...``); one not named never does.
    ``connections_at_start`` are made before the first caller comes, to spare it the wait (and
    ``side_connections_at_start`` of those that write down what failed); more come when needed.
    ``heavy_acts`` of the steps that move hundreds of rows run at a time, in turn: one for each core
    and one that waits for the disk, since more of them only get in each other's way and in that of
    payers. Where the database has a machine of its own, it is that machine's cores that count.
    ``debit_step_lines`` of a bank's long answer are told in one step, and twice as many checked; an
    answer of more than that is long.
    ``push_hosts`` and ``push_port`` are where payers' browsers may have notifications sent, as in
    the relay's rule.
    Budgets are rows revealed: to one staff session or API
    key in an hour, and through one calling process in a minute.
    """

    model_config = SettingsConfigDict(env_prefix="PORTAL_VAULT_")

    socket: Path
    tcp: str = ""
    cert: Path
    key: Path
    ca: Path
    root_key_file: Path
    database_url: str
    database_password_file: Path
    audit_heads_dir: Path
    public_origin: str
    provider_hosts: Annotated[str, AfterValidator(_checked_pairs)] = ""
    provider_keys: Annotated[str, AfterValidator(_checked_seconds)] = ""
    push_hosts: Annotated[str, AfterValidator(_checked_hosts)] = ",".join(PUSH_HOSTS)
    push_port: int = HTTPS_PORT
    instance: str = "vault-1"
    production: bool = False
    connections_at_start: Annotated[int, Field(ge=0)] = 10
    side_connections_at_start: Annotated[int, Field(ge=0)] = 2
    heavy_acts: Annotated[int, Field(ge=1)] = Field(default_factory=_heavy_acts)
    debit_step_lines: Annotated[int, Field(ge=1)] = 10_000
    budget_staff_rows_per_hour: int = 10_000
    budget_api_key_rows_per_hour: int = 100_000
    budget_staff_rows_per_minute: int = 6_000
    budget_api_key_rows_per_minute: int = 30_000
    budget_payer_rows_per_minute: int = 120_000
    budget_egress_rows_per_minute: int = 240_000
    budget_file_lines_per_minute: int = 2_000_000
    budget_call_rows_per_minute: int = 1_200

    @property
    def push_host_list(self) -> tuple[str, ...]:
        """Where payers' browsers may have their notifications sent."""
        return tuple(self.push_hosts.split(","))

    def provider_host(self, provider: str) -> str | None:
        """The one host that deliveries of ``provider`` may go to, or None."""
        return read_pairs(self.provider_hosts).get(provider)

    def remembers_s(self, provider: str) -> float:
        """For how long ``provider`` takes a repeated key for the message it has; 0: not at all."""
        return float(read_pairs(self.provider_keys).get(provider, "0"))
