"""The audit: one row per act in the act's own transaction, chained and signed outside of it.

A row carries the instance's next number when it is inserted; the sealer follows at most a second
behind, chains the committed rows of its instance in order of their numbers (SHA-256) and appends a
signed head (Ed25519) to a file outside the database. So no call waits for another's row, and who
edits, deletes or cuts off rows afterwards is found by :func:`verify` against the heads.
"""

import asyncio
import hashlib
import os
from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from portal.domain.errors import InvariantBroken
from portal.kit.clock import Clock
from portal.vault.closing import Closing
from portal.vault.db import Db, Row

PUBLIC_KEY_FILE: Final = "audit.pub"
BATCH: Final = 500
IN_DOUBT_S: Final = 20.0
"""How long a number is waited for whose commit was neither confirmed nor refused."""

COLUMNS: Final = (
    "instance, number, at, merchant_id, caller, kind, subject, jti, operation, outcome, rows,"
    " digest"
)
_SIGNED: Final = "harai audit head 1"
_encode: Final = msgspec.msgpack.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True)
class Entry:
    """What one row says. ``outcome`` is ``ok`` or ``incident:<code>``."""

    at: datetime
    merchant_id: UUID | None
    caller: str
    kind: str
    subject: UUID
    jti: UUID
    operation: str
    outcome: str
    rows: int
    digest: bytes


class Head(msgspec.Struct, frozen=True):
    """A signed statement: ``rows`` rows up to ``number`` hash to ``hash`` (hex)."""

    instance: str
    number: int
    rows: int
    hash: str
    at: str
    signature: str

    def signed(self) -> bytes:
        """The bytes that the signature covers."""
        return _encode((_SIGNED, self.instance, self.number, self.rows, self.hash, self.at))


def first_link(instance: str) -> bytes:
    """The chain of an instance before its first row."""
    return hashlib.sha256(f"harai audit 1|{instance}".encode()).digest()


def next_link(link: bytes, row: Row) -> bytes:
    """The chain after one more row."""
    at: datetime = row["at"]
    merchant: UUID | None = row["merchant_id"]
    values = (
        row["instance"],
        row["number"],
        int(at.astimezone(UTC).timestamp() * 1_000_000),
        merchant.bytes if merchant else b"",
        row["caller"],
        row["kind"],
        row["subject"].bytes,
        row["jti"].bytes,
        row["operation"],
        row["outcome"],
        row["rows"],
        bytes(row["digest"]),
    )
    return hashlib.sha256(link + _encode(values)).digest()


class Audit:
    """The audit of one running instance: gives numbers, inserts rows, seals what was committed."""

    def __init__(
        self, instance: str, heads_dir: Path, key: Ed25519PrivateKey, clock: Clock
    ) -> None:
        """Nothing is read before :meth:`resume`."""
        self.instance = instance
        self._clock = clock
        self._heads_dir = heads_dir
        self._key = key
        self._last = 0
        self._pending: dict[int, float | None] = {}
        self._sealed = 0
        self._rows = 0
        self._signed_rows = 0
        self._link = first_link(instance)
        self._sealing = asyncio.Lock()

    async def resume(self, db: Db) -> None:
        """Go on where this instance stopped; only one process at a time may run as an instance.

        Raises: InvariantBroken ``audit_behind_head`` when the database lacks rows that were
        already sealed (an older copy was restored, or rows were deleted): an operator decides.
        """
        heads = [head for head in read_heads(self._heads_dir) if head.instance == self.instance]
        last: int | None = await db.fetchval(
            "select max(number) from audit where instance = $1", self.instance
        )
        if heads:
            head = heads[-1]
            if last is None or last < head.number:
                raise InvariantBroken("audit_behind_head", context=self.instance)
            self._sealed, self._rows = head.number, head.rows
            self._signed_rows = head.rows
            self._link = bytes.fromhex(head.hash)
        self._last = max(last or 0, self._sealed)
        await asyncio.to_thread(self._publish_key)

    def _publish_key(self) -> None:
        self._heads_dir.mkdir(parents=True, exist_ok=True)
        public = self._key.public_key().public_bytes_raw().hex()
        place = self._heads_dir / PUBLIC_KEY_FILE
        if not place.exists():
            place.write_text(public + "\n", encoding="ascii")

    def next_number(self) -> int:
        """The number for a row about to be inserted; settle or doubt it afterwards, always."""
        self._last += 1
        self._pending[self._last] = None
        return self._last

    def close_with(self, closing: Closing, number: int, entry: Entry) -> None:
        """Add a row to what an act writes with its commit."""
        closing.add(
            "audit",
            self.instance,
            number,
            entry.at,
            entry.merchant_id,
            entry.caller,
            entry.kind,
            entry.subject,
            entry.jti,
            entry.operation,
            entry.outcome,
            entry.rows,
            entry.digest,
        )

    async def insert(self, db: Db, number: int, entry: Entry) -> None:
        """Add a row on its own, outside any act."""
        await db.execute(
            "insert into audit (instance, number, at, merchant_id, caller, kind, subject, jti,"
            " operation, outcome, rows, digest)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            self.instance,
            number,
            entry.at,
            entry.merchant_id,
            entry.caller,
            entry.kind,
            entry.subject,
            entry.jti,
            entry.operation,
            entry.outcome,
            entry.rows,
            entry.digest,
        )

    def settle(self, number: int) -> None:
        """The number's transaction has ended, well or not."""
        self._pending.pop(number, None)

    def doubt(self, number: int) -> None:
        """The link broke at the commit: the row may still appear, so wait for it a while."""
        self._pending[number] = asyncio.get_running_loop().time() + IN_DOUBT_S

    def _may_seal_to(self) -> int:
        now = asyncio.get_running_loop().time()
        for number in [n for n, until in self._pending.items() if until and until < now]:
            del self._pending[number]
        return min(self._pending, default=self._last + 1) - 1

    async def seal(self, db: Db) -> int:
        """Chain what was committed since the last head and sign a new one; returns its rows.

        May be broken off at any moment: what was chained by then stands, link, number and count
        together, and the next run signs it.
        """
        async with self._sealing:
            limit = self._may_seal_to()
            async for batch in _batches(db, self.instance, self._sealed, limit):
                for row in batch:
                    self._link = next_link(self._link, row)
                self._sealed = batch[-1]["number"]
                self._rows += len(batch)
            unsigned = self._rows - self._signed_rows
            if unsigned:
                await asyncio.to_thread(self._append_head, self._unsigned_head())
                self._signed_rows = self._rows
            return unsigned

    def _unsigned_head(self) -> Head:
        """What is chained by now, taken at one moment: a thread may outlive who waits for it."""
        at = self._clock.wall().isoformat()
        return Head(self.instance, self._sealed, self._rows, self._link.hex(), at, "")

    def _append_head(self, unsigned: Head) -> None:
        signature = b64encode(self._key.sign(unsigned.signed())).decode()
        head = msgspec.structs.replace(unsigned, signature=signature)
        place = self._heads_dir / f"{self.instance}-{unsigned.at[:7]}.heads"
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        try:
            os.write(descriptor, b"\n" + msgspec.json.encode(head))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


