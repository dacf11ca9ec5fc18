"""Logs of the embedded stack: a full one is put aside while its process goes on writing."""

import stat
import subprocess
import sys
import time
from pathlib import Path

from portal.stack.logs import put_aside
from portal.stack.processes import last_words

WRITER = """
import sys, time
for number in range(int(sys.argv[1])):
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
    time.sleep(0.001)
"""


def names(log: Path) -> list[str]:
    return sorted(path.name for path in log.parent.iterdir())


def test_a_log_below_its_bound_stays_as_it_is(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    assert not put_aside(log, bytes_max=4)

    log.write_text("abc")

    assert not put_aside(log, bytes_max=4)
    assert log.read_text() == "abc"
    assert names(log) == ["web.log"]


def test_a_log_at_its_bound_is_put_aside_for_its_owner_only(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text("abcd")

    assert put_aside(log, bytes_max=4)

    aside = tmp_path / "web.log.1"
    assert (log.read_text(), aside.read_text()) == ("", "abcd")
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600


def test_only_so_many_are_kept_and_the_oldest_goes(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    for turn in range(6):
        log.write_text(f"turn {turn}")
        assert put_aside(log, bytes_max=1, files_kept=3)

    assert names(log) == ["web.log", "web.log.1", "web.log.2"]
    assert [(tmp_path / name).read_text() for name in names(log)] == ["", "turn 5", "turn 4"]


def test_a_process_goes_on_writing_to_the_log_that_was_emptied(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with log.open("ab") as output:
        call = [sys.executable, "-c", WRITER, "400"]
        writer = subprocess.Popen(call, stdout=output)  # noqa: S603 - the lines above
    while writer.poll() is None:
        put_aside(log, bytes_max=200, files_kept=50)
        time.sleep(0.02)

    aside = sorted(tmp_path.glob("web.log.*"), key=lambda path: -int(path.suffix[1:]))
    lines = "".join(path.read_text() for path in [*aside, log]).splitlines()
    assert len(aside) >= 2
    assert "\0" not in log.read_text(), "no hole where the writer was before"
    assert lines == sorted(lines, key=int), "in the order of writing"
    assert int(lines[-1]) >= 390


def test_the_end_of_a_log_that_was_begun_anew_is_found(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text("refused to start\n")

    assert last_words(log, offset=1_000_000) == "refused to start"
