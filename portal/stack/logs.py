"""The processes' logs stay bounded: a full one is copied aside and begun anew.

Stack only. The processes append to files that they were started with and know nothing of this, so
the file itself stays and is emptied; what is written between the last byte copied and the emptying
(microseconds) is lost. A service manager's journal, as in production, needs none of it.
"""

import os
import shutil
from pathlib import Path
from typing import Final

FILE_BYTES_MAX: Final = 8 * 1024 * 1024
FILES_KEPT: Final = 4
"""The current one counts, too."""
LOOK_EVERY_S: Final = 5.0


def put_aside(log: Path, *, bytes_max: int = FILE_BYTES_MAX, files_kept: int = FILES_KEPT) -> bool:
    """Copy the log to ``.1`` and empty it once it is full; older ones move up, the oldest goes.

    Only the owner can read the copies. Raises OSError when the disk refuses.
    """
    if not log.exists() or log.stat().st_size < bytes_max:
        return False
    for number in range(files_kept - 1, 1, -1):
        older = _numbered(log, number - 1)
        if older.exists():
            older.replace(_numbered(log, number))
    _numbered(log, 1).unlink(missing_ok=True)
    with (
        log.open("rb") as source,
        open(_numbered(log, 1), "xb", opener=_private) as copy,
    ):
        shutil.copyfileobj(source, copy, 1024 * 1024)
        os.truncate(log, 0)
    return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _numbered(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")
