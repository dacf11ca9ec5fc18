"""The state folder of an embedded stack: what lies where, and who may read it.

Stack only. One folder per process below ``zones``, owned by that process' account (0700); sockets
in a short folder under /tmp, because a socket's path may have 107 bytes; keys of the operator in
``keys``, which no server process can read. Nothing is started here.
"""

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from portal.stack.certificates import write_private
from portal.stack.ports import Claims, Ports, choose
from portal.stack.processes import run_to_end
from portal.stack.users import Account, separate_accounts, shared_accounts

SOURCE: Final = Path(__file__).resolve().parents[2]
"""The checkout (or the folder of site-packages) that this code runs from."""

_INSTANCE_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"


class StackBusyError(Exception):
    """Another stack runs in this state folder."""


class Facts(msgspec.Struct, forbid_unknown_fields=True):
    """What a state folder remembers from one start to the next."""

    instance: str
    ports: tuple[int, int, int]
    rules_version: int = 0
    rules_digest: str = ""


@dataclass(frozen=True, slots=True)
class Borders:
    """Whether the zones' borders are real here, and if not, why and how to mend it."""

    real: bool
    reason: str = ""
    fix: str = ""


class Layout:
    """Paths of one stack; :meth:`open` takes the folder for this process, :meth:`close` ends that.

    ``uid_base`` is the first uid for zones when started as root.
    """

    def __init__(self, state: Path, *, uid_base: int) -> None:
        """Nothing is touched yet."""
        self.state = state.absolute()
        self._uid_base = uid_base
        self._lock: int | None = None
        self.facts = Facts(instance="", ports=(0, 0, 0))
        self.accounts: dict[str, Account] = shared_accounts()
        self.borders = Borders(real=False)
        self.run = self.state / "run"
        self.ports = Ports(0, 0, 0)
        self._claims = Claims()

    @property
    def keys(self) -> Path:
        """Of the operator and the authorities: nobody else reads them."""
        return self.state / "keys"

    @property
    def logs(self) -> Path:
        """One file per process, opened by the stack and handed over."""
        return self.state / "logs"

    def zone(self, name: str) -> Path:
        """The private folder of a process."""
        return self.state / "zones" / name

    def socket(self, name: str, file: str | None = None) -> Path:
        """A socket of a process; its folder is open to the process' callers alone."""
        return self.run / name / (file or f"{name}.sock")

    @property
    def heads(self) -> Path:
        """The audit's signed heads: written by the vault, outside its own folder."""
        return self.state / "heads"

    @property
    def rules(self) -> Path:
        """What the operator decided for the egress: it may read this folder and change nothing."""
        return self.state / "rules"

    @property
    def postgres(self) -> Path:
        """The database's folder; elsewhere only when root can't lend this one out."""
        if os.geteuid() == 0 and not self.borders.real:
            return Path("/var/tmp") / f"harai-{self.facts.instance}" / "postgres"  # noqa: S108 - made 0711 by root below
        return self.state / "postgres"

    @property
    def origin(self) -> str:
        """Where browsers find the portal."""
        return f"http://localhost:{self.ports.portal}"

    @property
    def browser_origin(self) -> str:
        """Where browsers find the sandbox: the phone and the card company's page."""
        return f"http://localhost:{self.ports.browser}"

    def open(self) -> None:
        """Take the folder: make what is missing, choose accounts, ports and the run folder.

        Raises StackBusyError when another stack runs in it.
        """
        self.state.mkdir(parents=True, exist_ok=True)
        self.state.chmod(0o711)
        self._take_lock()
        try:
            self._read_facts()
            self.borders = find_borders(self.state, self._uid_base)
            if self.borders.real:
                self.accounts = separate_accounts(self._uid_base)
            self._choose_ports()
            self._make_folders()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the folder back; sockets and their folder go, data stays."""
        if self.run != self.state / "run":
            shutil.rmtree(self.run, ignore_errors=True)
            (self.state / "run").unlink(missing_ok=True)
            self.run = self.state / "run"
        self._claims.release()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def write_facts(self) -> None:
        """Remember what was chosen."""
        write_private(self.state / "layout.json", msgspec.json.encode(self.facts), None)

    def _take_lock(self) -> None:
        descriptor = os.open(self.state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            msg = f"a stack is already running in {self.state}"
            raise StackBusyError(msg) from error
        self._lock = descriptor

    def _read_facts(self) -> None:
        file = self.state / "layout.json"
        if file.exists():
            self.facts = msgspec.json.decode(file.read_bytes(), type=Facts)
            return
        instance = "".join(secrets.choice(_INSTANCE_ALPHABET) for _ in range(6))
        self.facts = Facts(instance=instance, ports=(8080, 8081, 8082))

    def _choose_ports(self) -> None:
        self.ports = choose(self._claims, self.facts.ports)
        self.facts.ports = (self.ports.portal, self.ports.browser, self.ports.api)
        self.write_facts()

    def _make_folders(self) -> None:
        for folder, mode in ((self.keys, 0o700), (self.logs, 0o700), (self.state / "zones", 0o711)):
            folder.mkdir(exist_ok=True)
            folder.chmod(mode)
        for name, account in self.accounts.items():
            own(self.zone(name), account)
        own(self.heads, self.accounts["vault"])
        lend(self.rules, self.accounts["egress"])
        if self.postgres.parent != self.state:
            self.postgres.parent.mkdir(exist_ok=True)
            if self.postgres.parent.stat().st_uid != os.geteuid():
                msg = f"{self.postgres.parent} belongs to somebody else: remove it"
                raise PermissionError(msg)
            self.postgres.parent.chmod(0o711)
        self._make_run()

    def _make_run(self) -> None:
        """A fresh short folder for sockets; one that a killed stack left behind goes first."""
        link = self.state / "run"
        if link.is_symlink():
            left = link.readlink()
            with contextlib.suppress(OSError):
                if left.name.startswith("harai-") and left.lstat().st_uid == os.geteuid():
                    shutil.rmtree(left, ignore_errors=True)
            link.unlink()
        self.run = Path(tempfile.mkdtemp(prefix="harai-", dir="/tmp"))
        self.run.chmod(0o711)
        link.symlink_to(self.run)
        for name, account in self.accounts.items():
            folder = self.run / name
            folder.mkdir()
            if account.uid is not None and account.door is not None:
                os.chown(folder, account.uid, account.door)
            folder.chmod(0o700 if account.door is None else 0o2750)


def own(folder: Path, account: Account) -> None:
    """Make a folder that only ``account`` can enter; a tree of another account is handed over."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    uid = account.effective_uid
    if folder.stat().st_uid == uid or os.geteuid() != 0:
        return
    gid = 0 if account.gid is None else account.gid
    os.chown(folder, uid, gid)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.lchown(Path(parent, name), uid, gid)


