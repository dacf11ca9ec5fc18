"""A bank that takes debit files by a line (host ``bank.sandbox.test``) and debits by magic numbers.

``POST /v1/debit-files`` takes a file once for its reference, ``GET /v1/debit-files/{reference}``
says whether it is there, and ``GET /v1/debit-results/{reference}`` gives the answer file: a road of
its own, so that who may ask need not be let at accounts. It reads the records by its own code.
"""

import asyncio
import base64
import binascii
import hashlib
import re
from typing import Any, Final

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from portal.sandbox import magic
from portal.sandbox.bank_journal import BankJournal, Row
from portal.sandbox.interface import ApiError, DroppedAnswer, require_key
from portal.sandbox.templates import render
from portal.sandbox.transfer_journal import TransferJournal

PROVIDER: Final = "sandbox_bank"
BODY_BYTES_MAX: Final = 176 * 1024 * 1024
"""A file of as many lines as six digits count, in base64."""

_RECORD: Final = 120
_DEBITS: Final = b"91"
_REFERENCE: Final = re.compile(r"[0-9a-f]{32}")
_HANG_S: Final = 60.0
_SLOW_S: Final = 3.0
_KINDS: Final = re.compile(rb"12+89")
_FOREIGN: Final = re.compile(rb"[^\x20-\x7e\xa1-\xdf]")


class Bank:
    """Takes files, decides every debit at once, and gives the result when it is asked for."""

    def __init__(self, journal: BankJournal, transfers: TransferJournal) -> None:
        """Share the journals; of transfers the page alone tells."""
        self._journal = journal
        self._transfers = transfers

    @property
    def routes(self) -> list[Route]:
        """The interface for collectors."""
        return [
            Route("/v1/debit-files", self.take, methods=["POST"]),
            Route("/v1/debit-files/{reference}", self.tell, methods=["GET"]),
            Route("/v1/debit-results/{reference}", self.give, methods=["GET"]),
        ]

    @property
    def browser_routes(self) -> list[Route]:
        """What a collector's staff see at the bank: the files, and each one's result."""
        return [
            Route("/bank", self.page, methods=["GET"]),
            Route("/bank/{reference}.txt", self.download, methods=["GET"]),
        ]

    async def take(self, request: Request) -> Response:
        """Take a file: 202, 409 when its reference is known, 422 for one that can't be read."""
        require_key(request, PROVIDER)
        reference, collector, body = await read_file(request)
        records = records_of(body)
        if records[0][1:3] != _DEBITS:
            raise ApiError(422, "file_refused")
        fault = await fault_of(records, collector)
        file = {
            "reference": reference,
            "collector": collector,
            "sha256": hashlib.sha256(body).hexdigest(),
            "body": body,
        }
        lines = (_line(reference, no, record) for no, record in enumerate(records[1:-2], 1))
        if not self._journal.take(file, lines):
            raise ApiError(409, "reference_exists")
        return await told_late(fault, reference)

    async def tell(self, request: Request) -> Response:
        """Whether a file is there, and which bytes."""
        require_key(request, PROVIDER)
        file = self._find(request)
        told = {"reference": file["reference"], "status": "accepted", "sha256": file["sha256"]}
        return JSONResponse(told)

    async def give(self, request: Request) -> Response:
        """The result file, for whoever has the key."""
        require_key(request, PROVIDER)
        return self._result(self._find(request))

    async def page(self, request: Request) -> Response:
        """GET /bank: every file that was taken."""
        del request
        files, transfers = self._journal.files(), self._transfers.files()
        return HTMLResponse(render("bank.html", files=files, transfers=transfers))

    async def download(self, request: Request) -> Response:
        """GET /bank/{reference}.txt: what staff download to put it up at their portal."""
        return self._result(self._find(request))

    def _find(self, request: Request) -> Row:
        file = self._journal.file(request.path_params["reference"])
        if file is None:
            raise ApiError(404, "not_found")
        return file

    def _result(self, file: Row) -> Response:
        self._journal.give(file["reference"])
        body = answer(file["body"], self._journal.ends(file["reference"]))
        name = f"result-{file['reference'][:8]}.txt"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(body, media_type="text/plain", headers=headers)


