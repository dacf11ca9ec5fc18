"""Reading the memory of other processes as root, the way a drill does after a break-in."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

_REGION: Final = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (....) \S+ \S+ (\d+)\s*(.*)")
_PIECE_BYTES: Final = 64 * 1024 * 1024
_ENCODINGS: Final = ("utf-8", "utf-16-le")
"""How text lies in memory: as bytes, and as strings of CPython, where one with Japanese in it has 2
bytes a character (PEP 393; 4 only beside characters outside the BMP, which no canary file has)."""


def spellings(text: str) -> set[bytes]:
    """A text in every form in which a process may hold it."""
    escaped = text.encode("ascii", "backslashreplace")
    return {escaped, *(text.encode(encoding) for encoding in _ENCODINGS)}


def regions(pid: int) -> Iterator[bytes]:
    """The writable memory of a process; nothing for one that has ended."""
    try:
        maps = Path(f"/proc/{pid}/maps").read_text()
        memory = Path(f"/proc/{pid}/mem").open("rb", buffering=0)  # noqa: SIM115 - closed below
    except (FileNotFoundError, ProcessLookupError):
        return
    with memory:
        for found in _REGION.finditer(maps):
            if not found[3].startswith("rw"):
                continue
            start, end = int(found[1], 16), int(found[2], 16)
            for place in range(start, end, _PIECE_BYTES):
                try:
                    memory.seek(place)
                    yield memory.read(min(_PIECE_BYTES, end - place))
                except (OSError, ValueError, OverflowError):
                    continue  # unmapped in the meantime


def held_in(pid: int, wanted: Mapping[str, str]) -> set[str]:
    """Names of the texts that a process' memory holds now."""
    return {name for region in regions(pid) for name in held_by(region, wanted)}


def held_by(data: bytes, wanted: Mapping[str, str]) -> set[str]:
    """Names of the texts that stand in ``data``, in whatever spelling."""
    return {name for name, text in wanted.items() if any(s in data for s in spellings(text))}


class Watch:
    """Looks into processes and into Valkey again and again while something happens."""

    def __init__(self, wanted: Mapping[str, str]) -> None:
        """``wanted``: name → text to look for."""
        self._wanted = wanted
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.looks = 0
        self.held: set[str] = set()
        self.values: set[bytes] = set()
        """Everything that was seen in Valkey."""

    def begin_until_held(self, pid: int) -> None:
        """Look into one process until something was found in it, or the watch ends."""

        def look() -> None:
            while not self.held and not self._stop.wait(0.1):
                self.held |= held_in(pid, self._wanted)
                self.looks += 1

        self._threads.append(threading.Thread(target=look))
        self._threads[-1].start()

    def begin(self, pids: Callable[[], list[int]], valkey: Path) -> None:
        """Start looking, in threads of its own."""
        for look in (lambda: self._look_into(pids), lambda: self._look_at(valkey)):
            self._threads.append(threading.Thread(target=look))
            self._threads[-1].start()

    def end(self) -> None:
        """Look a last time and stop."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _look_into(self, pids: Callable[[], list[int]]) -> None:
        while True:
            is_last = self._stop.is_set()
            for pid in pids():
                self.held |= held_in(pid, self._wanted)
            self.looks += 1
            if is_last:
                return
            self._stop.wait(0.1)

    def _look_at(self, valkey: Path) -> None:
        while not self._stop.is_set():
            self.values |= set(contents(valkey))
            time.sleep(0.002)


def words_of(log: bytes) -> Iterator[bytes]:
    """Every word of the commands that Valkey's append-only file holds (RESP)."""
    place = 0
    while place < len(log):
        end = log.find(b"\r\n", place)
        if end < 0:
            return  # its base file, which is no log
        head, place = log[place:end], end + 2
        if head.startswith(b"$"):
            size = int(head[1:])
            yield log[place : place + size]
            place += size + 2


def ask_valkey(link: socket.socket, *words: bytes) -> bytes:
    """One command over a raw socket; the raw answer (short ones only)."""
    link.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
    return link.recv(1 << 20)


def contents(valkey: Path) -> Iterator[bytes]:
    """Every key and every value that lies in Valkey at this moment, as its protocol says them."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(5.0)
        link.connect(str(valkey))
        keys = ask_valkey(link, b"SCAN", b"0", b"COUNT", b"1000")
        yield keys
        for key in re.findall(rb"\$\d+\r\n((?:arq|harai)[^\r]*)\r\n", keys):
            yield ask_valkey(link, b"GET", key)
