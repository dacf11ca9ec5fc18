"""Keeps nginx' access log bounded: a companion that runs beside nginx' master and ends with it.

DMZ. A program of its own that needs nothing but the standard library, so it weighs little; it is
started by portal.dmz.run just before that process becomes nginx. Once a second it looks at the
log's size; a full one is put aside as ``.1`` (older ones move up, the oldest goes), and nginx opens
a fresh one at SIGUSR1. It reads no line of the log.
"""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Final

LOOK_EVERY_S: Final = 1.0


def start(log: Path, pid_file: Path, *, bytes_max: int, files_kept: int) -> None:
    """Start the companion of the process that calls, which is about to become nginx."""
    nginx = os.getpid()
    if os.fork():
        return
    words = [str(log), str(pid_file), str(nginx), str(bytes_max), str(files_kept)]
    os.execv(sys.executable, [sys.executable, "-I", "-S", __file__, *words])  # noqa: S606 - ourselves, no shell


def watch(log: Path, pid_file: Path, nginx: int, *, bytes_max: int, files_kept: int) -> None:
    """Rotate whenever the log is full, until nginx is not our parent any more.

    Before nginx has written its pid it takes no signal, and SIGUSR1 would end it.
    """
    while os.getppid() == nginx:
        with contextlib.suppress(FileNotFoundError):
            if log.stat().st_size >= bytes_max and pid_file.read_text().strip() == str(nginx):
                rotate(log, files_kept)
                os.kill(nginx, signal.SIGUSR1)
        time.sleep(LOOK_EVERY_S)


def rotate(log: Path, files_kept: int) -> None:
    """Put the log aside; ``files_kept`` counts the current one, too."""
    for number in range(files_kept - 1, 0, -1):
        with contextlib.suppress(FileNotFoundError):
            _numbered(log, number - 1).replace(_numbered(log, number))


def _numbered(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}") if number else log


def run() -> None:
    """``rotate.py LOG PID_FILE NGINX BYTES_MAX FILES_KEPT``, as :func:`start` calls it."""
    log, pid_file, nginx, bytes_max, files_kept = sys.argv[1:]
    watch(
        Path(log),
        Path(pid_file),
        int(nginx),
        bytes_max=int(bytes_max),
        files_kept=int(files_kept),
    )


if __name__ == "__main__":
    run()