def lend(folder: Path, account: Account) -> None:
    """Make a folder of ours that ``account`` can read but not replace anything in."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    if account.gid is not None:
        os.chown(folder, os.geteuid(), account.gid)
        folder.chmod(0o750)


def find_borders(state: Path, uid_base: int) -> Borders:
    """Try whether another uid can run this code and reach the state folder."""
    if os.geteuid() != 0:
        return Borders(
            real=False,
            reason="not started as root: all processes share your account",
            fix="start as root for a uid per zone; an ordinary account is fine for a look",
        )
    probe = separate_accounts(uid_base)["web"]
    script = f"import os, portal.cli, portal.vault, worker; os.stat({str(state)!r} + '/.')"
    try:
        run_to_end([sys.executable, "-c", script], account=probe, env={}, cwd=Path("/"))
    except (RuntimeError, OSError, TimeoutError) as error:
        closed = _first_closed(Path(sys.executable), SOURCE, state)
        last = re.sub(r"\s+", " ", str(error))[-160:]
        return Borders(
            real=False,
            reason=f"another uid can't run this installation: {closed or last}",
            fix="put the checkout where everybody may read it (for example /opt/harai)",
        )
    return Borders(real=True)


def _first_closed(*paths: Path) -> str:
    """The first folder on the way to any of the paths that others may not enter."""
    for path in paths:
        for folder in reversed(path.absolute().parents):
            with contextlib.suppress(OSError):
                if not folder.stat().st_mode & stat.S_IXOTH:
                    return f"{folder} is closed to others"
    return ""


def free_state_folder(wish: Path) -> Path:
    """``wish``, or the next of ``wish-2``, ``wish-3``… in which no stack runs."""
    for number in range(1, 100):
        folder = wish if number == 1 else wish.with_name(f"{wish.name}-{number}")
        lock = folder / "lock"
        if not lock.exists():
            return folder
        with lock.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            return folder
    msg = f"too many stacks run beside {wish}"
    raise RuntimeError(msg)
