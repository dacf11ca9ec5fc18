"""A process' memory: shut to its neighbours, and not searched for rubbish where there is none.

Zone-less. Where zones share one uid, shutting it is what keeps one from reading another's.
"""

import ctypes
import gc
import os
import resource
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

_PR_SET_DUMPABLE: Final = 4
"""Source: prctl(2)."""


_RUBBISH_AFTER: Final = 20_000
"""Objects made and not freed before the collector looks; the interpreter's own is 700."""


@contextmanager
def loading() -> Generator[None]:
    """Load modules inside the block: the collector does not look meanwhile.

    What a module makes stays as long as the process does, so each look finds next to nothing; the
    application's doors took a quarter longer to load because of them.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def settle_memory() -> None:
    """Tell the collector that what stands now stays: call it once, when a process is set up.

    Schemas, templates and modules are some 90,000 objects; each full look at them takes 40 ms, in
    which every request waits.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_RUBBISH_AFTER, 10, 10)


def shut_memory() -> None:
    """No core file, and no other process of our uid may read or trace this one.

    Raises: OSError when the kernel refuses, because secrets would lie open then.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
