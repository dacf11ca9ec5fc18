"""Shutting a process' memory to its neighbours; for zones that hold keys or credentials.

Zone-less. Where zones share one uid this is what keeps one from reading another's memory.
"""

import ctypes
import os
import resource
from typing import Final

_PR_SET_DUMPABLE: Final = 4
"""Source: prctl(2)."""


def shut_memory() -> None:
    """No core file, and no other process of our uid may read or trace this one.

    Raises: OSError when the kernel refuses, because secrets would lie open then.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
