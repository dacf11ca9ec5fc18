"""``portal provider certify sandbox_bank``: one small debit file by the line, and its answer.

Stack only. It goes through the egress' own code with a vault of one file, under the rules that are
to be signed: handed over, asked about, handed over once more, its answer fetched and read. At a
bank that is none of ours the file is yours, and money moves by it as by any other; the answer comes
days later, so a second run can begin with a file that is there.
"""

import hashlib
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final, Self, TypeVar, cast

from portal.application.methods.debit_line import DebitLine as Line
from portal.application.methods.debit_line import find_line
from portal.application.providers.exchange import Endpoint, ResultFetched
from portal.contract.debit_fetch import (
    DebitResultKept,
    DebitResultOpened,
    KeepDebitResult,
    OpenDebitResult,
)
from portal.contract.debit_line import (
    DebitFileRedeemed,
    DebitPartGiven,
    GiveDebitPart,
    RedeemDebitFile,
)
from portal.contract.envelope import Operation, Reply, Request
from portal.domain.errors import InvariantBroken
from portal.domain.ids import DeliveryId
from portal.domain.zengin.read import RecordRead, read_debits
from portal.domain.zengin.record import Account, DebitLine, FileForm, Header, Trailer
from portal.domain.zengin.result import Matcher, check_header
from portal.domain.zengin.write import DebitWriter
from portal.kit.clock import SystemClock, new_id
from portal.kit.limits import FILE_PART_BYTES_MAX
from portal.stack.certify_awkward import Converse
from portal.stack.certify_report import Report

_Q = TypeVar("_Q", bound=Request)
_R = TypeVar("_R", bound=Reply)

SANDBOX: Final = "sandbox_bank"
_DAYS_AHEAD: Final = 7
_ACCOUNTS: Final = ("0000001", "9990001", "9990002")
"""At the sandbox's bank: one with money, one without funds, one that is not there."""

_KNOWN_TWICE: Final = {("unknown", "provider_unclear"), ("unknown", "reference_exists")}
"""How a second file under one reference reads: refused as known, which a time-out does not say."""

_UNTOLD: Final = frozenset({"line_missing", "line_differs", "line_unexpected", "code_unknown"})
"""Causes by which an answer explains nothing."""


@dataclass(slots=True)
class OneDebitFile:
    """A vault that has one debit file to give out, and keeps the bank's answer to it.

    ``was_sent``: the bank has it under ``reference`` since an earlier run.
    """

    body: bytes
    reference: str = field(default_factory=lambda: secrets.token_hex(16))
    was_sent: bool = False
    answer: bytearray = field(default_factory=bytearray)

    @classmethod
    def read(cls, provider: str, file: Path | None, reference: str = "") -> Self:
        """The operator's own file, or one that is made for the sandbox's bank.

        ``reference``: of an earlier run. Raises: OSError; ValueError for a file that no bank would
        take, or none where one is needed.
        """
        if file is None and (provider != SANDBOX or reference):
            msg = "a bank needs a debit file of yours, and a reference the file that was sent by it"
            raise ValueError(msg)
        body = _made(SystemClock().wall().date()) if file is None else file.read_bytes()
        faults = [f"{one.reason} at record {one.record_no}" for one in _faults(body)]
        if faults:
            msg = f"no debit file: {', '.join(faults)}"
            raise ValueError(msg)
        return cls(body, reference, was_sent=True) if reference else cls(body)

    async def call(self, op: Operation[_Q, _R], request: _Q) -> _R:
        """What the relay asks the vault for while a file or its answer passes."""
        match request:
            case RedeemDebitFile():
                reply: Reply = DebitFileRedeemed(
                    collector=_header(self.body).collector_code, reference=self.reference,
                    parts=len(self._parts), size_bytes=len(self.body), refused=None,
                )  # fmt: skip
            case GiveDebitPart():
                reply = DebitPartGiven(body=self._parts[request.part_no], refused=None)
            case OpenDebitResult():
                self.answer.clear()
                reply = DebitResultOpened(reference=self.reference, refused=None)
            case KeepDebitResult():
                self.answer += request.body
                reply = DebitResultKept(refused=None)
            case _:
                raise InvariantBroken("certify_without_vault", context=op.name)
        return cast("_R", reply)

    @property
    def _parts(self) -> Sequence[bytes]:
        size = FILE_PART_BYTES_MAX
        return [self.body[at : at + size] for at in range(0, len(self.body), size)]


