"""What a thief finds afterwards: in memory, in Valkey, in logs, in temporary files.

Every row of every file that was handed in here carries texts that exist nowhere else (CANARIES);
while they were judged and sent, the memory of the workers and Valkey were read again and again.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from portal.stack.layout import SOURCE
from tests.make.intruder import BILLS, CANARIES, OTHER_BILLS, ZONES, Town
from tests.make.memory import contents, held_by, held_in, words_of

pytestmark = [pytest.mark.root, pytest.mark.stack, pytest.mark.timeout(240)]

EVERYTHING: Final = set(CANARIES)
_DECOY: Final = (
    f"import sys, json; sys.path.insert(0, {str(SOURCE)!r});"
    " held = json.loads(sys.stdin.readline()); print('ready', flush=True); sys.stdin.readline()"
)


def decoy(town: Town) -> set[str]:
    """What the same search finds in a worker-like process that does hold these texts."""
    account = town.stack.layout.accounts["work"]
    child = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", _DECOY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        user=account.uid, group=account.gid, extra_groups=account.groups,
        env=town.environment("work"), cwd="/",
    )  # fmt: skip
    with child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(CANARIES) + "\n")
        child.stdin.flush()
        child.stdout.readline()
        try:
            return held_in(child.pid, CANARIES)
        finally:
            child.stdin.close()


def test_no_worker_ever_held_a_name_a_number_a_mail_or_a_link(town: Town) -> None:
    """The supervisor and its children, read as root while they judged and sent, and now."""
    assert len(town.messages) == BILLS + OTHER_BILLS, "the workers did send them"
    assert town.watch.looks >= 2, "one while they worked, one after"

    assert town.watch.held == set()
    assert {name for pid in town.workers() for name in held_in(pid, CANARIES)} == set()

    assert decoy(town) == EVERYTHING, "the control: the search finds what is there"
    assert town.sender.held, "and what was sent, in who sent it, by the same watch"
    assert town.judge.held, "and what was judged, in who judged it"


def test_valkey_never_held_one_either(town: Town) -> None:
    """All that lay in it while bills were judged and sent, its memory and its files."""
    files = town.queue_files()
    seen = [*town.watch.values, *files]

    assert {name for value in seen for name in held_by(value, CANARIES)} == set()
    assert held_in(town.pid("valkey"), CANARIES) == set()

    assert any(b"job" in value for value in town.watch.values), "the control: jobs were seen"
    for kind in (b"intake.accept_chunk", b"intake.issue_bills", b"message.send_chunk"):
        assert any(kind in value for value in files), "and all of them on its disk"


def test_a_job_s_body_is_a_seal_and_ids(town: Town) -> None:
    bodies = sending_jobs(town)
    assert bodies
    for sealed in bodies:
        uuid = rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
        shape = rb".{32}\x85\xa1t\xc0\xa1f\xb2message\.send_chunk\xa1a\x92\xd9\$" + uuid
        assert re.match(shape, sealed, re.DOTALL), sealed
        assert len(sealed) < 32 + 100


def test_no_log_names_anybody(town: Town) -> None:
    """Of every process, nginx' access log and the relay's journal of denials with them."""
    layout = town.stack.layout
    logs = [
        *layout.logs.glob("*.log"),
        layout.zone("dmz") / "access.log",
        layout.postgres / "postgres.log",
        layout.state / "valkey" / "valkey.log",
        *layout.zone("egress").glob("journal/*"),
    ]
    texts = {path.name: path.read_bytes() for path in logs if path.is_file()}
    assert {f"{zone}.log" for zone in ZONES} < set(texts)

    assert {name: held for name, text in texts.items() if (held := held_by(text, CANARIES))} == {}

    assert b'"route":"link"' in texts["access.log"], "the control: links were opened"
    assert b'"task.finished"' in texts["work.log"]
    secrets = [link.rpartition("/")[2].encode() for link in town.links()]
    assert not [secret for secret in secrets for text in texts.values() if secret in text]
    assert any(held_by(town.messages[0].text.encode(), {"link": CANARIES["link"]}))


def test_no_zone_leaves_a_file_with_one_behind(town: Town) -> None:
    """Uploads, bodies, answers, temporary files: nothing on any disk but what is sealed."""
    layout = town.stack.layout
    outside = layout.zone("sandbox")
    files = [
        path
        for root in (layout.state, layout.run)
        for path in root.rglob("*")
        if path.is_file() and not path.is_relative_to(outside)
    ]
    assert len(files) > 100

    found = {str(path): held for path in files if (held := held_by(_read(path), CANARIES))}
    assert found == {}

    journal = b"".join(_read(path) for path in outside.rglob("*") if path.is_file())
    assert {"phone", "link"} <= held_by(journal, CANARIES), "the control: the phone has them"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""  # a temporary file of the database that has gone


# --- Valkey in an intruder's hands ---------------------------------------------------------------


def queue_of(town: Town, lane: str) -> str:
    return f"harai:work-{town.stack.layout.facts.instance}:{lane}"


def plant(town: Town, body: bytes, job_id: str, lane: str = "bulk") -> None:
    """As whoever can write to Valkey: put a job in and wait until a worker has taken it out."""
    socket = str(town.stack.layout.run / "valkey" / "valkey.sock")
    put = [
        ["SET", f"arq:job:{job_id}", f"hex:{body.hex()}", "PX", "60000"],
        ["ZADD", queue_of(town, lane), str(int(time.time() * 1000)), job_id],
    ]
    assert town.intrude("work", "tell_valkey", socket=socket, commands=put) == ["+OK", ":1"]
    left = [["ZSCORE", queue_of(town, lane), job_id]]
    until(lambda: town.intrude("work", "tell_valkey", socket=socket, commands=left) == ["$-1"])


def until(claim: Callable[[], bool], within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not claim():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)


def sending_jobs(town: Town) -> list[bytes]:
    """The body of every job to send a chunk of messages that Valkey was given."""
    words = [word for file in town.queue_files() for word in words_of(file)]
    return [word for word in words if b"message.send_chunk" in word]


def sealed_body(town: Town) -> tuple[bytes, str]:
    """A true job that was there before: its body and its id."""
    sealed = sending_jobs(town)[0]
    task = re.search(rb"\xd9\$([0-9a-f-]{36})(.)", sealed, re.DOTALL)
    assert task is not None
    return sealed, f"{task[1].decode().replace('-', '')}:{task[2][0]}"


def refusals(town: Town) -> int:
    """How often workers have said that they refused something."""
    log = (town.stack.layout.logs / "work.log").read_bytes()
    return log.count(b'"queue.complained"') + log.count(b'"job.refused"')


def worked(town: Town) -> int:
    """How many tasks workers have finished."""
    log = (town.stack.layout.logs / "work.log").read_bytes()
    return log.count(b'"task.finished"')


def test_a_forged_or_changed_job_is_refused(town: Town) -> None:
    sealed, job_id = sealed_body(town)
    flipped = bytes([sealed[0] ^ 1]) + sealed[1:]
    other_task = sealed[:-40] + bytes([sealed[-40] ^ 1]) + sealed[-39:]
    before, finished = refusals(town), worked(town)

    plant(town, bytes(32) + sealed[32:], job_id)
    plant(town, flipped, job_id)
    plant(town, other_task, job_id)
    plant(town, sealed, "00000000000070008000000000000001:1")  # a true body under another's id

    until(lambda: refusals(town) >= before + 4)
    assert worked(town) == finished
    control = _take_true_job(town)
    assert control == 1, "the control: a true hint is worked"


def test_a_true_job_that_comes_again_does_nothing(town: Town) -> None:
    sealed, job_id = sealed_body(town)
    finished = worked(town)

    plant(town, sealed, job_id)

    time.sleep(1.0)
    assert worked(town) == finished
    assert _take_true_job(town) == 1, "the control: a fresh one is worked"


def test_a_pickled_job_is_not_unpickled(town: Town) -> None:
    """The classic: whoever can write to the queue runs what he likes in the worker."""
    mark = town.stack.layout.zone("work") / "pwned"
    live = f"cposix\nsystem\n(S'touch {mark}'\ntR.".encode()
    _, job_id = sealed_body(town)
    before = refusals(town)

    plant(town, live, job_id)

    until(lambda: refusals(town) > before)
    assert not mark.exists()
    town.intrude("work", "unpickle", body=live.hex())
    assert mark.exists(), "the control: the payload is live"
    mark.unlink()


def test_valkey_s_dangerous_commands_are_closed(town: Town) -> None:
    socket = str(town.stack.layout.run / "valkey" / "valkey.sock")
    commands = [
        ["CONFIG", "GET", "*"], ["CONFIG", "SET", "dir", "/tmp"], ["FLUSHALL"], ["MONITOR"],  # noqa: S108 - never set
        ["DEBUG", "OBJECT", "x"], ["SAVE"], ["SHUTDOWN"], ["MODULE", "LIST"], ["KEYS", "*"],
        ["REPLICAOF", "127.0.0.1", "6379"], ["ACL", "SETUSER", "x", "on", "nopass", "+@all"],
        ["CLIENT", "LIST"], ["SLAVEOF", "NO", "ONE"],
    ]  # fmt: skip

    said = town.intrude("work", "tell_valkey", socket=socket, commands=[*commands, ["PING"]])

    assert {line.split()[0] for line in said[:-1]} == {"-NOPERM", "-ERR"}, said
    assert [line.split()[0] for line in said[:-1]].count("-ERR") == 1, (
        "DEBUG is closed by a setting"
    )
    assert said[-1] == "+PONG"


def _take_true_job(town: Town) -> int:
    """Have a message sent again by the front door; how many tasks were worked for it."""
    before = worked(town)
    with town.browser() as browser:
        browser.headers["authorization"] = f"Bearer {town.access.api_key}"
        listed = browser.post(
            "/graphql", json={"query": "{ bills(first: 60) { nodes { id } } }"}
        ).json()
        ids = [node["id"] for node in listed["data"]["bills"]["nodes"]]
        for public_id in ids:
            document = (
                "mutation R($i: BillResendInput!) { billResend(input: $i) { errors { code } } }"
            )
            wanted = {"id": public_id, "idempotencyKey": os.urandom(12).hex()}
            done = browser.post("/graphql", json={"query": document, "variables": {"i": wanted}})
            if not done.json()["data"]["billResend"]["errors"]:
                break
    until(lambda: worked(town) > before)
    return worked(town) - before


def test_the_watch_saw_the_queue_at_work(town: Town) -> None:
    """The control of the above: reading Valkey as root shows what is there at this moment."""
    socket = town.stack.layout.run / "valkey" / "valkey.sock"
    assert any(b"health-check" in value for value in contents(socket))
