"""Accounts of the stack's processes: one numeric uid per zone when started as root.

Stack only. The uids need no passwd entries; they come from one configurable base so that two
installations on one host can be kept apart. A *door* is the group that may connect to a process'
socket: callers get the callee's door as a supplementary group, and nothing else of it. This module
starts nothing.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

UID_BASE_DEFAULT: Final = 61000
"""First of the 16 uids (and, 100 further, 16 door groups) that a root-started stack uses."""

_DOOR_OFFSET: Final = 100

ACCOUNTS: Final[Mapping[str, int]] = {
    "vault": 1,
    "web": 2,
    "work": 3,
    "egress": 4,
    "dmz": 5,
    "sandbox": 6,
    "postgres": 7,
    "valkey": 8,
}
"""Process name → offset of its uid from the base."""

CALLERS: Final[Mapping[str, tuple[str, ...]]] = {
    "vault": ("web", "work", "egress"),
    "web": ("dmz",),
    "egress": ("web", "work"),
    "postgres": ("vault",),
    "valkey": ("work",),
}
"""Process name → who may connect to its Unix sockets; everybody else is kept out by the folder."""


@dataclass(frozen=True, slots=True)
class Account:
    """As whom a process runs; ``uid`` None means: as whoever started the stack.

    ``door`` is the group that owns the folder of this process' sockets.
    """

    name: str
    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] = ()
    door: int | None = None

    @property
    def effective_uid(self) -> int:
        """The uid that the process will show."""
        return os.geteuid() if self.uid is None else self.uid


def separate_accounts(base: int = UID_BASE_DEFAULT) -> dict[str, Account]:
    """One account per process, each with a uid and a group of its own; only root can use them."""
    return {
        name: Account(
            name=name,
            uid=base + offset,
            gid=base + offset,
            groups=tuple(
                base + _DOOR_OFFSET + ACCOUNTS[callee]
                for callee, callers in CALLERS.items()
                if name == callee or name in callers
            ),
            door=base + _DOOR_OFFSET + offset,
        )
        for name, offset in ACCOUNTS.items()
    }


def shared_accounts() -> dict[str, Account]:
    """Every process as the user who started the stack: borders are logical then."""
    return {name: Account(name=name) for name in ACCOUNTS}


def usual_accounts(base: int = UID_BASE_DEFAULT) -> dict[str, Account]:
    """Separate accounts for root, the one account that there is for anybody else."""
    return separate_accounts(base) if os.geteuid() == 0 else shared_accounts()
