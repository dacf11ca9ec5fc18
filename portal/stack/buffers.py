"""How much of its pages a stack's PostgreSQL keeps in memory of its own: by the machine it is on.

Stack only. What must not be here: the other settings (portal.stack.postgres).
"""

import os
from pathlib import Path
from typing import Final

_LEAST_MIB: Final = 128
_MOST_MIB: Final = 8192
_SHARE: Final = 4
_CONTAINER_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")


def buffers_for(memory_bytes: int) -> int:
    """Pages that a stack's cluster keeps on a machine of so much memory. Units: MiB.

    A quarter, so that a month's bills are still there when they are paid, and no page is fetched
    and put away by who waits for it; no less than 128 MiB and no more than 8 GiB.
    Source: PostgreSQL 18 documentation, 19.4.1 Memory, shared_buffers.
    """
    share = memory_bytes // _SHARE >> 20
    return max(_LEAST_MIB, min(_MOST_MIB, share))


def memory_here(limit_file: Path = _CONTAINER_LIMIT) -> int:
    """Memory of this machine, or of the container that we are in. Units: bytes.

    Source: Linux, Documentation/admin-guide/cgroup-v2.rst, memory.max.
    """
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = limit_file.read_text(encoding="ascii").strip()
    except OSError:  # no container, or one of another kind
        return whole
    return min(whole, int(limit)) if limit.isdigit() else whole