def answer(body: bytes, ends: list[str]) -> bytes:
    """The file as it goes back: each line's code, but for lines whose end is empty, and sums."""
    between = b"\r\n" if b"\r\n" in body else b""
    head, *lines, trailer, last = records_of(body)
    sums = {True: [0, 0], False: [0, 0]}
    given: list[bytes] = []
    for line, end in zip(lines, ends, strict=True):
        if not end:
            continue
        kept = sums[end == "0"]
        kept[0] += 1
        kept[1] += int(line[80:90])
        given.append(line[:111] + end.encode() + line[112:])
    done, failed = sums[True], sums[False]
    whole = [done[0] + failed[0], done[1] + failed[1]]
    told = "".join(f"{count:06d}{yen:012d}" for count, yen in (whole, done, failed))
    given.append(trailer[:1] + told.encode() + trailer[55:])
    return b"".join(record + between for record in (head, *given, last))


async def read_file(request: Request) -> tuple[str, str, bytes]:
    """Reference, code and bytes of a file as it comes. Raises: ApiError 400, 413, 422."""
    if int(request.headers.get("content-length", "0")) > BODY_BYTES_MAX:
        raise ApiError(413, "too_large")
    try:
        values = msgspec.json.decode(await request.body(), type=dict[str, Any])
        body = base64.b64decode(str(values.get("file", "")), validate=True)
    except (msgspec.DecodeError, ClientDisconnect, binascii.Error) as error:
        raise ApiError(400, "not_an_object") from error
    reference = str(values.get("reference", ""))
    if _REFERENCE.fullmatch(reference) is None:
        raise ApiError(422, "invalid_reference")
    return reference, str(values.get("collector", "")), body


async def fault_of(records: list[bytes], code: str) -> magic.DebitFault | None:
    """What becomes of the whole file by its accounts, once it is taken.

    Raises: ApiError for what is not taken: 504 after a while, 500, 422.
    """
    fault: magic.DebitFault | None = None
    for record in records[1:-2]:
        fault = fault or magic.DEBIT_FILES.get(account_of(record))
    if fault == "never_received":
        await asyncio.sleep(_HANG_S)
        raise ApiError(504, "timed_out")
    if fault == "error":
        raise ApiError(500, "internal")
    if fault == "refused" or records[0][4:14].decode() != code:
        raise ApiError(422, "file_refused")
    return fault


async def told_late(fault: magic.DebitFault | None, reference: str) -> Response:
    """The answer to a file that was taken: lost, late, or at once."""
    if fault == "answer_lost":
        return DroppedAnswer()
    if fault == "slow":
        await asyncio.sleep(_SLOW_S)
    return JSONResponse({"reference": reference, "status": "accepted"}, status_code=202)


def records_of(body: bytes) -> list[bytes]:
    """The file's records, a byte a letter; 422 for what is none."""
    whole = body.replace(b"\r\n", b"")
    is_one = len(whole) % _RECORD == 0 and _KINDS.fullmatch(whole[::_RECORD]) is not None
    if not is_one or _FOREIGN.search(whole) is not None:
        raise ApiError(422, "file_refused")
    return [whole[at : at + _RECORD] for at in range(0, len(whole), _RECORD)]


def account_of(record: bytes) -> str:
    """The account of a line, of debits and of transfers alike."""
    return record[43:50].decode("cp932")


def _line(reference: str, line_no: int, record: bytes) -> Row:
    account = account_of(record)
    return {
        "reference": reference,
        "line_no": line_no,
        "number": record[91:111].decode("cp932"),
        "account": account,
        "amount": int(record[80:90]),
        "outcome": magic.DEBITS.get(account, "0"),
    }