async def _batches(db: Db, instance: str, after: int, limit: int) -> AsyncGenerator[list[Row]]:
    while after < limit:
        rows = await db.fetch(
            f"select {COLUMNS} from audit where instance = $1 and number > $2"  # noqa: S608  # a constant
            " and number <= $3 order by number limit $4",
            instance,
            after,
            limit,
            BATCH,
        )
        if not rows:
            return
        yield rows
        after = rows[-1]["number"]
        await asyncio.sleep(0)


def read_heads(folder: Path) -> list[Head]:
    """All heads in a folder, oldest first; a line that a crash cut off is left out."""
    heads: list[Head] = []
    for place in sorted(folder.glob("*.heads")):
        for line in place.read_bytes().split(b"\n"):
            if line.strip():
                try:
                    heads.append(msgspec.json.decode(line, type=Head))
                except msgspec.DecodeError:
                    continue
    return heads


def read_public_key(folder: Path) -> Ed25519PublicKey:
    """The key that heads in a folder are checked with, as the vault published it there."""
    text = (folder / PUBLIC_KEY_FILE).read_text(encoding="ascii").strip()
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What :func:`verify` found: ``faults`` is empty when every sealed row is as it was sealed.

    ``rows`` were read, ``unsealed`` of them are newer than the last head of their instance.
    """

    rows: int
    unsealed: int
    faults: tuple[str, ...]


async def verify(db: Db, heads_dir: Path, public_key: Ed25519PublicKey) -> Verdict:
    """Chain all rows anew and compare with every signed head.

    Finds rows edited, deleted, inserted among older ones or cut off at the end, and heads that
    nobody with the key signed. Reads in batches; holds no transaction of its own.
    """
    heads: dict[str, dict[int, Head]] = {}
    faults: list[str] = []
    for head in await asyncio.to_thread(read_heads, heads_dir):
        try:
            public_key.verify(b64decode(head.signature), head.signed())
        except (InvalidSignature, ValueError):
            faults.append(f"{head.instance} {head.number}: head is not signed by this vault")
            continue
        heads.setdefault(head.instance, {})[head.number] = head
    known = await db.fetch("select distinct instance from audit order by instance")
    instances = sorted({row["instance"] for row in known} | heads.keys())
    rows = unsealed = 0
    for instance in instances:
        found = await _verify_instance(db, instance, heads.get(instance, {}))
        rows, unsealed = rows + found.rows, unsealed + found.unsealed
        faults.extend(found.faults)
    return Verdict(rows, unsealed, tuple(faults[:100]))


async def _verify_instance(db: Db, instance: str, heads: dict[int, Head]) -> Verdict:
    link, rows, unsealed = first_link(instance), 0, 0
    open_heads = dict(heads)
    last_head = max(heads, default=0)
    faults: list[str] = []
    async for batch in _batches(db, instance, -(2**62), 2**62):
        for row in batch:
            link = next_link(link, row)
            rows += 1
            number: int = row["number"]
            unsealed += number > last_head
            head = open_heads.pop(number, None)
            if head is not None and (head.hash != link.hex() or head.rows != rows):
                faults.append(f"{instance} {number}: rows up to here differ from the signed head")
                return Verdict(rows, unsealed, tuple(faults))
    faults.extend(
        f"{instance} {number}: the row of a signed head is gone" for number in sorted(open_heads)
    )
    return Verdict(rows, unsealed, tuple(faults))