@dataclass(frozen=True, slots=True)
class BankTrial:
    """The acts at one bank."""

    provider: str
    endpoint: Endpoint
    file: OneDebitFile
    converse: Converse
    report: Report

    async def run(self) -> None:
        """All of them; stops where the bank did not take the file."""
        line = find_line(self.provider)
        if not self.file.was_sent:
            await self._ask(line, "ask before", "not_found")
            sent = await self.converse("send", line.hand_over(self.endpoint, _try()))
            self.report.read("send", sent, fits=sent[0] == "accepted")
            if sent[0] != "accepted":
                return
        self.report.say(f"  its reference is {self.file.reference}")
        await self._ask(line, "ask by reference", "accepted")
        again = await self.converse("send again", line.hand_over(self.endpoint, _try()))
        self.report.read("send again", again, fits=again in _KNOWN_TWICE)
        await self._ask(line, "ask after it", "accepted")
        await self._fetch(line)

    async def _ask(self, line: Line, act: str, wanted: str) -> None:
        said = await self.converse(act, line.ask(self.endpoint, self.file.reference))
        self.report.read(act, said, fits=said[0] == wanted)

    async def _fetch(self, line: Line) -> None:
        act = "fetch the answer"
        exchange = line.fetch(self.endpoint, self.file.reference, _try())
        fetched = await self.converse(act, exchange)
        if fetched.outcome == "not_yet":
            self.report.read(act, "none yet: come again with --sent and this file", fits=True)
            return
        self.report.read(act, fetched.outcome, fits=_is_whole(fetched, bytes(self.file.answer)))
        if fetched.outcome == "stored":
            self.report.begin("read the answer")
            said, fits = read_answer(self.file.body, bytes(self.file.answer))
            self.report.read("read the answer", said, fits=fits)


def read_answer(sent: bytes, told: bytes) -> tuple[str, bool]:
    """What a bank's answer says in counts alone, and whether it explains every line of the file."""
    doubts = [one.reason for one in _faults(told)]
    if doubts:
        return ", ".join(sorted(set(doubts))), False
    matcher = Matcher()
    causes = Counter(one.meaning.cause for one in matcher.match(_lines(sent), _lines(told)))
    doubts += check_header(_header(sent), _header(told))
    trailers = [one.record for one in read_debits([told]) if isinstance(one.record, Trailer)]
    doubts += [reason for trailer in trailers for reason in matcher.check_trailer(trailer)]
    counted = ", ".join(f"{cause} {count}" for cause, count in sorted(causes.items()))
    said = f"{causes.total()} lines: {counted}{''.join(f'; {reason}' for reason in doubts)}"
    return said, not doubts and not _UNTOLD & causes.keys()


def _is_whole(fetched: ResultFetched, answer: bytes) -> bool:
    """Whether what the relay says that it kept is what came."""
    return fetched.outcome == "stored" and fetched.sha256 == hashlib.sha256(answer).digest()


def _try() -> DeliveryId:
    return DeliveryId(new_id(SystemClock()))


def _faults(body: bytes) -> list[RecordRead]:
    return [one for one in read_debits([body]) if one.reason]


def _lines(body: bytes) -> list[DebitLine]:
    return [one.record for one in read_debits([body]) if isinstance(one.record, DebitLine)]


def _header(body: bytes) -> Header:
    return next(one.record for one in read_debits([body]) if isinstance(one.record, Header))


def _made(today: date) -> bytes:
    """A file of three lines for the sandbox's bank, to be debited in a week."""
    day = today + timedelta(days=_DAYS_AHEAD)
    writer = DebitWriter(FileForm())
    own = Account(bank_code="0001", branch_code="001", kind="1", number="7654321")
    header = Header(
        collector_code="0000012345", collector_name="ﾊﾗｲ", month=day.month, day=day.day,
        bank_code=own.bank_code, branch_code=own.branch_code, account=own,
    )  # fmt: skip
    born = secrets.randbelow(10**17)
    lines = [
        DebitLine(
            account=Account(bank_code="0001", branch_code="001", kind="1", number=number),
            payer_name="ｼｹﾝ ﾀﾛｳ",
            amount_minor=100 + place,
            instruction_no=f"{born:017d}{place:03d}",
        )
        for place, number in enumerate(_ACCOUNTS)
    ]
    return writer.begin(header) + writer.add(lines) + writer.finish()
