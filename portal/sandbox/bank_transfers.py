"""The same bank takes files of transfers (総合振込), journals each line, and gives nothing back.

``POST /v1/transfer-files`` takes a file once for its reference, ``GET /v1/transfer-files/{ref}``
says whether it is there. Money for some published accounts comes back: the bank's page says so, as
a bank would by telephone. It reads the records by its own code.
"""

import hashlib
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from portal.sandbox import magic
from portal.sandbox.bank import PROVIDER, account_of, fault_of, read_file, records_of, told_late
from portal.sandbox.interface import ApiError, require_key
from portal.sandbox.transfer_journal import Row, TransferJournal

_KIND: Final = b"21"
_HEADER: Final = slice(1, 3)


class BankTransfers:
    """Takes files of transfers."""

    def __init__(self, journal: TransferJournal) -> None:
        """Share the journal."""
        self._journal = journal

    @property
    def routes(self) -> list[Route]:
        """The interface for who transfers."""
        return [
            Route("/v1/transfer-files", self.take, methods=["POST"]),
            Route("/v1/transfer-files/{reference}", self.tell, methods=["GET"]),
        ]

    async def take(self, request: Request) -> Response:
        """Take a file: 202, 409 when its reference is known, 422 for one that can't be read."""
        require_key(request, PROVIDER)
        reference, company, body = await read_file(request)
        records = records_of(body)
        if records[0][_HEADER] != _KIND or not _adds_up(records):
            raise ApiError(422, "file_refused")
        fault = await fault_of(records, company)
        file = {
            "reference": reference,
            "company": company,
            "day": records[0][54:58].decode(),
            "sha256": hashlib.sha256(body).hexdigest(),
        }
        lines = (_line(reference, no, record) for no, record in enumerate(records[1:-2], 1))
        if not self._journal.take(file, lines):
            raise ApiError(409, "reference_exists")
        return await told_late(fault, reference)

    async def tell(self, request: Request) -> Response:
        """Whether a file is there, and which bytes."""
        require_key(request, PROVIDER)
        file = self._journal.file(request.path_params["reference"])
        if file is None:
            raise ApiError(404, "not_found")
        told = {"reference": file["reference"], "status": "accepted", "sha256": file["sha256"]}
        return JSONResponse(told)


def _adds_up(records: list[bytes]) -> bool:
    lines, trailer = records[1:-2], records[-2]
    count, yen = int(trailer[1:7]), int(trailer[7:19])
    return (count, yen) == (len(lines), sum(int(line[80:90]) for line in lines))


def _line(reference: str, line_no: int, record: bytes) -> Row:
    account = account_of(record)
    return {
        "reference": reference,
        "line_no": line_no,
        "number": record[91:111].decode("cp932"),
        "bank": record[1:5].decode(),
        "branch": record[20:23].decode(),
        "account": account,
        "holder": record[50:80].decode("cp932").rstrip(),
        "amount": int(record[80:90]),
        "outcome": magic.TRANSFERS.get(account, "transferred"),
    }
